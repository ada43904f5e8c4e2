// A growing AllocatedFile, a million records of 272 bytes one by one, without a sync: how long each
// takes. Beside it the plain system call, write(2) of the same records.
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>

#include "io/file_system.h"

namespace larder::io {
namespace {

constexpr uint64_t kRecords = 1'000'000;
constexpr uint64_t kFirstAllocation = 65'536;

std::string BenchPath() {
  return (std::filesystem::temp_directory_path() / "larder_io_bench").string();
}

bool AppendInPlace(AllocatedFile& file, std::string_view record) {
  uint64_t allocated = 0;
  for (uint64_t at = 0; at < kRecords * record.size(); at += record.size()) {
    if (at + record.size() > allocated) {
      allocated = allocated == 0 ? kFirstAllocation : 2 * allocated;
      if (!file.Allocate(allocated)) return false;
    }
    if (!file.WriteAt(at, record)) return false;
  }
  return true;
}

bool AppendByWrite(WritableFile& file, std::string_view record) {
  for (uint64_t i = 0; i < kRecords; ++i) {
    if (!file.Write(record)) return false;
  }
  return true;
}

void BM_WriteAt(benchmark::State& state) {
  const std::string record(272, 'r');
  while (state.KeepRunning()) {
    std::ignore = RealFileSystem().Remove(BenchPath());
    auto file = RealFileSystem().CreateAllocated(BenchPath());
    if (!file || !AppendInPlace(**file, record)) state.SkipWithError("cannot write");
  }
  state.SetItemsProcessed(static_cast<int64_t>(kRecords) * state.iterations());
  std::ignore = RealFileSystem().Remove(BenchPath());
}
BENCHMARK(BM_WriteAt)->Unit(benchmark::kMillisecond);

void BM_Write(benchmark::State& state) {
  const std::string record(272, 'r');
  while (state.KeepRunning()) {
    std::ignore = RealFileSystem().Remove(BenchPath());
    auto file = RealFileSystem().Create(BenchPath());
    if (!file || !AppendByWrite(**file, record)) state.SkipWithError("cannot write");
  }
  state.SetItemsProcessed(static_cast<int64_t>(kRecords) * state.iterations());
  std::ignore = RealFileSystem().Remove(BenchPath());
}
BENCHMARK(BM_Write)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::io

// A million records of 256 bytes, appended to a log on the real file system and read back, beside
// the plain write of the same bytes. Records a second are "items_per_second". In the directory that
// TMPDIR names, or /tmp.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "io/file_system.h"
#include "log/reader.h"
#include "log/writer.h"

namespace larder::log {
namespace {

constexpr uint64_t kRecords = 1'000'000;
constexpr uint64_t kRecordBytes = 256;

class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "larder_log_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message().c_str());
  std::abort();
}

Options OptionsIn(const Directory& directory, SyncPolicy sync) {
  Options options;
  options.directory = directory.path();
  options.sync = sync;
  return options;
}

void Fill(Writer& writer, uint64_t batch_records) {
  const std::string data(kRecordBytes, 'r');
  const std::vector<std::string_view> batch(batch_records, data);
  for (uint64_t i = 0; i < kRecords; i += batch_records) Must(writer.Append(batch));
}

// Runs `work` once an iteration, and counts what it takes to do it to every record.
template <typename Work>
void Measure(benchmark::State& state, uint64_t records, const Work& work) {
  while (state.KeepRunning()) {
    const auto began = std::chrono::steady_clock::now();
    work();
    state.SetIterationTime(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(records));
}

void BM_AppendOneByOneNeverSynced(benchmark::State& state) {
  const Directory directory;
  const auto writer =
      Must(Writer::Open(io::RealFileSystem(), OptionsIn(directory, SyncPolicy::kNever)));
  Measure(state, kRecords, [&] { Fill(*writer, 1); });
}
BENCHMARK(BM_AppendOneByOneNeverSynced)->Iterations(1)->UseManualTime();

void BM_AppendHundredsSyncedAtIntervals(benchmark::State& state) {
  const Directory directory;
  const auto writer =
      Must(Writer::Open(io::RealFileSystem(), OptionsIn(directory, SyncPolicy::kInterval)));
  Measure(state, kRecords, [&] { Fill(*writer, 100); });
}
BENCHMARK(BM_AppendHundredsSyncedAtIntervals)->Iterations(1)->UseManualTime();

// Without the sync of a full segment, which waits for the disk.
void BM_AppendHundredsToOneSegment(benchmark::State& state) {
  const Directory directory;
  Options options = OptionsIn(directory, SyncPolicy::kInterval);
  options.segment_bytes = uint64_t{1} << 30;
  const auto writer = Must(Writer::Open(io::RealFileSystem(), options));
  Measure(state, kRecords, [&] { Fill(*writer, 100); });
}
BENCHMARK(BM_AppendHundredsToOneSegment)->Iterations(1)->UseManualTime();

// As many bytes at once as a batch of a hundred has.
void BM_PlainWriteOfHundreds(benchmark::State& state) {
  const Directory directory;
  auto file = Must(io::RealFileSystem().Create(directory.path() + "/plain"));
  const std::string batch(100 * kRecordBytes, 'r');
  Measure(state, kRecords, [&] {
    for (uint64_t i = 0; i < kRecords; i += 100) {
      if (!file->Write(batch)) std::abort();
    }
  });
}
BENCHMARK(BM_PlainWriteOfHundreds)->Iterations(1)->UseManualTime();

void ReadAll(Reader& reader) {
  const uint64_t records = reader.committed();
  for (uint64_t number = 1; number <= records; ++number)
    benchmark::DoNotOptimize(Must(reader.Read(number)).data.data());
}

struct Filled {
  Directory directory;
  std::unique_ptr<Writer> writer =
      Must(Writer::Open(io::RealFileSystem(), OptionsIn(directory, SyncPolicy::kNever)));
  std::unique_ptr<Reader> reader;

  explicit Filled(int64_t millions = 1, int64_t max_resident_mib = 0, bool warm = false) {
    for (int64_t i = 0; i < millions; ++i) Fill(*writer, 100);
    reader =
        Must(Reader::Open(io::RealFileSystem(),
                          {.directory = directory.path(),
                           .max_resident_bytes = static_cast<uint64_t>(max_resident_mib) << 20}));
    if (warm) ReadAll(*reader);
  }
  explicit Filled(const benchmark::State& state)
      : Filled(state.range(0), state.range(1), state.range(2) != 0) {}
};

// Millions of records in the log; MiB of it that may be in memory, 0 for all; 1 when all has been
// read before.
void ReadCases(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"millions", "resident_mib", "warm"});
  bench->Args({1, 0, 0})->Args({1, 0, 1})->Args({5, 0, 1})->Args({5, 64, 0});
  bench->Iterations(1)->UseManualTime();
}

void BM_ReadInOrder(benchmark::State& state) {
  const Filled log(state);
  Measure(state, log.reader->committed(), [&] { ReadAll(*log.reader); });
}
BENCHMARK(BM_ReadInOrder)->Apply(ReadCases);

void BM_ReadRandomly(benchmark::State& state) {
  const Filled log(state);
  const uint64_t records = log.reader->committed();
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers every time
  std::mt19937_64 random(1);
  Measure(state, kRecords, [&] {
    for (uint64_t i = 0; i < kRecords; ++i)
      benchmark::DoNotOptimize(Must(log.reader->Read(1 + random() % records)).data.data());
  });
}
BENCHMARK(BM_ReadRandomly)->Apply(ReadCases);

void BM_OpenAfterAKill(benchmark::State& state) {
  const Filled log;
  // Another log on the same files would need the lock: a copy is what a killed process leaves.
  const Directory copy;
  std::filesystem::copy(log.directory.path(), copy.path(),
                        std::filesystem::copy_options::recursive);
  Measure(state, 1,
          [&] { Must(Writer::Open(io::RealFileSystem(), OptionsIn(copy, SyncPolicy::kNever))); });
}
BENCHMARK(BM_OpenAfterAKill)->Iterations(1)->UseManualTime();

}  // namespace
}  // namespace larder::log

// Look-ups and building of a Snapshot of a million records in the shape of the workload:
// three quarters strings of 64 bytes, one quarter hashes of 10 fields.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "snapshot/builder.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {
namespace {

constexpr uint64_t kRecords = 1000000;
constexpr uint64_t kBatchRecords = 5000;
constexpr int kFields = 10;

std::string KeyOf(uint64_t number) { return "user:" + std::to_string(number * 7919); }

// The texts of a batch, as a parser would hold them.
struct Texts {
  std::vector<std::string> keys;
  std::array<std::string, kFields> fields;
  std::array<std::string, kFields> values;
  std::string text = std::string(64, 't');
  std::vector<std::string_view> items;

  Texts() {
    for (uint64_t number = 0; number < kRecords; ++number) keys.push_back(KeyOf(number));
    for (size_t i = 0; i < kFields; ++i) {
      fields[i] = "field_" + std::to_string(i);
      values[i] = "value of " + std::to_string(i);
      items.push_back(fields[i]);
      items.push_back(values[i]);
    }
  }
  RecordView Record(uint64_t number) const {
    RecordView record;
    record.key = keys[number];
    if (number % 4 == 3) {
      record.type = ValueType::kHash;
      record.items = items;
    } else {
      record.text = text;
    }
    return record;
  }
};

const Texts& AllTexts() {
  static const Texts texts;
  return texts;
}

std::string BenchPath() {
  return (std::filesystem::temp_directory_path() / "larder_snapshot_bench.snap").string();
}

BuildReport BuildAll(unsigned threads) {
  const auto fail = [](const Error& error) {
    std::fputs(error.message().c_str(), stderr);
    std::abort();
  };
  BuildOptions options;
  options.key_seed = 1;
  options.member_seed = 2;
  options.threads = threads;
  auto builder = Builder::Create(io::RealFileSystem(), BenchPath(), options);
  if (!builder) fail(builder.error());
  for (uint64_t first = 0; first < kRecords; first += kBatchRecords) {
    auto batch = (*builder)->NewBatch();
    for (uint64_t number = first; number < first + kBatchRecords; ++number) {
      if (auto added = batch->Add(AllTexts().Record(number)); !added) fail(added.error());
    }
    if (auto appended = (*builder)->Append(std::move(batch)); !appended) fail(appended.error());
  }
  auto report = (*builder)->Finish();
  if (!report) fail(report.error());
  return *report;
}

// The file under benchmark, made once and removed at the end.
class BenchFile {
 public:
  static const Snapshot& Get() {
    static const BenchFile file;
    return *file.snapshot_;
  }

 private:
  BenchFile() {
    BuildAll(0);
    snapshot_ = *Snapshot::Open(io::RealFileSystem(), BenchPath());
  }
  ~BenchFile() {
    std::error_code ignored;
    std::filesystem::remove(BenchPath(), ignored);
  }
  std::shared_ptr<const Snapshot> snapshot_;
};

std::vector<std::string> DrawnKeys(bool present) {
  std::mt19937_64 random(1);
  std::vector<std::string> keys;
  for (int i = 0; i < 1 << 18; ++i) {
    keys.push_back(KeyOf(random() % kRecords));
    if (!present) keys.back() += "x";
  }
  return keys;
}

void Find(benchmark::State& state, bool present) {
  const Snapshot& snapshot = BenchFile::Get();
  const std::vector<std::string> keys = DrawnKeys(present);
  size_t next = 0;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(snapshot.Find(keys[next++ % keys.size()]));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
void FindHit(benchmark::State& state) { Find(state, true); }
void FindMiss(benchmark::State& state) { Find(state, false); }
BENCHMARK(FindHit);
BENCHMARK(FindMiss);

void FindBatchOf16(benchmark::State& state) {
  constexpr size_t kBatch = 16;
  const Snapshot& snapshot = BenchFile::Get();
  const std::vector<std::string> keys = DrawnKeys(true);
  size_t next = 0;
  std::array<Snapshot::Lookup, kBatch> lookups{};
  while (state.KeepRunning()) {
    for (size_t i = 0; i < kBatch; ++i) {
      lookups[i] = snapshot.StartLookup(keys[next + i]);
    }
    snapshot.Prefetch(lookups);
    for (size_t i = 0; i < kBatch; ++i) {
      benchmark::DoNotOptimize(snapshot.Find(keys[next + i], lookups[i]));
    }
    next = (next + kBatch) % keys.size();
  }
  state.SetItemsProcessed(static_cast<int64_t>(static_cast<size_t>(state.iterations()) * kBatch));
}
BENCHMARK(FindBatchOf16);

void HashField(benchmark::State& state) {
  const Value value = *BenchFile::Get().Find(KeyOf(3));
  while (state.KeepRunning()) benchmark::DoNotOptimize(CollectionView(value).FindMember("field_7"));
}
BENCHMARK(HashField);

void Open(benchmark::State& state) {
  BenchFile::Get();
  while (state.KeepRunning())
    benchmark::DoNotOptimize(Snapshot::Open(io::RealFileSystem(), BenchPath()));
}
BENCHMARK(Open);

void Encode(benchmark::State& state) {
  ValueEncoder encoder(1);
  std::string bytes;
  uint64_t total = 0;
  while (state.KeepRunning()) {
    bytes.clear();
    for (uint64_t number = 0; number < kBatchRecords; ++number) {
      if (!encoder.Append(AllTexts().Record(number), bytes)) std::abort();
    }
    total += bytes.size();
  }
  state.SetBytesProcessed(static_cast<int64_t>(total));
}
BENCHMARK(Encode);

// Encoding, writing, index, look-ups and publishing (sync included), per byte of the file.
void Build(benchmark::State& state) {
  AllTexts();
  BenchFile::Get();
  BuildReport report;
  while (state.KeepRunning()) report = BuildAll(static_cast<unsigned>(state.range(0)));
  state.SetBytesProcessed(
      static_cast<int64_t>(static_cast<uint64_t>(state.iterations()) * report.file_bytes));
  state.counters["index_bytes_per_key"] =
      static_cast<double>(report.index_bytes) / static_cast<double>(report.records);
  state.counters["bytes_per_key"] =
      static_cast<double>(report.file_bytes) / static_cast<double>(report.records);
}
BENCHMARK(Build)->Arg(1)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

void VerifyAll(benchmark::State& state) {
  const Snapshot& snapshot = BenchFile::Get();
  while (state.KeepRunning()) {
    if (!Verify(snapshot)) std::abort();
  }
  state.SetBytesProcessed(static_cast<int64_t>(static_cast<uint64_t>(state.iterations()) *
                                               snapshot.header().file_bytes));
}
BENCHMARK(VerifyAll)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::snapshot

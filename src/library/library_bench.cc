// A look-up in the program's own process, in each of the ways there are, among a million records of
// 64 bytes; std::unordered_map beside them.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/log.h"
#include "io/file_system.h"
#include "larder/build.h"
#include "larder/dataset.h"
#include "larder/importer.h"

namespace larder {
namespace {

constexpr uint64_t kRecords = 1'000'000;
constexpr uint64_t kBatchRecords = 5000;
constexpr size_t kKeysAtOnce = 32;
constexpr size_t kDrawnKeys = size_t{1} << 18;

std::string KeyOf(uint64_t number) { return fmt::format("user:{}", number * 7919); }

template <typename T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  std::fputs(result.error().message().c_str(), stderr);
  std::abort();
}

// Makes the records; its source is an empty file.
class BenchImporter : public Importer {
 public:
  std::string_view name() const override { return "bench"; }
  std::string settings() const override { return "1"; }
  Result<ImportReport> Import(SourceText& /*text*/, RecordSink& sink) const override {
    const std::string text(64, 't');
    for (uint64_t first = 0; first < kRecords; first += kBatchRecords) {
      auto batch = sink.NewBatch();
      for (uint64_t number = first; number < first + kBatchRecords; ++number) {
        const std::string key = KeyOf(number);
        RecordView record;
        record.key = key;
        record.text = text;
        if (auto added = batch->Add(record); !added) return std::unexpected(added.error());
      }
      if (auto appended = sink.Append(std::move(batch)); !appended) {
        return std::unexpected(appended.error());
      }
    }
    return ImportReport{.records = kRecords};
  }
};

// The dataset under benchmark, made once and removed at the end.
class BenchDataset {
 public:
  static const Dataset& Get() {
    static const BenchDataset made;
    return *made.dataset_;
  }

 private:
  BenchDataset() {
    SetLogLevel(LogLevel::kError);
    std::filesystem::create_directories(directory_);
    if (!io::PublishFile(io::RealFileSystem(), std::string_view("x"),
                         (directory_ / "empty").string())) {
      std::abort();
    }
    DatasetOptions options;
    options.name = "bench";
    options.source = (directory_ / "empty").string();
    options.directory = (directory_ / "bench").string();
    options.watch = std::chrono::hours(1);
    options.import.importer = std::make_shared<BenchImporter>();
    dataset_.emplace(Must(Dataset::Open(options)));
    Must(dataset_->WaitForVersion(std::chrono::minutes(5)));
  }
  ~BenchDataset() {
    dataset_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / "larder_library_bench";
  std::optional<Dataset> dataset_;
};

const std::vector<std::string>& DrawnKeys() {
  static const std::vector<std::string> keys = [] {
    std::mt19937_64 random(1);
    std::vector<std::string> drawn;
    for (size_t i = 0; i < kDrawnKeys; ++i) drawn.push_back(KeyOf(random() % kRecords));
    return drawn;
  }();
  return keys;
}

const std::vector<std::string_view>& DrawnViews() {
  static const std::vector<std::string_view> views(DrawnKeys().begin(), DrawnKeys().end());
  return views;
}

// `find(key)` one after the other. Something of each value is looked at, as a program would.
template <typename Find>
void FindEach(benchmark::State& state, Find&& find) {
  const std::vector<std::string>& keys = DrawnKeys();
  size_t next = 0;
  while (state.KeepRunning()) benchmark::DoNotOptimize(find(keys[next++ % kDrawnKeys]));
  state.SetItemsProcessed(state.iterations());
}

template <typename FindMany>
void FindBatches(benchmark::State& state, FindMany&& find_many) {
  std::array<std::optional<Value>, kKeysAtOnce> values;
  size_t next = 0;
  while (state.KeepRunningBatch(kKeysAtOnce)) {
    find_many(std::span(DrawnViews()).subspan(next, kKeysAtOnce), std::span(values));
    for (const auto& value : values) benchmark::DoNotOptimize(value->text().front());
    next = (next + kKeysAtOnce) % kDrawnKeys;
  }
  state.SetItemsProcessed(state.iterations());
}

void DatasetFind(benchmark::State& state) {
  const Dataset& dataset = BenchDataset::Get();
  FindEach(state, [&](const std::string& key) { return dataset.Find(key)->text().front(); });
}
BENCHMARK(DatasetFind);

void SnapshotFind(benchmark::State& state) {
  const Snapshot snapshot = BenchDataset::Get().Current();
  FindEach(state, [&](const std::string& key) { return snapshot.Find(key)->text().front(); });
}
BENCHMARK(SnapshotFind);

void ReaderFind(benchmark::State& state) {
  Reader reader = Must(BenchDataset::Get().NewReader());
  FindEach(state, [&](const std::string& key) { return reader.Enter().Find(key)->text().front(); });
}
BENCHMARK(ReaderFind);

void DatasetFindMany(benchmark::State& state) {
  const Dataset& dataset = BenchDataset::Get();
  FindBatches(state, [&](auto keys, auto values) {
    benchmark::DoNotOptimize(dataset.FindMany(keys, values).version_number());
  });
}
BENCHMARK(DatasetFindMany);

void SnapshotFindMany(benchmark::State& state) {
  const Snapshot snapshot = BenchDataset::Get().Current();
  FindBatches(state, [&](auto keys, auto values) { snapshot.FindMany(keys, values); });
}
BENCHMARK(SnapshotFindMany);

void ReaderFindMany(benchmark::State& state) {
  Reader reader = Must(BenchDataset::Get().NewReader());
  FindBatches(state, [&](auto keys, auto values) { reader.Enter().FindMany(keys, values); });
}
BENCHMARK(ReaderFindMany);

void UnorderedMapFind(benchmark::State& state) {
  static const auto map = [] {
    std::unordered_map<std::string, std::string> made;
    made.reserve(kRecords);
    for (uint64_t number = 0; number < kRecords; ++number) {
      made.emplace(KeyOf(number), std::string(64, 't'));
    }
    return made;
  }();
  FindEach(state, [&](const std::string& key) { return map.find(key)->second.front(); });
}
BENCHMARK(UnorderedMapFind);

void CurrentAlone(benchmark::State& state) {
  const Dataset& dataset = BenchDataset::Get();
  while (state.KeepRunning()) benchmark::DoNotOptimize(dataset.Current());
}
BENCHMARK(CurrentAlone)->ThreadRange(1, 2);

void GuardAlone(benchmark::State& state) {
  Reader reader = Must(BenchDataset::Get().NewReader());
  while (state.KeepRunning()) benchmark::DoNotOptimize(reader.Enter().version_number());
}
BENCHMARK(GuardAlone)->ThreadRange(1, 2);

}  // namespace
}  // namespace larder

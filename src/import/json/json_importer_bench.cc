// How fast a document of some 200 MB becomes records, beside the same records as JSONL, into a sink
// that drops them: three quarters strings of 64 bytes, one quarter hashes of 10 fields of 16.
#include <cstdint>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "import/json/json_importer.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

constexpr uint64_t kRecords = 1'500'000;

class NullSink : public RecordSink {
 public:
  std::unique_ptr<RecordBatch> NewBatch() override { return std::make_unique<Batch>(); }
  Result<void> Append(std::unique_ptr<RecordBatch> /*batch*/) override { return {}; }

 private:
  struct Batch : RecordBatch {
    Result<void> Add(const RecordView& record) override {
      benchmark::DoNotOptimize(record);
      return {};
    }
  };
};

std::string Value(uint64_t i) {
  if (i % 4 != 3) return fmt::format("\"{:064}\"", i * 0x9E3779B97F4A7C15);
  std::string value = "{";
  for (uint64_t field = 0; field < 10; ++field) {
    value += fmt::format(R"({}"field{}":"{:016}")", field > 0 ? "," : "", field, i + field);
  }
  return value + "}";
}

std::string Jsonl() {
  std::string text;
  for (uint64_t i = 0; i < kRecords; ++i) {
    text += fmt::format("{{\"key\":\"item:{:012}\",\"value\":{}}}\n", i, Value(i));
  }
  return text;
}

std::string Document(bool array) {
  std::string text(1, array ? '[' : '{');
  for (uint64_t i = 0; i < kRecords; ++i) {
    text += i > 0 ? ",\n" : "";
    text += fmt::format(
        fmt::runtime(array ? "{{\"key\":\"item:{:012}\",\"value\":{}}}" : "\"item:{:012}\":{}"), i,
        Value(i));
  }
  return text + (array ? ']' : '}');
}

template <typename Import>
void Run(benchmark::State& state, std::string text, Import import) {
  MemoryFiles files;
  const auto bytes = static_cast<int64_t>(text.size());
  files.Put("bench", std::move(text));
  NullSink sink;
  for ([[maybe_unused]] auto _ : state) {
    const auto outcome = import(files, sink);
    if (!outcome || outcome->records != kRecords) state.SkipWithError("the import failed");
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRecords));
}

void BM_Jsonl(benchmark::State& state) {
  Run(state, Jsonl(),
      [](auto& files, auto& sink) { return ImportJsonl(files, "bench", sink, {}); });
}
void BM_JsonObject(benchmark::State& state) {
  Run(state, Document(false),
      [](auto& files, auto& sink) { return ImportJson(files, "bench", sink, {}); });
}
void BM_JsonArray(benchmark::State& state) {
  Run(state, Document(true),
      [](auto& files, auto& sink) { return ImportJson(files, "bench", sink, {}); });
}
BENCHMARK(BM_Jsonl)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_JsonObject)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_JsonArray)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::importer

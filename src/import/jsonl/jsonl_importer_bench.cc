// How fast JSONL of every shape becomes records, on one core and through the whole pipeline, into a
// sink that drops them. The text: three quarters strings of 64 bytes, one quarter hashes of 10
// fields of 16.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "import/jsonl/chunk_parser.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/line_chunks.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

constexpr uint64_t kRecords = 100'000;

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

enum Shape : int64_t { kTyped, kShort, kShortTypeLast, kRows };

// The same records in every shape but rows, which are hashes all and have fields of their own.
std::string LineOf(Shape shape, uint64_t i) {
  const auto fields = [i] {
    std::string text;
    for (uint64_t field = 0; field < 10; ++field) {
      text += fmt::format(R"({}"field{}":"{:016}")", field > 0 ? "," : "", field, i + field);
    }
    return text;
  };
  const std::string key = fmt::format("item:{:012}", i);
  const std::string value = fmt::format("{:064}", i * 0x9E3779B97F4A7C15);
  const bool hash = i % 4 == 3;
  switch (shape) {
    case kRows:
      return fmt::format(R"({{"id":"{}",{}}})", key, hash ? fields() : "\"v\":\"" + value + '"');
    case kShort:
      return fmt::format(R"({{"key":"{}","value":{}}})", key,
                         hash ? '{' + fields() + '}' : '"' + value + '"');
    case kShortTypeLast:  // the slow way: sets, and the type stands behind the value
      return fmt::format(R"({{"key":"{}","value":["{}"],"type":"set"}})", key, value);
    case kTyped:
      break;
  }
  return hash ? fmt::format(R"({{"key":"{}","type":"hash","hash_record":{{"fields":{{{}}}}}}})",
                            key, fields())
              : fmt::format(R"({{"key":"{}","type":"string","string_record":{{"value":"{}"}}}})",
                            key, value);
}

std::string Text(Shape shape) {
  std::string lines;
  for (uint64_t i = 0; i < kRecords; ++i) lines += LineOf(shape, i) + '\n';
  return lines;
}

void BM_ParseOnOneCore(benchmark::State& state) {
  const std::string lines = Text(static_cast<Shape>(state.range(0)));
  const std::string padded = lines + std::string(kChunkPadding, '\n');
  const std::string_view text(padded.data(), lines.size());
  RecordParser parser({.key_field = state.range(0) == kRows ? "id" : ""});
  NullSink sink;
  for ([[maybe_unused]] auto _ : state) {
    const ParsedChunk parsed = ParseChunk(parser, text, true, {}, sink.NewBatch());
    if (parsed.records != kRecords) state.SkipWithError("not every record was parsed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRecords));
}
BENCHMARK(BM_ParseOnOneCore)
    ->ArgName("shape")
    ->Arg(kTyped)
    ->Arg(kShort)
    ->Arg(kShortTypeLast)
    ->Arg(kRows)
    ->Unit(benchmark::kMillisecond);

void BM_ImportWithParsers(benchmark::State& state) {
  MemoryFiles files;
  const std::string text = Text(kTyped);
  files.Put("bench.jsonl", text);
  NullSink sink;
  ImportOptions options;
  options.threads = static_cast<unsigned>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    const auto report = ImportJsonl(files, "bench.jsonl", sink, options);
    if (!report || report->records != kRecords) state.SkipWithError("the import failed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_ImportWithParsers)
    ->Arg(1)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::importer

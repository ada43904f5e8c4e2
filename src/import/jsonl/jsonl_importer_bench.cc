// How fast typed JSONL becomes records, on one core and through the whole pipeline, into a sink
// that drops them. The text: three quarters strings of 64 bytes, one quarter hashes of 10 fields
// of 16.
#include <cstdint>
#include <memory>
#include <string>

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

const std::string& Text() {
  static const std::string text = [] {
    std::string lines;
    for (uint64_t i = 0; i < kRecords; ++i) {
      lines += fmt::format(R"({{"key":"item:{:012}","type":)", i);
      if (i % 4 != 3) {
        lines += fmt::format(R"("string","string_record":{{"value":"{:064}"}}}})"
                             "\n",
                             i * 0x9E3779B97F4A7C15);
        continue;
      }
      lines += R"("hash","hash_record":{"fields":{)";
      for (uint64_t field = 0; field < 10; ++field) {
        lines += fmt::format(R"({}"field{}":"{:016}")", field > 0 ? "," : "", field, i + field);
      }
      lines += "}}}\n";
    }
    return lines;
  }();
  return text;
}

void BM_ParseOnOneCore(benchmark::State& state) {
  const std::string padded = Text() + std::string(kChunkPadding, '\n');
  const std::string_view text(padded.data(), Text().size());
  RecordParser parser;
  NullSink sink;
  for ([[maybe_unused]] auto _ : state) {
    const ParsedChunk parsed = ParseChunk(parser, text, true, {}, sink.NewBatch());
    if (parsed.records != kRecords) state.SkipWithError("not every record was parsed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kRecords));
}
BENCHMARK(BM_ParseOnOneCore)->Unit(benchmark::kMillisecond);

void BM_ImportWithParsers(benchmark::State& state) {
  MemoryFiles files;
  files.Put("bench.jsonl", Text());
  NullSink sink;
  ImportOptions options;
  options.threads = static_cast<unsigned>(state.range(0));
  for ([[maybe_unused]] auto _ : state) {
    const auto report = ImportJsonl(files, "bench.jsonl", sink, options);
    if (!report || report->records != kRecords) state.SkipWithError("the import failed");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(Text().size()));
}
BENCHMARK(BM_ImportWithParsers)
    ->Arg(1)
    ->Arg(2)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::importer

// The codec alone: what a request costs to parse and a reply to write.
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "protocol/resp/reply.h"
#include "protocol/resp/request_parser.h"

namespace larder::resp {
namespace {

constexpr size_t kPipeline = 64;

std::string Pipeline(std::string_view request) {
  std::string bytes;
  for (size_t i = 0; i < kPipeline; ++i) bytes += request;
  return bytes;
}

void ParsePipeline(benchmark::State& state, std::string_view request) {
  const std::string bytes = Pipeline(request);
  RequestParser parser;
  std::vector<std::string_view> args;
  for ([[maybe_unused]] auto _ : state) {
    args.clear();
    std::string_view rest = bytes;
    while (!rest.empty()) {
      if (parser.Next(rest, args) != ParseOutcome::kRequest) return state.SkipWithError("parse");
      rest.remove_prefix(parser.consumed());
    }
    benchmark::DoNotOptimize(args.data());
    parser.Reset();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kPipeline));
}

void BM_ParseGet(benchmark::State& state) {
  ParsePipeline(state, "*2\r\n$3\r\nGET\r\n$17\r\nitem:000000000042\r\n");
}
BENCHMARK(BM_ParseGet);

void BM_ParseMget10(benchmark::State& state) {
  std::string request = "*11\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 10; ++i) request += "$17\r\nitem:000000000042\r\n";
  ParsePipeline(state, request);
}
BENCHMARK(BM_ParseMget10);

void BM_ParseInline(benchmark::State& state) { ParsePipeline(state, "GET item:000000000042\r\n"); }
BENCHMARK(BM_ParseInline);

// Each request comes in two pieces.
void BM_ParseSplitGet(benchmark::State& state) {
  const std::string_view request = "*2\r\n$3\r\nGET\r\n$17\r\nitem:000000000042\r\n";
  RequestParser parser;
  std::vector<std::string_view> args;
  for ([[maybe_unused]] auto _ : state) {
    args.clear();
    benchmark::DoNotOptimize(parser.Next(request.substr(0, 20), args));
    benchmark::DoNotOptimize(parser.Next(request, args));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ParseSplitGet);

template <typename Write>
void WriteReplies(benchmark::State& state, Write write) {
  ReplyBuffer buffer;
  ReplyWriter writer(buffer, 2);
  for ([[maybe_unused]] auto _ : state) {
    for (size_t i = 0; i < kPipeline; ++i) write(writer);
    buffer.Consume(buffer.size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kPipeline));
}

void BM_WriteBulk64(benchmark::State& state) {
  const std::string value(64, 'v');
  WriteReplies(state, [&](ReplyWriter& writer) { writer.Bulk(value); });
}
BENCHMARK(BM_WriteBulk64);

// A wire-ready slice of a Snapshot.
void BM_WriteRaw70(benchmark::State& state) {
  const std::string value(70, 'v');
  WriteReplies(state, [&](ReplyWriter& writer) { writer.Raw(value); });
}
BENCHMARK(BM_WriteRaw70);

void BM_WriteInteger(benchmark::State& state) {
  WriteReplies(state, [](ReplyWriter& writer) { writer.Integer(1234567); });
}
BENCHMARK(BM_WriteInteger);

void BM_WriteDouble(benchmark::State& state) {
  WriteReplies(state, [](ReplyWriter& writer) { writer.Double(0.1); });
}
BENCHMARK(BM_WriteDouble);

void BM_WriteNull(benchmark::State& state) {
  WriteReplies(state, [](ReplyWriter& writer) { writer.Null(); });
}
BENCHMARK(BM_WriteNull);

}  // namespace
}  // namespace larder::resp

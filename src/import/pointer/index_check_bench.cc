// CheckIndex over a million records, with the index in the order of the keys as rostore writes it.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "import/importer.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

void BM_CheckIndex(benchmark::State& state) {
  std::string records;
  std::vector<std::string> lines;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const std::string key = fmt::format("item:{}", i * 7919 % 1000003);
    const std::string record = fmt::format(
        R"({{"key":"{}","type":"hash","hash_record":{{"fields":{{"name":"item {}","price":"{}"}}}}}})",
        key, i, i * 3);
    lines.push_back(fmt::format("{{\"key\":\"{}\",\"offset\":{},\"len\":{},\"type\":\"hash\"}}\n",
                                key, records.size(), record.size()));
    records += record + '\n';
  }
  std::ranges::sort(lines);
  std::string index;
  for (const std::string& line : lines) index += line;
  MemoryFiles files;
  const auto bytes = static_cast<int64_t>(records.size() + index.size());
  files.Put("records", std::move(records));
  files.Put("index", std::move(index));
  for (auto _ : state) {
    if (!CheckIndex(files, {"records", "index"})) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * bytes);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_CheckIndex)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace larder::importer

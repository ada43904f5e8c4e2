// larder_make_records: writes the JSONL file of the workloads to stdout (bench/record_shape.h).
//
//   larder_make_records 1000000 > records.jsonl
//   larder_make_records 1000000 --version 7 > records.jsonl    another version of the same keys
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "record_shape.h"

namespace larder::bench {
namespace {

void AppendValue(std::string& to, size_t size, uint64_t record, uint64_t field, uint64_t version) {
  const size_t at = to.size();
  to.resize(at + size);
  PutValue(to.data() + at, size, record, field, version);
}

void AppendRecord(std::string& to, uint64_t record, uint64_t version) {
  to += R"({"key":")";
  to += KeyOf(record).view();
  if (!IsHash(record)) {
    to += R"(","type":"string","string_record":{"value":")";
    AppendValue(to, kStringBytes, record, 0, version);
    to += "\"}}\n";
    return;
  }
  to += R"(","type":"hash","hash_record":{"fields":{)";
  for (uint64_t field = 0; field < kFieldCount; ++field) {
    if (field > 0) to += ',';
    to += "\"field";
    to += static_cast<char>('0' + field);
    to += "\":\"";
    AppendValue(to, kFieldBytes, record, field, version);
    to += '"';
  }
  to += "}}}\n";
}

int Main(int argc, char** argv) {
  uint64_t records = 0;
  uint64_t version = 0;
  CLI::App app("Writes the records of the workloads as typed JSONL to stdout.");
  app.add_option("records", records)->required();
  app.add_option("--version", version, "stands in every value")->check(CLI::Range(0, 99999));
  CLI11_PARSE(app, argc, argv);
  std::string out;
  for (uint64_t record = 0; record < records; ++record) {
    AppendRecord(out, record, version);
    if (out.size() < (1 << 20) && record + 1 < records) continue;
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return 1;
    out.clear();
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) { return larder::bench::Main(argc, argv); }

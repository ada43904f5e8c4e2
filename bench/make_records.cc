// larder_make_records: writes the JSONL file of the workloads to stdout (bench/record_shape.h).
//
//   larder_make_records 1000000 > records.jsonl
//   larder_make_records 1000000 --version 7 > records.jsonl    another version of the same keys
//   larder_make_records 1000000 --resp | redis-cli --pipe      the same records for a Redis server
#include <cstdio>
#include <exception>
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

void AppendArgument(std::string& to, std::string_view bytes) {
  to += '$';
  to += std::to_string(bytes.size());
  to += "\r\n";
  to += bytes;
  to += "\r\n";
}

void AppendCommand(std::string& to, uint64_t record, uint64_t version) {
  std::string value(IsHash(record) ? kFieldBytes : kStringBytes, ' ');
  to += IsHash(record) ? "*22\r\n$4\r\nHSET\r\n" : "*3\r\n$3\r\nSET\r\n";
  AppendArgument(to, KeyOf(record).view());
  for (uint64_t field = 0; field < (IsHash(record) ? kFieldCount : 1); ++field) {
    PutValue(value.data(), value.size(), record, field, version);
    if (IsHash(record)) AppendArgument(to, "field" + std::to_string(field));
    AppendArgument(to, value);
  }
}

int Main(int argc, char** argv) {
  uint64_t records = 0;
  uint64_t version = 0;
  bool resp = false;
  CLI::App app("Writes the records of the workloads to stdout.");
  app.add_option("records", records)->required();
  app.add_option("--version", version, "stands in every value")->check(CLI::Range(0, 99999));
  app.add_flag("--resp", resp, "SET and HSET commands in place of JSONL");
  CLI11_PARSE(app, argc, argv);
  std::string out;
  for (uint64_t record = 0; record < records; ++record) {
    resp ? AppendCommand(out, record, version) : AppendRecord(out, record, version);
    if (out.size() < (1 << 20) && record + 1 < records) continue;
    if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) return 1;
    out.clear();
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) {
  try {
    return larder::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}

// larder_make_records: writes the records of the workloads to stdout (bench/record_shape.h).
//
//   larder_make_records 1000000 > records.jsonl
//   larder_make_records 1000000 --version 7 > records.jsonl    another version of the same keys
//   larder_make_records 1000000 --resp | redis-cli --pipe      the same records for a Redis server
//   larder_make_records 1000000 --memcached                    its strings for a memcached server
//   larder_make_records 4 --shape collections --elements 1000000
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "record_shape.h"

namespace larder::bench {
namespace {

struct Options {
  RecordSet set;
  std::string shape = "mixed";
  uint64_t version = 0;
  bool resp = false;
  bool memcached = false;
};

void AppendQuoted(std::string& to, std::string_view text) {
  to += '"';
  to += text;
  to += '"';
}

// One element of a collection as JSON; `piece` is scratch.
void AppendElement(std::string& to, std::string& piece, const Options& options, uint64_t record,
                   uint64_t element) {
  const RecordType type = options.set.TypeOf(record);
  const uint64_t elements = options.set.ElementsOf(type);
  piece.clear();
  if (type == RecordType::kHash) {
    AppendField(piece, elements, element);
    AppendQuoted(to, piece);
    to += ':';
    piece.clear();
  }
  if (type == RecordType::kSet || type == RecordType::kZset) {
    AppendMember(piece, record, element);
  } else {
    AppendValue(piece, kElementBytes, record, element, options.version);
  }
  if (type != RecordType::kZset) return AppendQuoted(to, piece);
  to += R"({"value":)";
  AppendQuoted(to, piece);
  to += R"(,"score":)";
  AppendScore(to, elements, element);
  to += '}';
}

void AppendJson(std::string& to, const Options& options, uint64_t record) {
  struct Form {
    std::string_view start, end;
  };
  constexpr Form kForms[] = {
      {R"("string","string_record":{"value":)", "}}\n"},
      {R"("hash","hash_record":{"fields":{)", "}}}\n"},
      {R"("list","list_record":{"elements":[)", "]}}\n"},
      {R"("set","set_record":{"elements":[)", "]}}\n"},
      {R"("zset","ordered_set_record":{"elements":[)", "]}}\n"},
  };
  const RecordType type = options.set.TypeOf(record);
  const Form& form = kForms[static_cast<size_t>(type)];
  std::string piece;
  to += R"({"key":)";
  AppendQuoted(to, KeyOf(record).view());
  to += R"(,"type":)";
  to += form.start;
  if (type == RecordType::kString) {
    AppendValue(piece, options.set.StringBytes(), record, 0, options.version);
    AppendQuoted(to, piece);
  } else {
    for (uint64_t element = 0; element < options.set.ElementsOf(type); ++element) {
      if (element > 0) to += ',';
      AppendElement(to, piece, options, record, element);
    }
  }
  to += form.end;
}

void AppendArgument(std::string& to, std::string_view bytes) {
  to += '$';
  to += std::to_string(bytes.size());
  to += "\r\n";
  to += bytes;
  to += "\r\n";
}

void AppendRespElement(std::string& to, std::string& piece, const Options& options, uint64_t record,
                       uint64_t element) {
  const RecordType type = options.set.TypeOf(record);
  const uint64_t elements = options.set.ElementsOf(type);
  piece.clear();
  if (type == RecordType::kHash) AppendField(piece, elements, element);
  if (type == RecordType::kZset) AppendScore(piece, elements, element);
  if (!piece.empty()) AppendArgument(to, piece);
  piece.clear();
  if (type == RecordType::kSet || type == RecordType::kZset) {
    AppendMember(piece, record, element);
  } else {
    AppendValue(piece, kElementBytes, record, element, options.version);
  }
  AppendArgument(to, piece);
}

// A Redis command has at most so many elements here; Redis refuses a million arguments.
constexpr uint64_t kElementsPerCommand = 1000;

void AppendResp(std::string& to, const Options& options, uint64_t record) {
  constexpr std::string_view kCommands[] = {"SET", "HSET", "RPUSH", "SADD", "ZADD"};
  const RecordType type = options.set.TypeOf(record);
  const uint64_t elements = options.set.ElementsOf(type);
  const bool pairs = type == RecordType::kHash || type == RecordType::kZset;
  std::string piece;
  for (uint64_t first = 0; first < elements; first += kElementsPerCommand) {
    const uint64_t count = std::min(kElementsPerCommand, elements - first);
    to += '*';
    to += std::to_string(2 + count * (pairs ? 2 : 1));
    to += "\r\n";
    AppendArgument(to, kCommands[static_cast<size_t>(type)]);
    AppendArgument(to, KeyOf(record).view());
    if (type == RecordType::kString) {
      AppendValue(piece, options.set.StringBytes(), record, 0, options.version);
      AppendArgument(to, piece);
    } else {
      for (uint64_t i = 0; i < count; ++i) {
        AppendRespElement(to, piece, options, record, first + i);
      }
    }
  }
}

void AppendMemcached(std::string& to, const Options& options, uint64_t record) {
  if (options.set.TypeOf(record) != RecordType::kString) return;
  to += "set ";
  to += KeyOf(record).view();
  to += " 0 0 ";
  to += std::to_string(options.set.StringBytes());
  to += " noreply\r\n";
  AppendValue(to, options.set.StringBytes(), record, 0, options.version);
  to += "\r\n";
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Writes the records of the workloads to stdout.");
  app.add_option("records", options.set.records)->required();
  app.add_option("--shape", options.shape, "mixed, strings, collections");
  app.add_option("--value-bytes", options.set.value_bytes, "of strings")
      ->check(CLI::Range(size_t{16}, size_t{1} << 20));
  app.add_option("--elements", options.set.elements, "of each of the collections");
  app.add_option("--version", options.version, "stands in every value")
      ->check(CLI::Range(0, 99999));
  app.add_flag("--resp", options.resp, "commands for Redis in place of JSONL");
  app.add_flag("--memcached", options.memcached, "the strings as commands for memcached");
  CLI11_PARSE(app, argc, argv);
  options.set.shape = ShapeNamed(options.shape);
  const auto append = options.memcached ? AppendMemcached : options.resp ? AppendResp : AppendJson;
  std::string out;
  for (uint64_t record = 0; record < options.set.records; ++record) {
    append(out, options, record);
    if (out.size() < (1 << 20) && record + 1 < options.set.records) continue;
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

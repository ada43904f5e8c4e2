// RecordParser: one line of typed JSONL to one record.
//
// simdjson's On-Demand parser reads the line; every member is visited, also those that are ignored,
// so that a line with anything malformed in it is refused whole.
//
// Ownership:  owns the memory that the record's strings lie in: good until the next Parse. Strings
//             without escapes are copied too, by simdjson, once.
// Threads:    one at a time; one parser a thread.
// Errors:     a LineError; the parser can go on with the next line.
// Cost:       about five times the longest line in memory, given back after a very long one.
// Format:     docs/formats/jsonl.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "larder/record.h"

namespace larder::importer {

struct LineError {
  ErrorCode code = ErrorCode::kCorrupt;
  size_t offset = 0;  // in the line, from 0
  std::string reason = {};
  std::optional<std::string> key = std::nullopt;  // when it was read before the error
  bool skippable = true;  // not: something that other lines share is at fault
};

enum class LineContent : uint8_t { kRecord, kEmptyCollection };

class RecordParser {
 public:
  RecordParser();
  ~RecordParser();
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  // At least kChunkPadding readable bytes follow `line`, and the first of them is a newline or a
  // carriage return.
  std::expected<LineContent, LineError> Parse(std::string_view line);

  // After kRecord.
  const RecordView& record() const { return record_; }

 private:
  struct Json;
  RecordView record_;
  std::unique_ptr<Json> json_;
};

}  // namespace larder::importer

// RecordParser: one line of JSONL, of any shape, to one record.
//
// Where shapes are told from the lines, a line is read as one of the shape that the line before
// had; only when that fails is it looked at for what it is, and read again. So lines of one shape
// are walked once.
//
// Ownership:  the record's strings are slices of the line where it has no escapes, and else of
// memory
//             of the parser: good until the next Parse, and while the line is where it was.
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
#include "larder/source.h"

namespace larder::importer {

struct LineError {
  ErrorCode code = ErrorCode::kCorrupt;
  size_t offset = 0;  // in the line, from 0
  std::string reason = {};
  std::optional<std::string> key = std::nullopt;  // when it was read before the error
  bool skippable = true;  // not: something that other lines share is at fault
};

// How lines are read: of SourceOptions what lines need.
struct LineOptions {
  SourceShape shape = SourceShape::kAuto;
  std::string key_field = {};
  std::string key_prefix = {};
  int64_t mtime_ms = 0;  // of the source; Unix time
};

enum class LineContent : uint8_t { kRecord, kEmptyCollection };

class RecordParser {
 public:
  explicit RecordParser(LineOptions options = {});
  ~RecordParser();
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  // At least kChunkPadding readable bytes follow `line`, and the first of them is a newline or a
  // carriage return.
  std::expected<LineContent, LineError> Parse(std::string_view line);

  // After kRecord.
  const RecordView& record() const;
  // The record's key as it stands in the line, for messages: without prefix, not decoded.
  std::string_view key_text() const;
  // Whether the record's expiry was counted from mtime_ms.
  bool depends_on_mtime() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::importer

// LineHeadParser: what a record's line and the index's line for it both say: key and type.
//
// Only what is asked for is looked at; whether the rest of a line is sound is the importer's
// business.
//
// Ownership:  owns the memory that the strings of the last result lie in.
// Threads:    one at a time.
// Format:     docs/formats/pointer.md
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace larder::importer {

struct RecordHead {
  std::string_view key;
  std::string_view type;  // "zset" for "ordered_set"; what the value's form says when none is given
};

struct IndexHead {
  std::string_view key;
  std::string_view type;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

class LineHeadParser {
 public:
  LineHeadParser();
  ~LineHeadParser();
  LineHeadParser(const LineHeadParser&) = delete;
  LineHeadParser& operator=(const LineHeadParser&) = delete;

  // kChunkPadding readable bytes follow `line`. The error is the reason.
  std::expected<RecordHead, std::string> ParseRecord(std::string_view line);
  std::expected<IndexHead, std::string> ParseIndex(std::string_view line);

 private:
  struct Json;
  std::unique_ptr<Json> json_;
};

}  // namespace larder::importer

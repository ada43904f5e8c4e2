// For tests: one line parsed, in a heap buffer of the exact size that the contract asks for.
#pragma once

#include <cstring>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "import/jsonl/record_parser.h"
#include "import/line_chunks.h"
#include "import/record_copies.h"

namespace larder::importer {

class Parsed {
 public:
  explicit Parsed(std::string_view line, const LineOptions& options = {}, char after = '\n')
      : parser_(options) {
    buffer_ = std::make_unique<char[]>(line.size() + kChunkPadding);
    std::memset(buffer_.get(), after, line.size() + kChunkPadding);
    std::memcpy(buffer_.get(), line.data(), line.size());
    outcome_ = parser_.Parse({buffer_.get(), line.size()});
  }

  bool ok() const { return outcome_.has_value(); }
  bool empty_collection() const { return outcome_ && *outcome_ == LineContent::kEmptyCollection; }
  RecordCopy record() const { return RecordCopy::Of(parser_.record()); }
  bool depends_on_mtime() const { return parser_.depends_on_mtime(); }
  std::string reason() const { return outcome_ ? "no error" : outcome_.error().reason; }
  size_t column() const { return outcome_ ? 0 : outcome_.error().offset + 1; }
  std::optional<std::string> key() const { return outcome_ ? std::nullopt : outcome_.error().key; }
  ErrorCode code() const { return outcome_ ? ErrorCode::kInternal : outcome_.error().code; }

 private:
  std::unique_ptr<char[]> buffer_;
  RecordParser parser_;
  std::expected<LineContent, LineError> outcome_;
};

}  // namespace larder::importer

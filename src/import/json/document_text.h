// DocumentText: the text of one JSON document as RapidJSON's reader wants to see it.
//
// What stands between the mark and the place of reading is kept in one piece, so that a record can
// be cut out as it was written; the rest is forgotten. Lines are counted on the way.
//
// Ownership:  borrows the stream.
// Threads:    one at a time.
// Errors:     the text ends where the stream fails or more than `max_kept_bytes` had to be kept;
//             error() says so.
// Cost:       a block, or twice what is kept when that is more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/jsonl/chunk_source.h"
#include "import/source_stream.h"

namespace larder::importer {

class DocumentText {
 public:
  DocumentText(SourceStream& stream, size_t block_bytes, uint64_t max_kept_bytes);
  DocumentText(const DocumentText&) = delete;
  DocumentText& operator=(const DocumentText&) = delete;

  // Reads the first block and skips a byte order mark.
  void Start();

  // RapidJSON's concept of a stream. At the end a NUL is read, any number of times.
  using Ch = char;
  char Peek() const { return *at_; }
  char Take() {
    const char taken = *at_;
    if (++at_ >= end_) Refill();
    return taken;
  }
  size_t Tell() const { return static_cast<size_t>(Offset(at_)); }
  // The decoded text of strings, which nobody wants.
  char* PutBegin() { return nullptr; }
  void Put(char /*c*/) {}
  void Flush() {}
  size_t PutEnd(char* /*begin*/) { return 1; }

  // Shows `prefix` before the text goes on. It must live until it was read.
  void ShowFirst(std::string_view prefix);

  // Whether nothing is left; a NUL in the text is not the end.
  bool AtEnd() const { return ended_ && at_ == end_ && !in_prefix_; }
  const std::optional<Error>& error() const { return error_; }

  // What is kept starts here, or `bytes` behind where it starts now.
  void Mark() { mark_ = at_; }
  void MoveMark(size_t bytes) { mark_ += bytes; }
  // From the mark to the place of reading, and to the byte behind that.
  std::string_view Kept() const { return {mark_, static_cast<size_t>(at_ - mark_)}; }
  std::string_view KeptAndNext() const { return {mark_, static_cast<size_t>(at_ - mark_) + 1}; }

  const std::string& path() const { return stream_.path(); }
  size_t MarkOffset() const { return static_cast<size_t>(Offset(mark_)); }
  // Where the mark is. The mark only moves on.
  LinePosition MarkPosition();
  // Where the byte of this offset is; it must not lie before the mark.
  LinePosition PositionOf(size_t offset);
  // Turns the newlines in what is kept, which cannot be part of a token, into spaces.
  void JoinKeptLines();

 private:
  uint64_t Offset(const char* at) const {
    return start_offset_ + static_cast<uint64_t>(at - buffer_.data());
  }
  void Refill();
  void MakeRoom();
  bool Resize(size_t bytes, size_t kept);
  void CountLinesTo(const char* at);
  void End();

  SourceStream& stream_;
  const size_t block_bytes_;
  const uint64_t max_kept_bytes_;
  std::vector<char> buffer_;   // the text, and a NUL behind it
  uint64_t start_offset_ = 0;  // of the buffer, in the document
  char* at_ = nullptr;
  char* end_ = nullptr;
  char* mark_ = nullptr;
  bool ended_ = false;
  std::optional<Error> error_;

  bool in_prefix_ = false;
  std::vector<char> prefix_;
  char* at_behind_prefix_ = nullptr;
  char* end_behind_prefix_ = nullptr;

  const char* counted_ = nullptr;  // newlines before this are in line_
  uint64_t line_ = 1;
  uint64_t line_offset_ = 0;  // where it starts
};

}  // namespace larder::importer

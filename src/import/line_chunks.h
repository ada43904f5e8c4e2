// LineChunkReader: cuts the text of a source into chunks of whole lines.
//
// Ownership:  borrows the stream; a chunk owns its bytes and can be handed in again to be refilled.
// Threads:    one at a time.
// Errors:     those of the stream; kLimit when memory for a line cannot be had.
// Cost:       a chunk holds about `chunk_bytes`, or one line when that is longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/source_stream.h"

namespace larder::importer {

// Parsers that read in wide units may look this far behind the end of a chunk's text; the bytes
// there are newlines.
inline constexpr size_t kChunkPadding = 64;

class LineChunk {
 public:
  std::string_view text() const { return {bytes_.get(), size_}; }
  size_t capacity() const { return capacity_; }

  void Clear() { size_ = 0; }
  // Adds `line` and a newline. `path` is for the message when memory cannot be had (kLimit).
  Result<void> AddLine(std::string_view line, const std::string& path);

 private:
  friend class LineChunkReader;
  Result<void> Reserve(size_t capacity, const std::string& path);
  // Sets the size and the padding behind it.
  void Finish(size_t size);

  std::unique_ptr<char[]> bytes_;  // capacity_ + kChunkPadding
  size_t size_ = 0;
  size_t capacity_ = 0;
};

class LineChunkReader {
 public:
  // A line longer than `max_line_bytes` ends a chunk, unfinished but longer than the limit, so that
  // whoever parses the chunk finds it in its place.
  LineChunkReader(SourceStream& stream, size_t chunk_bytes, uint64_t max_line_bytes);

  // Fills `chunk` with the next lines, all but the last of the file with their newline. An empty
  // text is the end.
  Result<void> Next(LineChunk& chunk);

 private:
  bool FinishAtNewline(LineChunk& chunk, size_t searched);

  SourceStream& stream_;
  size_t chunk_bytes_;
  uint64_t max_line_bytes_;
  std::string carried_;  // the start of the line that the previous chunk ended before
};

}  // namespace larder::importer

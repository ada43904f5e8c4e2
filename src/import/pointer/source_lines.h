// SourceLines: the lines of a source one by one, with where they stand.
//
// Ownership:  owns the stream; a line is good until the next one.
// Threads:    one at a time; raw_bytes_read() from any thread.
// Errors:     those of SourceStream; kLimit for a line that is too long.
// Cost:       a chunk of some lines, or the longest line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/line_chunks.h"
#include "import/source_stream.h"

namespace larder::importer {

struct SourceLine {
  std::string_view text;    // without its newline; kChunkPadding bytes behind it can be read
  uint64_t number = 0;      // from 1
  uint64_t offset = 0;      // in the text, from 0
  bool has_newline = true;  // the last one may have none
};

class SourceLines {
 public:
  static Result<std::unique_ptr<SourceLines>> Open(io::FileSystem& files, const std::string& path,
                                                   uint64_t max_line_bytes);

  // False at the end.
  Result<bool> Next(SourceLine& line);

  const SourceStream& stream() const { return *stream_; }

 private:
  SourceLines(std::unique_ptr<SourceStream> stream, uint64_t max_line_bytes);

  std::unique_ptr<SourceStream> stream_;
  const uint64_t max_line_bytes_;
  LineChunkReader reader_;
  LineChunk chunk_;
  std::string_view rest_;  // of the chunk
  uint64_t lines_ = 0;
  uint64_t offset_ = 0;
};

}  // namespace larder::importer

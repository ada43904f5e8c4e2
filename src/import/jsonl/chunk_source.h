// ChunkSource: where the lines of an import come from, and ImportChunks, which makes them records.
//
// The lines of a JSONL file are one such source. An importer of another format can be one too: it
// writes what it reads as lines of docs/formats/jsonl.md (the short shape has a member for all that
// a record can be) and says where in its own text each of them stands.
//
// One thread calls Next, `options.threads` parse, the calling one appends: the order of the source
// is kept, and of several errors the one that stands first is returned, whatever the threads do.
//
// Ownership:  borrows stream, source and sink for the call.
// Threads:    Next is called by one thread, not the one that called ImportChunks.
// Errors:     of Next: at their place among the chunks, and never skipped as a bad line may be.
// Cost:       in flight are at most 2 chunks a parser and 2 more; a chunk that grew for a long line
//             waits until nothing else is.
// Format:     docs/formats/jsonl.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "import/importer.h"
#include "import/line_chunks.h"
#include "import/source_stream.h"

namespace larder::importer {

// About as much text as a chunk should have.
inline constexpr size_t kChunkBytes = size_t{1} << 20;

// From 1; columns in bytes.
struct LinePosition {
  uint64_t line = 1;
  uint64_t column = 1;
};

struct SourceChunk {
  LineChunk lines;
  // Where each line stands in the source, for messages. Empty when the lines are the source's own:
  // they are counted then, and errors told with the column inside the line.
  std::vector<LinePosition> positions;
  // Stands in front of the keys of rows, behind the key_prefix of the options.
  std::string key_namespace;
};

class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  // Fills `chunk`, which may hold what it held before, with the next lines. No lines are the end,
  // which is told only when the stream has told its own.
  virtual Result<void> Next(SourceChunk& chunk) = 0;
};

// Reads `source` to its end. `stream` is what it reads from: its path stands in messages, its bytes
// in `progress` and the outcome, its mtime is what ttl_ms is counted from. The outcome's format is
// the caller's to set. Of `options`, `source.format` and `source.importer` are not looked at.
Result<ImportOutcome> ImportChunks(const SourceStream& stream, ChunkSource& source,
                                   RecordSink& sink, const ImportOptions& options,
                                   size_t chunk_bytes = kChunkBytes);

}  // namespace larder::importer

// ParseChunk: the lines of one chunk to one batch of records.
//
// Threads:    one chunk and one parser a thread.
// Errors:     in the result, with the number of the line inside the chunk. A bad line leaves
// nothing
//             in the batch.
// Format:     docs/formats/jsonl.md
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/jsonl/chunk_source.h"
#include "import/jsonl/record_parser.h"
#include "larder/record.h"

namespace larder::importer {

struct BadLine {
  uint64_t line = 0;                     // in the chunk, from 1
  std::optional<LinePosition> position;  // when the lines are not the source's own
  LineError error;
};

struct ParsedChunk {
  std::unique_ptr<RecordBatch> batch;
  uint64_t lines = 0;  // all, or up to the one that ended the parse
  uint64_t records = 0;
  uint64_t empty_collections = 0;
  uint64_t blank_lines = 0;
  uint64_t bad_line_count = 0;
  uint64_t text_bytes = 0;
  bool depends_on_mtime = false;
  std::vector<BadLine> bad_lines;     // the first kShownBadLines
  std::optional<BadLine> fatal_line;  // skipping it would mend nothing; it ended the parse
};

// What ends the parse of a chunk before its end.
struct LineLimits {
  uint64_t max_line_bytes = UINT64_MAX;
  uint64_t bad_lines = 0;  // one more ends it
};

// `text` is whole lines with padding behind it (LineChunk); `first` when it starts the file, where
// a byte order mark may stand.
ParsedChunk ParseChunk(RecordParser& parser, std::string_view text, bool first,
                       const LineLimits& limits, std::unique_ptr<RecordBatch> batch);

// "FILE:LINE:COLUMN: reason (key "K")".
Error ErrorAt(const std::string& path, const LinePosition& position, const LineError& error);

}  // namespace larder::importer

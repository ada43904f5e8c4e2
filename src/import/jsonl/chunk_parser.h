// ParseChunk: the lines of one chunk to one batch of records.
//
// Threads:    one chunk and one parser a thread.
// Errors:     in the result, with the number of the line inside the chunk; lines after it are not
//             looked at.
// Format:     docs/formats/jsonl.md
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "import/jsonl/record_parser.h"
#include "larder/record.h"

namespace larder::importer {

struct ParsedChunk {
  std::unique_ptr<RecordBatch> batch;
  uint64_t lines = 0;  // with the bad one, when there is one
  uint64_t records = 0;
  uint64_t empty_collections = 0;
  uint64_t blank_lines = 0;
  uint64_t text_bytes = 0;
  std::optional<LineError> bad_line;
};

// `text` is whole lines with padding behind it (LineChunk); `first` when it starts the file, where
// a byte order mark may stand.
ParsedChunk ParseChunk(RecordParser& parser, std::string_view text, bool first,
                       uint64_t max_line_bytes, std::unique_ptr<RecordBatch> batch);

// "FILE:LINE:COLUMN: reason (key "K")", lines and columns from 1.
Error ErrorAt(const std::string& path, uint64_t line, const LineError& error);

}  // namespace larder::importer

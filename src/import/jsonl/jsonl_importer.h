// The import of a JSONL file (docs/formats/jsonl.md).
//
// One thread reads and decompresses, `threads` parse, the calling one appends: the order of the
// file is kept, and of several errors the one that stands first in the file is returned, whatever
// the threads do.
//
// Cost:       in flight are at most 2 chunks a parser and 2 more; a chunk that grew for a long line
//             waits until nothing else is.
#pragma once

#include <cstddef>
#include <string>

#include "import/importer.h"

namespace larder::importer {

inline constexpr size_t kJsonlChunkBytes = size_t{1} << 20;

Result<ImportOutcome> ImportJsonl(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                  const ImportOptions& options);

// With the size of its chunks: for tests, which need small ones.
Result<ImportOutcome> ImportJsonlInChunks(io::FileSystem& files, const std::string& path,
                                          RecordSink& sink, const ImportOptions& options,
                                          size_t chunk_bytes);

}  // namespace larder::importer

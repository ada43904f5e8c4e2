// The import of a JSONL file (docs/formats/jsonl.md).
//
// The lines of the file as a ChunkSource (import/jsonl/chunk_source.h): decompressed by one thread,
// parsed by `threads`, appended by the calling one.
#pragma once

#include <cstddef>
#include <string>

#include "import/importer.h"

namespace larder::importer {

Result<ImportOutcome> ImportJsonl(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                  const ImportOptions& options);

// With the size of its chunks: for tests, which need small ones.
Result<ImportOutcome> ImportJsonlInChunks(io::FileSystem& files, const std::string& path,
                                          RecordSink& sink, const ImportOptions& options,
                                          size_t chunk_bytes);

}  // namespace larder::importer

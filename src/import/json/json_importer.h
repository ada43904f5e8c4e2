// The import of a JSON document (docs/formats/json.md): one thread finds the records in it, the
// parsers of JSONL read them on all cores.
//
// Errors:     kCorrupt "FILE:LINE:COLUMN: reason (key "K")": what is wrong with a record is said as
//             for JSONL, at the record's start; bad records may be skipped, bad grammar may not.
// Cost:       memory as for JSONL, and the longest record twice more.
#pragma once

#include <cstddef>
#include <string>

#include "import/importer.h"

namespace larder::importer {

Result<ImportOutcome> ImportJson(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                 const ImportOptions& options);

// With the size of its chunks: for tests, which need small ones.
Result<ImportOutcome> ImportJsonInChunks(io::FileSystem& files, const std::string& path,
                                         RecordSink& sink, const ImportOptions& options,
                                         size_t chunk_bytes);

}  // namespace larder::importer

#include "import/json/json_importer.h"

#include <cstdint>

#include "import/json/document_lines.h"
#include "import/jsonl/chunk_source.h"
#include "import/source_stream.h"

namespace larder::importer {

Result<ImportOutcome> ImportJsonInChunks(io::FileSystem& files, const std::string& path,
                                         RecordSink& sink, const ImportOptions& options,
                                         size_t chunk_bytes) {
  LARDER_ASSIGN(auto stream, SourceStream::Open(files, path));
  DocumentLines lines(*stream, options, chunk_bytes);
  LARDER_TRY(lines.Start());
  ImportOptions line_options = options;
  line_options.source.shape = lines.shape();
  // The limit is one of records as they stand in the document.
  line_options.max_line_bytes = UINT64_MAX;
  LARDER_ASSIGN(auto outcome, ImportChunks(*stream, lines, sink, line_options, chunk_bytes));
  outcome.format = Format::kJson;
  return outcome;
}

Result<ImportOutcome> ImportJson(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                 const ImportOptions& options) {
  return ImportJsonInChunks(files, path, sink, options, kChunkBytes);
}

}  // namespace larder::importer

#include "import/jsonl/jsonl_importer.h"

#include <memory>
#include <utility>

#include "import/jsonl/chunk_source.h"
#include "import/line_chunks.h"
#include "import/source_stream.h"

namespace larder::importer {
namespace {

// The lines of the file, as they stand there.
class FileLines : public ChunkSource {
 public:
  FileLines(SourceStream& stream, size_t chunk_bytes, uint64_t max_line_bytes)
      : reader_(stream, chunk_bytes, max_line_bytes) {}

  Result<void> Next(SourceChunk& chunk) override { return reader_.Next(chunk.lines); }

 private:
  LineChunkReader reader_;
};

}  // namespace

Result<ImportOutcome> ImportJsonlInChunks(io::FileSystem& files, const std::string& path,
                                          RecordSink& sink, const ImportOptions& options,
                                          size_t chunk_bytes) {
  LARDER_ASSIGN(auto stream, SourceStream::Open(files, path));
  FileLines lines(*stream, chunk_bytes, options.max_line_bytes);
  LARDER_ASSIGN(auto outcome, ImportChunks(*stream, lines, sink, options, chunk_bytes));
  outcome.format = Format::kJsonl;
  return outcome;
}

Result<ImportOutcome> ImportJsonl(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                  const ImportOptions& options) {
  return ImportJsonlInChunks(files, path, sink, options, kChunkBytes);
}

}  // namespace larder::importer

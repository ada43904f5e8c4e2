#include <string>

#include <fmt/format.h>

#include "import/importer.h"
#include "import/jsonl/jsonl_importer.h"

namespace larder::importer {

std::string SourceOptionsText(const SourceOptions& /*options*/) { return "jsonl 1"; }

Result<ImportOutcome> ImportSource(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                   const ImportOptions& options) {
  return ImportJsonl(files, path, sink, options);
}

}  // namespace larder::importer

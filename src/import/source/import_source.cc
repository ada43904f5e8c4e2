#include <string>

#include "import/importer.h"
#include "import/json/json_importer.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/source/custom_import.h"

namespace larder::importer {

Result<ImportOutcome> ImportSource(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                   const ImportOptions& options) {
  if (options.source.importer != nullptr) {
    return ImportCustom(files, path, sink, options, *options.source.importer);
  }
  Format format = options.source.format;
  if (format == Format::kAuto) {
    LARDER_ASSIGN(format, DetectFormat(files, path));
  }
  switch (format) {
    case Format::kJsonl:
      return ImportJsonl(files, path, sink, options);
    case Format::kJson:
      return ImportJson(files, path, sink, options);
    case Format::kPointer:
      return Fail(ErrorCode::kInvalidArgument,
                  path +
                      ": a pointer file, which names the file of records, where records are "
                      "expected");
    default:
      return Fail(ErrorCode::kInvalidArgument,
                  path + ": a Snapshot, which is compiled already, where records are expected");
  }
}

}  // namespace larder::importer

// ImportCustom: a source through an importer of the program's own.
//
// Threads:    the calling one.
// Errors:     those of the importer; kCancelled; kInternal when it threw, which it must not.
#pragma once

#include <string>

#include "import/importer.h"

namespace larder::importer {

Result<ImportOutcome> ImportCustom(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                   const ImportOptions& options, const Importer& importer);

}  // namespace larder::importer

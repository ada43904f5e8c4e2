// NamedRecords: what a user calls by a name, as a Snapshot that can be read: a .snap file, a source
// file of any format (compiled for the occasion), or a version of a store.
//
//   features.snap   features.jsonl.gz   features   features@7   features@previous
//
// Ownership:  keeps the Snapshot; a compiled one has no name any more and goes with it.
// Errors:     kNotFound, those of compiling, kCancelled.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "cli/progress.h"
#include "cli/store_access.h"
#include "cli/store_files.h"
#include "import/importer.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

struct NamedRecords {
  std::string title;  // "features.snap", "features@7"
  std::shared_ptr<const snapshot::Snapshot> snapshot;
};

// How to find and read it: `where.store` is not looked at.
struct NamedRecordsOptions {
  StoreArguments where;
  importer::SourceOptions import;
};

Result<NamedRecords> OpenNamedRecords(const std::string& name, const NamedRecordsOptions& options,
                                      Progress& progress);
Result<NamedRecords> OpenVersionFile(const StoreFiles& files, const dataset::VersionInfo& version);

// Whether it is that of a file, which goes before a store of the same name.
bool NamesAFile(const std::string& name);

// Whether a subcommand may put a file there: nothing is there yet, or a file that is none of its
// `inputs` and can be done without. kInvalidArgument.
Result<void> CheckOutputFile(const std::string& output, const std::vector<std::string>& inputs);

}  // namespace larder::cli

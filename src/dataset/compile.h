// Compiling: a source file to the Snapshot of a new version.
//
// Threads:    the importer's and the builder's own; returns when they have ended.
// Errors:     those of ResolveSource, IdentifyData, importer::ImportSource and snapshot::Builder;
//             kRefused when the source changed while it was read, or an index is not that of its
//             records; kInvalidArgument for a Snapshot, which is compiled; kCancelled. What had the
//             name before keeps it, unless the publish itself fails half-way: then it is one file
//             or the other, whole.
// Durability: when it returns well, the file is whole under its name and survives a power cut.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/source_files.h"
#include "import/importer.h"
#include "io/file_system.h"
#include "snapshot/builder.h"

namespace larder::dataset {

// A source that was looked at and read before.
struct IdentifiedSource {
  SourceFiles files;
  importer::SourceIdentity identity;  // of files.data
};

struct CompileRequest {
  std::string path;                        // of the new version
  std::string source_name = {};            // for its metadata; empty: options.source
  std::optional<IdentifiedSource> source;  // none: options.source is identified first
  // None: those of the Snapshot that is replaced, if there is one.
  std::optional<uint64_t> key_seed;
  std::optional<uint64_t> member_seed;
  const std::atomic<bool>* cancelled = nullptr;
};

struct CompileReport : snapshot::BuildReport {
  importer::ImportOutcome import;
};

Result<CompileReport> CompileSource(io::FileSystem& files, const Options& options,
                                    const CompileRequest& request);

}  // namespace larder::dataset

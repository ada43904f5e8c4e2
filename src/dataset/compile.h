// Compiling: a source file to the Snapshot of a new version.
//
// Threads:    the importer's and the builder's own; returns when they have ended.
// Errors:     those of importer::ImportSource and snapshot::Builder; kRefused when the source
//             changed while it was read; kCancelled. What had the name before keeps it, unless the
//             publish itself fails half-way: then it is one file or the other, whole.
// Durability: when it returns well, the file is whole under its name and survives a power cut.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "dataset/dataset.h"
#include "import/importer.h"
#include "io/file_system.h"
#include "snapshot/builder.h"

namespace larder::dataset {

struct CompileRequest {
  std::string path;                   // of the new version
  importer::SourceIdentity identity;  // of options.source, read before
  std::optional<uint64_t> key_seed;
  std::optional<uint64_t> member_seed;
  const std::atomic<bool>* cancelled = nullptr;
};

Result<snapshot::BuildReport> CompileSource(io::FileSystem& files, const Options& options,
                                            const CompileRequest& request);

// What, besides the source's bytes, decides a version's content (docs/formats/dataset.md).
std::string ImportOptionsText(const Options& options);

}  // namespace larder::dataset

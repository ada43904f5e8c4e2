// CopySnapshot: a Snapshot that somebody has published, as a new version: copied, never linked, and
// verified whole before it gets its name.
//
// Threads:    works on the calling one.
// Errors:     kCorrupt (not a Snapshot, or damaged: which bytes), kUnsupported (of a newer format),
//             kRefused (the source changed while it was read), kCancelled, those of the file
//             system. Nothing is left behind then.
// Durability: when it returns well, the version and its origin file are whole under their names and
//             survive a power cut.
// Cost:       the source is read once, decompressed on the way; the copy is written and read once.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "import/importer.h"
#include "io/file_system.h"

namespace larder::dataset {

struct SnapshotCopy {
  std::string source;
  importer::SourceIdentity identity;  // of the source, read before
  std::string path;                   // of the new version
  std::string origin_path;
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::string_view step, double share)> progress;
};

struct SnapshotCopyReport {
  uint64_t records = 0;
  uint64_t file_bytes = 0;
  std::optional<char> separator;
};

Result<SnapshotCopyReport> CopySnapshot(io::FileSystem& files, const SnapshotCopy& copy);

}  // namespace larder::dataset

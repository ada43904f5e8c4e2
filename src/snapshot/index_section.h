// The index of a Snapshot under construction: resolves duplicates, places entries, writes buckets.
// Format: docs/formats/snapshot.md, "Buckets"
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/error.h"
#include "io/file_system.h"
#include "snapshot/block_writer.h"
#include "snapshot/bucket_table.h"
#include "snapshot/builder.h"
#include "snapshot/encoded_batch.h"
#include "snapshot/run_sorter.h"
#include "snapshot/snapshot.h"
#include "snapshot/spool.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {

// Where and how large the temporaries of a section are.
struct SectionWorkspace {
  io::FileSystem& files;
  std::string prefix;
  uint64_t memory_bytes = 0;
  uint64_t buffer_bytes = 0;
};

// Told the entries done so far, now and then; an error ends the step.
using StepProgress = std::function<Result<void>(uint64_t entries)>;
inline constexpr uint64_t kEntriesPerProgress = 1 << 16;

class IndexSection {
 public:
  IndexSection(const SectionWorkspace& workspace, const StepProgress& progress);

  // Reads the sorted entries, drops those of replaced records and counts these in `header`. Entries
  // that are in memory stay there, in `sorted`, which must then be kept and left alone until Write.
  Result<void> Resolve(RunSorter<IndexEntry>& sorted, const RecordSpace& space, Duplicates rule,
                       Header& header);
  // Whether no chain would be too long.
  Result<bool> Fits() const;
  Result<void> Write(BlockWriter& out, Header& header) const;

 private:
  // Calls `each(entry)`, which returns bool, until it returns false.
  template <typename Each>
  Result<void> ForEachEntry(Each&& each) const;

  SectionWorkspace workspace_;
  const StepProgress& progress_;
  uint64_t live_ = 0;
  std::span<const IndexEntry> in_memory_;
  Spool entries_;  // when they are not in memory
};

}  // namespace larder::snapshot

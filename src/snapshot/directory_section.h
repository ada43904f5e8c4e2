// The collection directory of a Snapshot under construction.
// Format: docs/formats/snapshot.md, "Collection directory"
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "snapshot/block_writer.h"
#include "snapshot/builder.h"
#include "snapshot/encoded_batch.h"
#include "snapshot/index_section.h"
#include "snapshot/run_sorter.h"
#include "snapshot/snapshot.h"
#include "snapshot/spool.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {

class DirectorySection {
 public:
  DirectorySection(const SectionWorkspace& workspace, const RecordSpace& space,
                   std::optional<char> separator);

  // Reads the sorted entries, drops those of replaced records and gathers collections.
  Result<void> Resolve(RunSorter<CollectionEntry>& sorted, Duplicates rule);
  // Whether no chain of the collection index would be too long.
  Result<bool> Fits() const;
  Result<void> Write(BlockWriter& out, Header& header) const;

 private:
  // One collection; its name is read from the first of its records.
  struct Group {
    uint64_t collection = 0;
    uint64_t first_payload = 0;
    uint64_t members = 0;
    uint64_t name_bytes = 0;

    uint64_t EntryBytes() const;
  };

  Result<std::string_view> NameOf(uint64_t payload) const;
  Result<void> FinishGroup();
  // Calls `each(group, offset of its entry)`; it returns Result<bool>, false ends the walk.
  template <typename Each>
  Result<void> ForEachGroup(Each&& each) const;
  Result<void> WriteEntries(BlockWriter& out) const;
  uint64_t TableBytes() const;

  SectionWorkspace workspace_;
  RecordSpace space_;
  std::optional<char> separator_;
  Group open_;
  uint64_t name_bits_ = 0;  // of the open group
  uint64_t group_count_ = 0;
  uint64_t entries_bytes_ = 0;
  Spool groups_;
  Spool lists_;
};

}  // namespace larder::snapshot

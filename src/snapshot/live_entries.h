// KeepLive: from sorted entries, some of which are of the same key, those that stay.
//
// Entries of equal hash come together; their keys are compared in the file. One of equal keys
// stays, as the rule says; others of equal hash are different keys and stay too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "snapshot/builder.h"
#include "snapshot/encoded_batch.h"
#include "snapshot/format.h"
#include "snapshot/printable_key.h"
#include "snapshot/run_sorter.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {

// The record of an entry of the file under construction, which is well-formed as long as its pages
// can be read.
inline Result<StoredRecord> ReadOwnRecord(const RecordSpace& space, uint64_t payload) {
  StoredRecord record;
  const uint64_t offset = (payload & kPayloadMask) * kRecordAlignment;
  if (ReadRecord(space, offset, record)) return record;
  return Fail(ErrorCode::kIoError,
              fmt::format("the record at byte {} of the unfinished file reads back wrong", offset));
}

inline bool SameHash(const IndexEntry& a, const IndexEntry& b) { return a.hash == b.hash; }
inline bool SameHash(const CollectionEntry& a, const CollectionEntry& b) {
  return a.hash == b.hash && a.collection == b.collection && a.name_bits() == b.name_bits();
}

// Adds an entry to others of equal hash; tells `dead` which payload, if any, another replaces.
template <typename Entry, typename Dead>
Result<void> Admit(const Entry& entry, const RecordSpace& space, Duplicates rule,
                   std::vector<Entry>& group, Dead& dead) {
  LARDER_ASSIGN(const StoredRecord record, ReadOwnRecord(space, entry.payload));
  for (Entry& other : group) {
    LARDER_ASSIGN(const StoredRecord kept, ReadOwnRecord(space, other.payload));
    if (kept.key != record.key) continue;
    if (rule == Duplicates::kError) {
      return Fail(ErrorCode::kRefused,
                  fmt::format("key {} appears more than once, which the rule \"error\" for "
                              "duplicates refuses",
                              PrintableKey(record.key)));
    }
    dead(rule == Duplicates::kFirst ? record : kept);
    if (rule == Duplicates::kLast) other = entry;
    return {};
  }
  group.push_back(entry);
  return {};
}

// The same where all entries are in memory: entries alone with their hash, which nearly all are,
// cost a comparison.
template <typename Entry, typename Keep, typename Dead>
Result<void> KeepLiveInMemory(std::span<const Entry> sorted, const RecordSpace& space,
                              Duplicates rule, Keep&& keep, Dead&& dead) {
  std::vector<Entry> group;
  for (size_t begin = 0; begin < sorted.size();) {
    size_t end = begin + 1;
    while (end < sorted.size() && SameHash(sorted[begin], sorted[end])) ++end;
    if (end == begin + 1) {
      LARDER_TRY(keep(sorted[begin]));
    } else {
      group.clear();
      for (const Entry& entry : sorted.subspan(begin, end - begin)) {
        LARDER_TRY(Admit(entry, space, rule, group, dead));
      }
      std::sort(group.begin(), group.end());
      for (const Entry& kept : group) LARDER_TRY(keep(kept));
    }
    begin = end;
  }
  return {};
}

// `keep(entry)` is called for every entry that stays, in order, and returns Result<void>;
// `dead(record)` for every record that does not. By then the entries up to this one have been read,
// so that `keep` may write over them where they are.
template <typename Entry, typename Keep, typename Dead>
Result<void> KeepLive(RunSorter<Entry>& sorted, const RecordSpace& space, Duplicates rule,
                      Keep&& keep, Dead&& dead) {
  if (sorted.all_in_memory()) {
    return KeepLiveInMemory(std::span<const Entry>(sorted.all()), space, rule, keep, dead);
  }
  std::vector<Entry> group;
  Entry entry;
  LARDER_ASSIGN(bool more, sorted.Next(entry));
  while (more) {
    const Entry first = entry;
    LARDER_ASSIGN(more, sorted.Next(entry));
    if (!more || !SameHash(first, entry)) {
      LARDER_TRY(keep(first));
      continue;
    }
    group.assign(1, first);
    while (more && SameHash(first, entry)) {
      LARDER_TRY(Admit(entry, space, rule, group, dead));
      LARDER_ASSIGN(more, sorted.Next(entry));
    }
    std::sort(group.begin(), group.end());
    for (const Entry& kept : group) LARDER_TRY(keep(kept));
  }
  return {};
}

}  // namespace larder::snapshot

// SegmentCache: the segments that a reader knows of, those of them that are mapped, and how much
// of these is in memory.
//
// Memory: when more than the bound has been touched, all mappings are let go of: the kernel keeps
// the pages in its cache, and brings back what is touched again. Held records count once, when they
// are read. From then on single records far from each other are better read by system calls, which
// bring no neighbours: IsFarAway.
//
// Threads:    one at a time.
// Errors:     MappedSegment's.
// Cost:       Find: nothing when it is the segment of the last call, else a binary search.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "log/mapped_segment.h"
#include "log/touched_windows.h"

namespace larder::log {

struct ListedSegment {
  uint64_t first_number = 0;
  uint64_t behind = UINT64_MAX;  // the successor's first number; of the last segment the greatest
  std::shared_ptr<const MappedSegment> mapped;  // none: not yet, or not any more
  bool whole = false;                           // it was sealed when it was mapped
  std::unique_ptr<io::ReadableFile> file;       // to read what is not to be mapped
  bool regular = true;                          // its records are about where they are guessed
  uint64_t used = 0;
  // What does not change any more; 0: not known yet.
  uint64_t sealed_bytes = 0;
  uint64_t sealed_records = 0;
  int64_t made_at_ms = 0;
  bool may_be_marked = false;  // known when made_at_ms is
  TouchedWindows touched;
  TouchedWindows touched_index;

  bool sealed() const { return behind != UINT64_MAX; }
};

class SegmentCache {
 public:
  SegmentCache(io::FileSystem& files, std::string directory, std::string prefix,
               uint64_t max_resident_bytes);

  // These are there now, ascending.
  void List(const std::vector<uint64_t>& first_numbers);
  std::vector<ListedSegment>& segments() { return segments_; }
  const std::vector<ListedSegment>& segments() const { return segments_; }

  // The one that would have the number; none when all begin behind it. Until the next List.
  ListedSegment* Find(uint64_t number) {
    if (last_found_ >= segments_.size() || number < segments_[last_found_].first_number ||
        number >= segments_[last_found_].behind) {
      if (!Search(number)) return nullptr;
    }
    return &segments_[last_found_];
  }

  // Maps it, or maps it anew.
  Result<void> Map(ListedSegment& segment, const LogId& id, uint64_t committed);

  // Whether a byte of a mapped segment would have to be brought into a memory that was full once.
  bool IsFarAway(const ListedSegment& segment, uint64_t offset) const {
    return crowded_ && offset < segment.mapped->segment_bytes().size() &&
           !segment.touched.Has(segment.mapped->segment_bytes().data() + offset);
  }
  // To read without mapping; null when it cannot be opened. It stays open while it is mapped.
  const io::ReadableFile* FileOf(ListedSegment& segment);

  // The index entry of a record has been read, and not the record.
  void TouchedIndex(ListedSegment& segment, uint64_t number) {
    if (max_windows_ == 0) return;
    const uint64_t added = CountTouchedIndex(segment, number);
    windows_ += added;
    if (windows_ > max_windows_) LetGo();
  }
  // A record of a mapped segment has been read.
  void Touched(ListedSegment& segment, uint64_t number, std::string_view data) {
    if (max_windows_ == 0) return;
    const uint64_t added = CountTouched(segment, data) + CountTouchedIndex(segment, number);
    if (added == 0) return;
    windows_ += added;
    if (windows_ <= max_windows_) return;
    LetGo();
    // Whoever has asked for this one will look at it.
    windows_ = CountTouched(segment, data) + CountTouchedIndex(segment, number);
  }

 private:
  bool Search(uint64_t number);
  Result<void> Open(ListedSegment& segment, const LogId& id, uint64_t committed);
  static uint64_t CountTouched(ListedSegment& segment, std::string_view data) {
    return segment.touched.Touch({data.data() - kRecordHeadBytes, data.size() + kRecordHeadBytes});
  }
  static uint64_t CountTouchedIndex(ListedSegment& segment, uint64_t number) {
    if (!segment.mapped->has_index_file()) return 0;
    const uint64_t entry = kIndexHeadBytes + (number - segment.first_number) * kIndexEntryBytes;
    return segment.touched_index.Touch(
        segment.mapped->index_bytes().substr(entry, kIndexEntryBytes));
  }
  // Of all pages.
  void LetGo();
  // The mapping stays while its records are held.
  void Unmap(ListedSegment& segment);
  void UnmapOldest();
  void UnmapAll();

  io::FileSystem& files_;
  const std::string directory_;
  const std::string prefix_;
  const uint64_t max_windows_;  // 0: no limit

  std::vector<ListedSegment> segments_;  // ascending
  size_t last_found_ = 0;
  uint64_t uses_ = 0;
  uint64_t mapped_ = 0;                                   // how many are
  bool crowded_ = false;                                  // the bound was reached once
  uint64_t windows_ = 0;                                  // touched of these
  std::vector<std::weak_ptr<const MappedSegment>> held_;  // by others, and not mapped here any more
};

}  // namespace larder::log

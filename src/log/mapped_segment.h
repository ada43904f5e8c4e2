// MappedSegment: a segment and its index in memory, for reading.
//
// What is appended after it was mapped is seen as far as the mapping reaches; behind that it must
// be mapped anew. A segment whose index is missing or wrong is looked through instead.
//
// Threads:    all members from any thread.
// Errors:     kNotFound (the segment's file is gone), kCorrupt (its head), the file system's.
// Cost:       opening maps two files and touches their first pages, and of a sealed segment the
//             last ones. A segment without an index is read, 4 bytes a record are kept of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file_system.h"
#include "log/segment_scan.h"
#include "log/small_files.h"

namespace larder::log {

class MappedSegment {
 public:
  struct Wanted {
    LogId id{};
    uint64_t first_number = 0;
    uint64_t committed = 0;  // the last number that may be read; what lies behind is not looked at
    bool sealed = false;     // it has a successor, so its index must reach its end
  };
  static Result<std::shared_ptr<const MappedSegment>> Open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const std::string& prefix,
                                                           const Wanted& wanted);

  // None when the index as it was mapped does not reach so far.
  std::optional<uint64_t> OffsetOf(uint64_t number) const {
    if (number < head_.first_number) return std::nullopt;
    const auto offset = IndexedOffset(index_bytes_, number - head_.first_number);
    return offset == 0 ? std::nullopt : offset;
  }
  // Where the record would be if all had the same length. Any offset.
  uint64_t GuessOffset(uint64_t number) const {
    return first_offset_ + ((number - head_.first_number) * space_times_2_20_ >> 20);
  }
  // Begins to bring a small record there into the processor's cache. As a function that is called
  // gcc 12 leaves it out, as one without effect.
  [[gnu::always_inline]] void Prefetch(uint64_t offset) const {
    constexpr uint64_t kPrefetched = 320;
    constexpr uint64_t kCacheLine = 64;
    if (offset >= segment_bytes_.size() || segment_bytes_.size() - offset < kPrefetched) return;
    for (uint64_t at = 0; at < kPrefetched; at += kCacheLine)
      __builtin_prefetch(segment_bytes_.data() + offset + at);
  }
  // None when the segment as it was mapped does not reach so far, or the record is not right.
  std::optional<StoredRecord> RecordAt(uint64_t offset, uint64_t number) const {
    return ReadRecord(segment_bytes_, offset, number);
  }

  // Of the index, which may be allocated ahead when the segment is not sealed.
  uint64_t records() const { return (index_bytes_.size() - kIndexHeadBytes) / kIndexEntryBytes; }
  const SegmentHead& head() const { return head_; }
  std::string_view segment_bytes() const { return segment_bytes_; }
  // With its head; not of a file when the segment was looked through.
  std::string_view index_bytes() const { return index_bytes_; }
  bool has_index_file() const { return index_ != nullptr; }

  // Its pages need not stay in this process's memory.
  void Forget() const;

 private:
  MappedSegment() = default;
  Result<void> MapIndex(io::FileSystem& files, const std::string& directory,
                        const std::string& name, const Wanted& wanted);
  bool ReachesEnd(std::string_view index) const;
  void MeasureSpace(uint64_t last_number);
  void LookThrough(uint64_t committed);

  SegmentHead head_;
  std::unique_ptr<io::Mapping> segment_;
  std::unique_ptr<io::Mapping> index_;  // none: entries_ instead
  std::string entries_;                 // head and entries, as in an index
  std::string_view segment_bytes_;
  std::string_view index_bytes_;
  uint64_t first_offset_ = 0;
  uint64_t space_times_2_20_ = 0;  // of a record, on average
};

// Looks through a mapped segment, of which little is in this process's memory at a time.
SegmentScan ScanMapped(const io::Mapping& segment, const SegmentHead& head,
                       const VisitBatch& visit = {});

}  // namespace larder::log

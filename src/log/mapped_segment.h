// MappedSegment: a segment and its index in memory, for reading.
//
// What is appended after it was mapped is seen as far as the mapping reaches; behind that it must
// be mapped anew. A sealed segment whose index is missing or wrong is looked through instead.
//
// Threads:    all members from any thread.
// Cost:       opening maps two files and touches their first pages.
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
  // `committed` is the last number that may be read; what lies behind is not looked at.
  static Result<std::shared_ptr<const MappedSegment>> Open(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const std::string& prefix,
                                                           uint64_t first_number,
                                                           uint64_t committed);

  // None when the index as it was mapped does not reach so far.
  std::optional<uint64_t> OffsetOf(uint64_t number) const;
  // None when the segment as it was mapped does not reach so far, or the record is not right.
  std::optional<StoredRecord> RecordAt(uint64_t offset, uint64_t number) const;

  uint64_t first_number() const { return head_.first_number; }
  bool damaged() const { return segment_->damaged(); }

 private:
  MappedSegment() = default;
  void LookThrough(uint64_t committed);

  SegmentHead head_;
  std::unique_ptr<io::Mapping> segment_;
  std::unique_ptr<io::Mapping> index_;  // none: entries_ instead
  std::string entries_;                 // head and entries, as in an index
};

}  // namespace larder::log

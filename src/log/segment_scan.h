// Looking through a segment: where its whole batches are, and what is wrong with the rest.
// Format: docs/formats/log.md, "Recovery"
//
// Threads:    pure functions, on bytes that nobody changes meanwhile. Who looks at a segment that
//             another appends to may use what is whole at the front, and must not conclude damage.
// Cost:       one pass over the batches; a hole is searched for whole batches behind it, 8 bytes at
//             a time; zeros at the speed of memory. Linear in the segment, whatever its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "log/batch.h"

namespace larder::log {

struct SegmentHead {
  LogId id{};
  uint64_t first_number = 0;  // NUMBER
  int64_t made_at_ms = 0;
  uint64_t last_before = 0;    // the last record that is safe in the segments before; 0: none
  bool may_be_marked = false;  // else no record of it is

  uint64_t key() const { return SegmentKey(id, first_number); }
  bool operator==(const SegmentHead&) const = default;
};

std::string MakeSegmentHead(const SegmentHead& head);
// kCorrupt, kUnsupported (a newer format); `name` is for the message.
Result<SegmentHead> ReadSegmentHead(std::string_view segment, std::string_view name);

struct SegmentScan {
  uint64_t end = kSegmentHeadBytes;  // of the whole batches at the front
  uint64_t batches = 0;
  uint64_t next_number = 0;  // the number behind the last record before `end`
  uint64_t bytes_after = 0;  // behind `end`, up to the last byte that is not zero
  uint64_t whole_after = 0;  // batches behind a hole
  uint64_t highest_synced =
      0;  // what the caller knew, and of all right heads, also behind the hole
  uint64_t end_of_synced = kSegmentHeadBytes;  // the front batches before this are marked as synced

  bool clean() const { return bytes_after == 0; }
  // What was known to be on the disk is missing: no torn tail, but damage. The first that is
  // missing is next_number, and should be at `end`.
  bool damaged() const { return highest_synced >= next_number; }
};

// For whoever goes on behind a hole. The first multiple of 8 from `at`, itself one, where 8 bytes
// are not all zeros (behind the last such when there is none); behind the last byte that is not
// zero, but not before `from`.
uint64_t SkipZeros(std::string_view segment, uint64_t at);
uint64_t EndOfData(std::string_view segment, uint64_t from);
// Whether this can be a batch written when those before it were there, the last whole of which
// ended at `end`, with `next_number` to come: every missing record took its bytes.
bool CanStandBehind(uint64_t end, uint64_t next_number, uint64_t offset, const BatchHead& head);

using VisitBatch = std::function<void(uint64_t offset, const BatchHead&)>;

// `head` is what the segment's should be (its id and NUMBER are known from elsewhere, too); the
// first page itself is not looked at. `known_synced` is known to be on the disk from elsewhere:
// from the numbers file, of a sealed segment from `last_before` in its successor's head. `visit`
// may be empty; it is called for every whole batch at the front, in order.
SegmentScan ScanSegment(std::string_view segment, const SegmentHead& head,
                        uint64_t known_synced = 0, const VisitBatch& visit = {});

}  // namespace larder::log

// Looking through a segment: where its whole batches are, and what is wrong with the rest.
// Format: docs/formats/log.md, "Recovery"
//
// Threads:    pure functions.
// Cost:       one pass over the batches; a hole is searched for whole batches behind it, 8 bytes at
//             a time, zeros a page at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "log/batch.h"

namespace larder::log {

struct SegmentHead {
  LogId id{};
  uint64_t first_number = 0;
  int64_t made_at_ms = 0;
};

std::string MakeSegmentHead(const SegmentHead& head);
// kCorrupt, kUnsupported (a newer format); `name` is for the message.
Result<SegmentHead> ReadSegmentHead(std::string_view segment, std::string_view name);

struct SegmentScan {
  uint64_t end = kSegmentHeadBytes;  // of the whole batches at the front
  uint64_t batches = 0;
  uint64_t next_number = 0;       // the number behind the last record before `end`
  uint64_t bytes_after = 0;       // behind `end`, up to the last byte that is not zero
  uint64_t whole_after = 0;       // batches behind a hole
  uint64_t highest_synced = 0;    // of all whole batches, before and behind the hole
  uint64_t end_of_synced = kSegmentHeadBytes;  // of the front batches, all up to here are marked as synced

  bool clean() const { return bytes_after == 0; }
  // What was known to be on the disk is missing: no torn tail, but damage.
  bool damaged() const { return highest_synced >= next_number; }
};

// `visit` may be empty; it is called for every whole batch at the front, in order.
SegmentScan ScanSegment(std::string_view segment, const SegmentHead& head,
                        const std::function<void(uint64_t offset, const BatchHead&)>& visit = {});

}  // namespace larder::log

// Walking through the whole of a segment: every batch that is whole, also behind holes, and the
// holes. What recovery need not know, and whoever checks a log or saves what is left of one does.
//
// Threads:    pure functions, on bytes that nobody changes meanwhile, or whose changes behind the
//             records that were committed before do not matter.
// Cost:       one pass over the batches, and at most one more over what is not whole; zeros at the
//             speed of memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "log/segment_scan.h"

namespace larder::log {

// Bytes of a segment in which no batch is whole.
struct Hole {
  uint64_t from = 0;
  uint64_t to = 0;            // where the next whole batch begins, or the data end
  uint64_t first_number = 0;  // the first that is missing
  uint64_t next_number = 0;   // the first of the batch behind; 0: there is none
  // The last number that a right head in it claims for its records, which are not whole; 0: none.
  uint64_t claimed_to = 0;
  int64_t claimed_time_ms = 0;  // of the first such head
};

struct SegmentWalk {
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t end = kSegmentHeadBytes;  // behind the last whole batch
  uint64_t next_number = 0;          // behind the last record of the last whole batch
  uint64_t highest_synced = 0;       // of all right heads
  std::vector<Hole> holes;           // ascending; the last may be a torn tail
};

// `head` as for ScanSegment. `visit` (it may be empty) is called for every whole batch, in order,
// with the batch's offset; numbers ascend.
SegmentWalk WalkSegment(std::string_view segment, const SegmentHead& head,
                        const VisitBatch& visit = {});

}  // namespace larder::log

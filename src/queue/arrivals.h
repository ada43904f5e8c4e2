// Which records came to a queue from others. As long as a record's segment is there the record says
// so itself; when the segment is removed, the positions remember it, as long as it is needed.
// Format: docs/formats/queue.md, "Moves"
//
// Threads:    pure looks at files, which others may change meanwhile.
// Errors:     kNotFound (the segment is removed), kCorrupt, kUnsupported, the file system's.
// Cost:       ArrivalsIn: one pass over the segment. HasArrived: one over the other queue's
//             positions, since their last checkpoint.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "larder/queue.h"
#include "queue/changes.h"

namespace larder::queue {

// What is to be remembered of a segment that is about to be removed.
struct SegmentArrivals {
  std::vector<Arrived> by_queue;
  uint64_t unknown_bytes = 0;  // damaged: of what was there nothing is known
};
Result<SegmentArrivals> ArrivalsIn(io::FileSystem& files, const Place& queue,
                                   uint64_t first_number);

// Whether a record of another queue came to `queue`, behind the number `behind`, and is gone with
// its segment. Only read: to open its positions would take their turn, while it may hold that and
// want that of who asks.
Result<bool> HasArrived(io::FileSystem& files, const Place& queue, const QueueOrigin& origin,
                        uint64_t behind);

}  // namespace larder::queue

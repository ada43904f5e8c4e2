// Which numbers have records: within a segment all, between segments there may be gaps.
//
// Threads: pure functions. Cost: linear in the segments.
#pragma once

#include <cstdint>
#include <vector>

#include "larder/queue.h"
#include "log/reader.h"
#include "queue/number_set.h"

namespace larder::queue {

// What exists of [first, last], and of all of `wanted`.
std::vector<Range> Existing(const std::vector<log::SegmentInfo>& segments, uint64_t first,
                            uint64_t last);
std::vector<Range> Existing(const std::vector<log::SegmentInfo>& segments,
                            const std::vector<Range>& wanted);

// How many records from `first` on are not deleted.
uint64_t CountLive(const std::vector<log::SegmentInfo>& segments, const NumberSet& deleted,
                   uint64_t first);

// All of its records are deleted.
bool IsDead(const log::SegmentInfo& segment, const NumberSet& deleted);

std::vector<Range> RangesOfRecords(const std::vector<QueueRecord>& records);

}  // namespace larder::queue

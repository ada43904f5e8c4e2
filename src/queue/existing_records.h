// Which numbers have records: within a segment all, between segments there may be gaps.
//
// Threads: pure functions. Cost: logarithmic in the segments, linear in those that are concerned.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "larder/queue.h"
#include "log/reader.h"
#include "queue/number_set.h"

namespace larder::queue {

// Those of `segments` that may have a number of [first, last].
std::span<const log::SegmentInfo> Concerned(std::span<const log::SegmentInfo> segments,
                                            uint64_t first, uint64_t last);

// What exists of all of `wanted`.
std::vector<Range> Existing(const log::SegmentList& segments, const std::vector<Range>& wanted);

// How many records from `first` on are not deleted.
uint64_t CountLive(const log::SegmentList& segments, const NumberSet& deleted, uint64_t first);

// All of its records are deleted.
bool IsDead(const log::SegmentInfo& segment, const NumberSet& deleted);

std::vector<Range> RangesOfRecords(const std::vector<QueueRecord>& records);

}  // namespace larder::queue

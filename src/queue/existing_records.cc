#include "queue/existing_records.h"

#include <algorithm>
#include <utility>

namespace larder::queue {

namespace {

void AddExisting(const std::vector<log::SegmentInfo>& segments, uint64_t first, uint64_t last,
                 std::vector<Range>& ranges) {
  for (const log::SegmentInfo& segment : segments) {
    if (segment.records == 0) continue;
    const uint64_t from = std::max(first, segment.first_number);
    const uint64_t to = std::min(last, segment.last_number());
    if (from > to) continue;
    if (!ranges.empty() && ranges.back().last + 1 == from) {
      ranges.back().last = to;
    } else {
      ranges.push_back({.first = from, .last = to});
    }
  }
}

}  // namespace

std::vector<Range> Existing(const std::vector<log::SegmentInfo>& segments, uint64_t first,
                            uint64_t last) {
  std::vector<Range> ranges;
  AddExisting(segments, first, last, ranges);
  return ranges;
}

std::vector<Range> Existing(const std::vector<log::SegmentInfo>& segments,
                            const std::vector<Range>& wanted) {
  std::vector<Range> ranges;
  for (const Range& range : wanted) AddExisting(segments, range.first, range.last, ranges);
  return ranges;
}

uint64_t CountLive(const std::vector<log::SegmentInfo>& segments, const NumberSet& deleted,
                   uint64_t first) {
  uint64_t live = 0;
  for (const Range& range : Existing(segments, first, UINT64_MAX))
    live += range.last - range.first + 1 - deleted.Count(range.first, range.last);
  return live;
}

bool IsDead(const log::SegmentInfo& segment, const NumberSet& deleted) {
  return segment.records != 0 && deleted.FirstNotIn(segment.first_number) > segment.last_number();
}

std::vector<Range> RangesOfRecords(const std::vector<QueueRecord>& records) {
  std::vector<uint64_t> numbers;
  numbers.reserve(records.size());
  for (const QueueRecord& record : records) numbers.push_back(record.number);
  return RangesOf(std::move(numbers));
}

}  // namespace larder::queue

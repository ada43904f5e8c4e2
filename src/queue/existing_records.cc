#include "queue/existing_records.h"

#include <algorithm>
#include <utility>

namespace larder::queue {

namespace {

void AddExisting(std::span<const log::SegmentInfo> segments, const Range& wanted,
                 std::vector<Range>& ranges) {
  for (const log::SegmentInfo& segment : Concerned(segments, wanted.first, wanted.last)) {
    if (segment.records == 0) continue;
    const uint64_t from = std::max(wanted.first, segment.first_number);
    const uint64_t to = std::min(wanted.last, segment.last_number());
    if (from > to) continue;
    if (!ranges.empty() && ranges.back().last + 1 == from) {
      ranges.back().last = to;
    } else {
      ranges.push_back({.first = from, .last = to});
    }
  }
}

}  // namespace

std::span<const log::SegmentInfo> Concerned(std::span<const log::SegmentInfo> segments,
                                            uint64_t first, uint64_t last) {
  const auto by_first = &log::SegmentInfo::first_number;
  auto begin = std::ranges::upper_bound(segments, first, {}, by_first);
  if (begin != segments.begin()) --begin;
  return {begin, std::ranges::upper_bound(begin, segments.end(), last, {}, by_first)};
}

std::vector<Range> Existing(const log::SegmentList& segments, const std::vector<Range>& wanted) {
  std::vector<Range> ranges;
  for (const Range& range : wanted) {
    AddExisting(*segments.sealed, range, ranges);
    if (segments.last) AddExisting({&*segments.last, 1}, range, ranges);
  }
  return ranges;
}

uint64_t CountLive(const log::SegmentList& segments, const NumberSet& deleted, uint64_t first) {
  uint64_t live = 0;
  for (const Range& range : Existing(segments, {{.first = first, .last = UINT64_MAX}}))
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

#include "queue/number_set.h"

#include <algorithm>
#include <iterator>

namespace larder::queue {

std::vector<Range> RangesOf(std::vector<uint64_t> numbers) {
  std::ranges::sort(numbers);
  std::vector<Range> ranges;
  for (const uint64_t number : numbers) {
    if (ranges.empty() || number > ranges.back().last + 1) {
      ranges.push_back({number, number});
    } else {
      ranges.back().last = number;
    }
  }
  return ranges;
}

uint64_t NumberSet::Add(uint64_t first, uint64_t last) {
  auto begin = intervals_.upper_bound(first);
  if (begin != intervals_.begin() && std::prev(begin)->second >= first - 1) --begin;
  Range merged{first, last};
  uint64_t known = 0;
  auto end = begin;
  for (; end != intervals_.end() && end->first <= last + 1; ++end) {
    const uint64_t from = std::max(first, end->first);
    const uint64_t to = std::min(last, end->second);
    if (from <= to) known += to - from + 1;
    merged = {std::min(merged.first, end->first), std::max(merged.last, end->second)};
  }
  if (begin != end && begin->first == merged.first) {
    begin->second = merged.last;
    intervals_.erase(std::next(begin), end);
  } else {
    intervals_.erase(begin, end);
    intervals_.emplace_hint(end, merged.first, merged.last);
  }
  const uint64_t added = last - first + 1 - known;
  total_ += added;
  return added;
}

uint64_t NumberSet::Count(uint64_t first, uint64_t last) const {
  auto at = intervals_.upper_bound(first);
  if (at != intervals_.begin()) --at;
  uint64_t count = 0;
  for (; at != intervals_.end() && at->first <= last; ++at) {
    const uint64_t from = std::max(first, at->first);
    const uint64_t to = std::min(last, at->second);
    if (from <= to) count += to - from + 1;
  }
  return count;
}

uint64_t NumberSet::FirstNotIn(uint64_t from) const {
  const auto behind = intervals_.upper_bound(from);
  if (behind == intervals_.begin()) return from;
  const uint64_t last = std::prev(behind)->second;
  return last >= from ? last + 1 : from;
}

}  // namespace larder::queue

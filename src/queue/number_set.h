// NumberSet: record numbers, kept as the intervals that they make.
//
// Threads: one at a time. Cost: memory and log n by the number of intervals; adding numbers in
// ascending order keeps one and costs no allocation.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace larder::queue {

// 1 <= first <= last <= log::kMaxNumber.
struct Range {
  uint64_t first = 0;
  uint64_t last = 0;

  bool operator==(const Range&) const = default;
};

// What ranges are everywhere: ascending, and what would be one is one. Any order, also twice.
std::vector<Range> RangesOf(std::vector<uint64_t> numbers);

class NumberSet {
 public:
  // How many were not there before.
  uint64_t Add(uint64_t first, uint64_t last);
  bool Contains(uint64_t number) const { return number != 0 && FirstNotIn(number) != number; }
  // How many of [first, last] are there.
  uint64_t Count(uint64_t first, uint64_t last) const;
  // The first that is not there and not below `from`; at most one above the greatest possible.
  uint64_t FirstNotIn(uint64_t from) const;
  uint64_t total() const { return total_; }
  // First to last; no two touch.
  const std::map<uint64_t, uint64_t>& intervals() const { return intervals_; }

 private:
  std::map<uint64_t, uint64_t> intervals_;
  uint64_t total_ = 0;
};

}  // namespace larder::queue

// TouchedWindows: which parts of a mapping have been read, by what the kernel brings at once.
//
// A page that is touched first comes with its neighbours: Linux maps what is cached of the 64 KiB
// around it, by addresses. So a bit for each of these tells, from above, how much of the mapping
// is in this process's memory.
//
// Threads:    one at a time.
// Cost:       a test of a bit; a bit of memory for 64 KiB.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::log {

inline constexpr uint64_t kWindowBytes = uint64_t{64} << 10;

class TouchedWindows {
 public:
  TouchedWindows() = default;
  explicit TouchedWindows(std::string_view mapped) : first_(WindowAt(mapped.data())) {
    if (mapped.empty()) return;
    const uint64_t windows = WindowAt(&mapped.back()) - first_ + 1;
    bits_.resize((windows + kBits - 1) / kBits);
  }

  // Says how many windows have not been touched before. `part` is of the mapping.
  uint64_t Touch(std::string_view part) {
    const uint64_t first = WindowAt(part.data()) - first_;
    const uint64_t last = part.empty() ? first : WindowAt(&part.back()) - first_;
    uint64_t added = 0;
    for (uint64_t window = first; window <= last; ++window) {
      uint64_t& word = bits_[window / kBits];
      const uint64_t bit = uint64_t{1} << (window % kBits);
      if ((word & bit) != 0) continue;
      word |= bit;
      ++added;
    }
    count_ += added;
    return added;
  }
  // Whether the window has been touched that this byte of the mapping is in.
  bool Has(const char* at) const {
    const uint64_t window = WindowAt(at) - first_;
    return (bits_[window / kBits] >> (window % kBits) & 1) != 0;
  }
  void Clear() {
    if (count_ == 0) return;
    bits_.assign(bits_.size(), 0);
    count_ = 0;
  }
  uint64_t count() const { return count_; }

 private:
  static constexpr uint64_t kBits = 64;

  static uint64_t WindowAt(const void* at) {
    return reinterpret_cast<uintptr_t>(at) / kWindowBytes;
  }

  uint64_t first_ = 0;
  uint64_t count_ = 0;
  std::vector<uint64_t> bits_;
};

}  // namespace larder::log

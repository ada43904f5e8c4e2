// HyperLogLogView: a string in which Redis keeps a HyperLogLog, dense or sparse; and the registers
// of several of them, merged.
//
//     "HYLL", encoding (0 dense, 1 sparse), 3 unused bytes, the cached count (8 bytes
//     little-endian, highest bit: stale), registers dense:  16384 registers of 6 bits, the first in
//     the lowest bits of the first byte sparse: runs; 00nnnnnn: n + 1 zeros; 01nnnnnn nnnnnnnn: the
//     same, longer;
//             1vvvvvnn: n + 1 registers of v + 1
//
// Ownership:  a view owns nothing.
// Errors:     none; bytes that do not hold what they say give no count. They come from anywhere:
//             hyperloglog_fuzz.cc.
// Cost:       a count is one pass over the string, or none where it is cached.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::command {

inline constexpr size_t kHyperLogLogRegisters = 16384;

// How many registers have each value.
using RegisterHistogram = std::array<uint64_t, 64>;

// The estimate for them: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches", arXiv:1702.01284, algorithm 6, in doubles and in the order that Redis computes it.
uint64_t EstimateCount(const RegisterHistogram& histogram);

class HyperLogLogRegisters {
 public:
  void Raise(size_t number, uint8_t to) {
    if (to > registers_[number]) registers_[number] = to;
  }
  uint64_t Estimate() const;

 private:
  std::array<uint8_t, kHyperLogLogRegisters> registers_{};
};

class HyperLogLogView {
 public:
  // None: it is not one.
  static std::optional<HyperLogLogView> Of(std::string_view text);

  // As cached, or else estimated. None: corrupt.
  std::optional<uint64_t> Count() const;
  // False: corrupt; `into` then has some of its registers.
  bool MergeInto(HyperLogLogRegisters& into) const;

 private:
  HyperLogLogView(std::string_view text, bool sparse) : text_(text), sparse_(sparse) {}
  std::string_view registers() const;

  std::string_view text_;
  bool sparse_;
};

}  // namespace larder::command

#include "command/common_subsequence.h"

#include <algorithm>
#include <array>
#include <bit>

namespace larder::command {
namespace {

constexpr size_t kBitsPerWord = 64;

// For each byte that is in `a`, where it is in `b`: a bit per byte of `b`.
class Places {
 public:
  Places(std::string_view a, std::string_view b)
      : words_((b.size() + kBitsPerWord - 1) / kBitsPerWord) {
    std::array<bool, 256> wanted{};
    for (const char c : a) wanted[Index(c)] = true;
    size_t rows = 1;  // row 0: nowhere
    for (size_t c = 0; c < wanted.size(); ++c) {
      if (wanted[c]) row_[c] = rows++;
    }
    bits_.resize(rows * words_);
    for (size_t i = 0; i < b.size(); ++i) {
      const size_t row = row_[Index(b[i])];
      if (row != 0) bits_[row * words_ + i / kBitsPerWord] |= uint64_t{1} << i % kBitsPerWord;
    }
  }
  const uint64_t* Of(char c) const { return bits_.data() + row_[Index(c)] * words_; }
  size_t words() const { return words_; }

 private:
  static size_t Index(char c) { return static_cast<uint8_t>(c); }

  size_t words_;
  std::array<size_t, 256> row_{};
  std::vector<uint64_t> bits_;
};

// The next row from the one before. Bit j is clear where the length for b[0 .. j] is one more than
// that for b[0 .. j-1].
void NextRow(const uint64_t* before, const uint64_t* places, size_t words, uint64_t* row) {
  uint64_t carry = 0;
  for (size_t i = 0; i < words; ++i) {
    const uint64_t matched = before[i] & places[i];
    uint64_t sum = 0;
    const bool first = __builtin_add_overflow(before[i], matched, &sum);
    const bool second = __builtin_add_overflow(sum, carry, &sum);
    carry = first || second ? 1 : 0;
    row[i] = sum | (before[i] & ~places[i]);
  }
}

// How many of the first `bits` bits are clear.
uint64_t CountClear(const uint64_t* row, uint64_t bits) {
  uint64_t set = 0;
  for (size_t i = 0; i < bits / kBitsPerWord; ++i) {
    set += static_cast<uint64_t>(std::popcount(row[i]));
  }
  if (bits % kBitsPerWord != 0) {
    const uint64_t last = row[bits / kBitsPerWord] << (kBitsPerWord - bits % kBitsPerWord);
    set += static_cast<uint64_t>(std::popcount(last));
  }
  return bits - set;
}

}  // namespace

uint64_t CommonSubsequenceLength(std::string_view a, std::string_view b) {
  if (a.empty() || b.empty()) return 0;
  const Places places(a, b);
  std::vector<uint64_t> row(places.words(), ~uint64_t{0});
  for (const char c : a) NextRow(row.data(), places.Of(c), row.size(), row.data());
  return CountClear(row.data(), b.size());
}

CommonSubsequence FindCommonSubsequence(std::string_view a, std::string_view b) {
  CommonSubsequence found;
  if (a.empty() || b.empty()) return found;
  const Places places(a, b);
  const size_t words = places.words();
  std::vector<uint64_t> rows((a.size() + 1) * words);
  std::fill_n(rows.begin(), words, ~uint64_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    NextRow(rows.data() + i * words, places.Of(a[i]), words, rows.data() + (i + 1) * words);
  }
  // Backwards from the ends of both texts: what is equal is taken; else that text is shortened
  // whose end adds nothing to the length, `b` before `a`.
  uint64_t i = a.size();
  uint64_t j = b.size();
  bool in_run = false;
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      if (!in_run) found.runs.push_back({.a_at = i, .b_at = j});
      in_run = true;
      CommonRun& run = found.runs.back();
      run = {.a_at = --i, .b_at = --j, .length = run.length + 1};
      found.text.push_back(a[i]);
      continue;
    }
    in_run = false;
    const uint64_t word = rows[i * words + (j - 1) / kBitsPerWord];
    const bool b_adds = (word >> (j - 1) % kBitsPerWord & 1) == 0;
    --(b_adds ? i : j);
  }
  std::reverse(found.text.begin(), found.text.end());
  return found;
}

}  // namespace larder::command

// PartitionSort: sorts items by their leading bits, then by operator<.
//
// Index entries are ordered by a hash, so their first bits spread them evenly: a pass over the
// items for every eight bits or so replaces most of the comparisons of a sort. Bits that all items
// of a part share are skipped, so entries of one collection cost no passes for its name.
//
// T has `static constexpr unsigned kSortWords` and `uint64_t SortWord(unsigned) const`: words in
// whose order (the first one first) items come before operator< has anything to decide.
//
// Threads:    one; parts of an array can be sorted by several.
// Cost:       in place; memory for the counts of the parts only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace larder::snapshot {

// Some bits of one word of an item.
struct SortDigit {
  unsigned word = 0;
  unsigned skip = 0;  // bits in front, which all items share
  unsigned bits = 0;  // 0: the words tell no two items apart

  template <typename T>
  size_t Of(const T& item) const {
    return static_cast<size_t>(item.SortWord(word) << skip >> (64 - bits));
  }
};

inline constexpr unsigned kMostDigitBits = 8;
inline constexpr size_t kComparedItems = 24;  // so few are sorted by comparing them

// The first bits, from word `word` on, in which the items differ. `for_each(visit)` calls
// visit(item) for each of them.
template <typename ForEach>
SortDigit FirstDigit(unsigned words, unsigned word, unsigned bits, ForEach&& for_each) {
  for (; word < words; ++word) {
    uint64_t ones = 0;
    uint64_t zeros = 0;
    for_each([&](const auto& item) {
      ones |= item.SortWord(word);
      zeros |= ~item.SortWord(word);
    });
    if ((ones & zeros) == 0) continue;
    const auto skip = static_cast<unsigned>(std::countl_zero(ones & zeros));
    return {.word = word, .skip = skip, .bits = std::min(bits, 64 - skip)};
  }
  return {};
}

// So many that a part of items whose bits are evenly spread needs no second pass, or few.
inline unsigned DigitBitsFor(size_t items, unsigned most) {
  constexpr unsigned kItemsPerPartBits = 3;
  const auto wanted = static_cast<unsigned>(std::bit_width(items));
  return std::clamp(wanted, kItemsPerPartBits + 1, kItemsPerPartBits + most) - kItemsPerPartBits;
}

template <typename T>
void PartitionSort(std::span<T> items, unsigned word = 0) {
  if (items.size() <= kComparedItems) return std::sort(items.begin(), items.end());
  const auto for_each = [items](auto&& visit) {
    for (const T& item : items) visit(item);
  };
  const SortDigit digit =
      FirstDigit(T::kSortWords, word, DigitBitsFor(items.size(), kMostDigitBits), for_each);
  if (digit.bits == 0) return std::sort(items.begin(), items.end());
  std::array<size_t, (size_t{1} << kMostDigitBits)> next{};
  std::array<size_t, (size_t{1} << kMostDigitBits)> ends{};
  for (const T& item : items) ++ends[digit.Of(item)];
  const size_t parts = size_t{1} << digit.bits;
  for (size_t part = 0, begin = 0; part < parts; ++part) {
    next[part] = begin;
    begin += ends[part];
    ends[part] = begin;
  }
  // Each item is taken to its part; what stood there goes on from there, until the ring closes.
  for (size_t part = 0; part < parts; ++part) {
    while (next[part] < ends[part]) {
      T item = items[next[part]];
      for (size_t home = digit.Of(item); home != part; home = digit.Of(item)) {
        std::swap(item, items[next[home]++]);
      }
      items[next[part]++] = item;
    }
  }
  for (size_t part = 0, begin = 0; part < parts; begin = ends[part++]) {
    PartitionSort(items.subspan(begin, ends[part] - begin), digit.word);
  }
}

}  // namespace larder::snapshot

// FoldedName and NameIndex: command names in three registers, and a perfect hash over them that the
// compiler makes (hash and displace: Belazzougui, Botelho, Dietzfelbinger, 2009).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace larder::command {

// ASCII capitals among eight bytes become small letters; all other bytes stay.
constexpr uint64_t FoldCase(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t low = word & kOnes * 0x7F;
  const uint64_t above_z = low + kOnes * (0x7F - 'Z');
  const uint64_t from_a = low + kOnes * (0x80 - 'A');
  const uint64_t capital = ~word & (from_a ^ above_z) & kOnes * 0x80;
  return word | capital >> 2;
}

// Up to eight bytes in a word, zeros above them.
constexpr uint64_t LoadUpTo8(const char* from, size_t bytes) {
  if consteval {
    uint64_t word = 0;
    for (size_t i = 0; i < bytes; ++i) {
      word |= uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
    }
    return word;
  } else {
    if (bytes == 8) return LoadLe<uint64_t>(from);
    if (bytes >= 4) {
      return LoadLe<uint32_t>(from) | uint64_t{LoadLe<uint32_t>(from + bytes - 4)}
                                          << (8 * (bytes - 4));
    }
    if (bytes == 0) return 0;
    const auto byte = [from](size_t at) { return uint64_t{static_cast<uint8_t>(from[at])}; };
    return byte(0) | byte(bytes / 2) << (8 * (bytes / 2)) | byte(bytes - 1) << (8 * (bytes - 1));
  }
}

struct FoldedName {
  static constexpr size_t kMaxBytes = 24;

  uint64_t words[3] = {};
  size_t length = 0;

  constexpr FoldedName() = default;
  // `name` is at most kMaxBytes long.
  constexpr explicit FoldedName(std::string_view name) : length(name.size()) {
    for (size_t word = 0; word < 3 && word * 8 < name.size(); ++word) {
      const size_t left = name.size() - word * 8;
      words[word] = FoldCase(LoadUpTo8(name.data() + word * 8, left < 8 ? left : 8));
    }
  }
  bool operator==(const FoldedName&) const = default;

  constexpr uint64_t Hash() const {
    uint64_t hash = words[0] * 0x9E3779B97F4A7C15 ^ words[1] * 0xC2B2AE3D27D4EB4F ^
                    words[2] * 0x165667B19E3779F9 ^ length * 0xD6E8FEB86659FD93;
    hash ^= hash >> 32;
    return hash * 0xFF51AFD7ED558CCD;
  }
};

// Gives each of `Count` names a slot of its own out of kSlots.
template <size_t Count>
class NameIndex {
 public:
  static constexpr size_t kGroups = 256;
  static constexpr size_t kSlots = std::bit_ceil(Count * 2);
  static constexpr uint16_t kNobody = 0xFFFF;

  consteval explicit NameIndex(const std::array<FoldedName, Count>& names) {
    slots_.fill(kNobody);
    std::array<uint8_t, kGroups> sizes{};
    for (const FoldedName& name : names) ++sizes[Group(name.Hash())];
    // Crowded groups first, while there is room.
    for (unsigned size = 16; size > 0; --size) {
      for (size_t group = 0; group < kGroups; ++group) {
        if (sizes[group] == size) Place(names, group);
      }
    }
  }

  // The number of the only name that `hash` can be of, or kNobody.
  constexpr uint16_t Candidate(uint64_t hash) const {
    return slots_[Slot(hash, displacements_[Group(hash)])];
  }

 private:
  static constexpr size_t Group(uint64_t hash) { return hash >> 56; }
  static constexpr size_t Slot(uint64_t hash, uint64_t displacement) {
    return ((hash >> 20) + displacement * (hash >> 36 | 1)) % kSlots;
  }

  consteval void Place(const std::array<FoldedName, Count>& names, size_t group) {
    std::array<uint16_t, 16> members{};
    size_t count = 0;
    for (size_t i = 0; i < Count; ++i) {
      if (Group(names[i].Hash()) == group) members[count++] = static_cast<uint16_t>(i);
    }
    for (uint16_t displacement = 0;; ++displacement) {
      size_t placed = 0;
      while (placed < count) {
        uint16_t& slot = slots_[Slot(names[members[placed]].Hash(), displacement)];
        if (slot != kNobody) break;
        slot = members[placed++];
      }
      if (placed == count) {
        displacements_[group] = displacement;
        return;
      }
      while (placed > 0) {
        slots_[Slot(names[members[--placed]].Hash(), displacement)] = kNobody;
      }
    }
  }

  std::array<uint16_t, kGroups> displacements_{};
  std::array<uint16_t, kSlots> slots_{};
};

}  // namespace larder::command

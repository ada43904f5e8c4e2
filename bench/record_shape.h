// The records that the workloads use: who makes them and who checks replies agree here.
//
// Record i of version v: every fourth is a hash of 10 fields with values of 16 bytes, the others
// are strings of 64 bytes. Every value starts with the version, so that a reply tells which version
// it came from; the rest follows from the record's number.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace larder::bench {

inline constexpr size_t kKeyBytes = 17;
inline constexpr size_t kStringBytes = 64;
inline constexpr size_t kFieldCount = 10;
inline constexpr size_t kFieldBytes = 16;
inline constexpr size_t kVersionBytes = 7;  // "v00042 "

inline bool IsHash(uint64_t record) { return record % 4 == 3; }

// `digits` decimal digits of `number` with zeros in front.
inline void PutDigits(char* to, size_t digits, uint64_t number) {
  for (size_t i = digits; i > 0; --i, number /= 10)
    to[i - 1] = static_cast<char>('0' + number % 10);
}

// "item:000000000042"
struct Key {
  std::array<char, kKeyBytes> bytes;
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
};
inline Key KeyOf(uint64_t record) {
  Key key{};
  std::memcpy(key.bytes.data(), "item:", 5);
  PutDigits(key.bytes.data() + 5, 12, record);
  return key;
}

// A value of `size` bytes: version, then letters that follow from record and field.
inline void PutValue(char* to, size_t size, uint64_t record, uint64_t field, uint64_t version) {
  to[0] = 'v';
  PutDigits(to + 1, 5, version);
  to[6] = ' ';
  uint64_t state = (record * kFieldCount + field + 1) * 0x9E3779B97F4A7C15ULL;
  for (size_t i = kVersionBytes; i < size; ++i) {
    state ^= state >> 29;
    state *= 0xBF58476D1CE4E5B9ULL;
    to[i] = static_cast<char>('a' + (state >> 40) % 26);
  }
}

}  // namespace larder::bench

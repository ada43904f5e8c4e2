// The records that the workloads use: who makes them and who checks replies agree here.
//
// All follows from a record's number and the version of the data. Every value starts with its
// version, so that a reply tells which version it came from.
//
//   mixed        every fourth is a hash of 10 fields with values of 16 bytes, the others are
//   strings
//                of 64 bytes
//   strings      strings of `value_bytes`
//   collections  a hash, a list, a set, a zset, by turns, each of `elements`; values of 16 bytes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace larder::bench {

inline constexpr size_t kKeyBytes = 17;
inline constexpr size_t kStringBytes = 64;
inline constexpr size_t kFieldCount = 10;
inline constexpr size_t kElementBytes = 16;  // of a field's value, of a list's element
inline constexpr size_t kVersionBytes = 7;   // "v00042 "

enum class Shape : uint8_t { kMixed, kStrings, kCollections };
enum class RecordType : uint8_t { kString, kHash, kList, kSet, kZset };

struct RecordSet {
  Shape shape = Shape::kMixed;
  uint64_t records = 750000;
  size_t value_bytes = kStringBytes;  // of `strings`
  uint64_t elements = 1000;           // of `collections`

  RecordType TypeOf(uint64_t record) const;
  // How many of `records` there are of a type, leaving an incomplete group of four out.
  uint64_t CountOf(RecordType type) const;
  // The number of the n-th record of a type, n below CountOf(type).
  uint64_t Nth(RecordType type, uint64_t n) const;
  uint64_t ElementsOf(RecordType type) const;
  size_t StringBytes() const { return shape == Shape::kStrings ? value_bytes : kStringBytes; }
};

Shape ShapeNamed(std::string_view name);  // throws for another name

// `digits` decimal digits of `number` with zeros in front.
inline void PutDigits(char* to, size_t digits, uint64_t number) {
  for (size_t i = digits; i > 0; --i, number /= 10) {
    to[i - 1] = static_cast<char>('0' + number % 10);
  }
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

// A value of `size` bytes, at least kVersionBytes: version, then characters that follow from record
// and element. None of them needs an escape in JSON.
void AppendValue(std::string& to, size_t size, uint64_t record, uint64_t element, uint64_t version);

// "field7", with as many digits as the last field of the hash needs.
void AppendField(std::string& to, uint64_t elements, uint64_t element);
uint64_t FieldNumber(std::string_view field);  // UINT64_MAX: none of ours

// "m00042:000000007", a member of sets and zsets.
void AppendMember(std::string& to, uint64_t record, uint64_t element);

// The score of a zset's member: the last member has 0, the others 0.25, 0.5... So the rank of
// member i is elements - 1 - i.
void AppendScore(std::string& to, uint64_t elements, uint64_t element);

}  // namespace larder::bench

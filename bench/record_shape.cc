#include "record_shape.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace larder::bench {
namespace {

constexpr RecordType kGroup[] = {RecordType::kHash, RecordType::kList, RecordType::kSet,
                                 RecordType::kZset};
constexpr std::string_view kFieldStart = "field";

size_t Digits(uint64_t number) {
  size_t digits = 1;
  while (number >= 10) {
    number /= 10;
    ++digits;
  }
  return digits;
}

}  // namespace

Shape ShapeNamed(std::string_view name) {
  if (name == "mixed") return Shape::kMixed;
  if (name == "strings") return Shape::kStrings;
  if (name == "collections") return Shape::kCollections;
  throw std::runtime_error("no shape " + std::string(name));
}

RecordType RecordSet::TypeOf(uint64_t record) const {
  if (shape == Shape::kCollections) return kGroup[record % 4];
  return shape == Shape::kMixed && record % 4 == 3 ? RecordType::kHash : RecordType::kString;
}

uint64_t RecordSet::CountOf(RecordType type) const {
  if (shape == Shape::kStrings) return type == RecordType::kString ? records : 0;
  uint64_t in_group = 0;
  for (uint64_t record = 0; record < 4; ++record) in_group += TypeOf(record) == type ? 1 : 0;
  return records / 4 * in_group;
}

uint64_t RecordSet::Nth(RecordType type, uint64_t n) const {
  if (shape == Shape::kStrings) return n;
  if (type == RecordType::kString) return n / 3 * 4 + n % 3;
  uint64_t first = 0;
  while (TypeOf(first) != type) ++first;
  return n * 4 + first;
}

uint64_t RecordSet::ElementsOf(RecordType type) const {
  if (type == RecordType::kString) return 1;
  return shape == Shape::kMixed ? kFieldCount : elements;
}

void AppendValue(std::string& to, size_t size, uint64_t record, uint64_t element,
                 uint64_t version) {
  const size_t at = to.size();
  to.resize(at + size);
  char* out = to.data() + at;
  out[0] = 'v';
  PutDigits(out + 1, 5, version);
  out[6] = ' ';
  // Eight characters of '0' to 'O' a step, so that who checks replies keeps up with the server.
  uint64_t state = (record * 0x100000001B3ULL + element + 1) * 0x9E3779B97F4A7C15ULL;
  for (size_t i = kVersionBytes; i < size; i += sizeof(state)) {
    state ^= state >> 29;
    state *= 0xBF58476D1CE4E5B9ULL;
    const uint64_t letters =
        ((state ^ (state >> 32)) & 0x1F1F1F1F1F1F1F1FULL) + 0x3030303030303030ULL;
    std::memcpy(out + i, &letters, std::min(sizeof(letters), size - i));
  }
}

void AppendField(std::string& to, uint64_t elements, uint64_t element) {
  const size_t digits = Digits(elements - 1);
  to += kFieldStart;
  to.resize(to.size() + digits);
  PutDigits(to.data() + to.size() - digits, digits, element);
}

uint64_t FieldNumber(std::string_view field) {
  uint64_t number = 0;
  if (!field.starts_with(kFieldStart)) return std::numeric_limits<uint64_t>::max();
  field.remove_prefix(kFieldStart.size());
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  const bool whole = error == std::errc() && end == field.data() + field.size();
  return whole ? number : std::numeric_limits<uint64_t>::max();
}

void AppendMember(std::string& to, uint64_t record, uint64_t element) {
  to += "m00000:000000000";
  PutDigits(to.data() + to.size() - 15, 5, record);
  PutDigits(to.data() + to.size() - 9, 9, element);
}

void AppendScore(std::string& to, uint64_t elements, uint64_t element) {
  constexpr std::string_view kQuarters[] = {"", ".25", ".5", ".75"};
  const uint64_t quarters = elements - 1 - element;
  to += std::to_string(quarters / 4);
  to += kQuarters[quarters % 4];
}

}  // namespace larder::bench

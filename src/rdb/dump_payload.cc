#include "rdb/dump_payload.h"

#include <bit>
#include <cassert>

#include <isa-l/crc64.h>

#include "base/bytes.h"

namespace larder::rdb {
namespace {

// RDB's bytes for the types.
constexpr char kString = 0;
constexpr char kList = 1;
constexpr char kSet = 2;
constexpr char kHash = 4;
constexpr char kZsetWithBinaryScores = 5;

// A length takes 1, 2, 5 or 9 bytes; the highest bits of the first say how many.
constexpr uint64_t kLengthsOf6Bits = uint64_t{1} << 6;
constexpr uint64_t kLengthsOf14Bits = uint64_t{1} << 14;
constexpr uint64_t kLengthsOf32Bits = uint64_t{1} << 32;
constexpr size_t kMostLengthBytes = 9;
constexpr size_t kFooterBytes = 10;

void AppendLength(uint64_t length, std::string& to) {
  if (length < kLengthsOf6Bits) {
    to.push_back(static_cast<char>(length));
  } else if (length < kLengthsOf14Bits) {
    to.push_back(static_cast<char>(0x40 | length >> 8));
    to.push_back(static_cast<char>(length & 0xff));
  } else if (length < kLengthsOf32Bits) {
    to.push_back(static_cast<char>(0x80));
    AppendLe(to, std::byteswap(static_cast<uint32_t>(length)));
  } else {
    to.push_back(static_cast<char>(0x81));
    AppendLe(to, std::byteswap(length));
  }
}

void AppendText(std::string_view text, std::string& to) {
  AppendLength(text.size(), to);
  to.append(text);
}

char TypeByte(ValueType type) {
  switch (type) {
    case ValueType::kList:
      return kList;
    case ValueType::kSet:
      return kSet;
    case ValueType::kHash:
      return kHash;
    case ValueType::kZset:
      return kZsetWithBinaryScores;
    default:
      return kString;
  }
}

size_t MostBytes(const RecordView& record) {
  size_t bytes = 1 + kMostLengthBytes + record.text.size() + kFooterBytes;
  for (const std::string_view item : record.items) bytes += kMostLengthBytes + item.size();
  return bytes + record.scores.size() * sizeof(double);
}

// The highest first, as Redis writes them: its loader then adds each at the front.
void AppendMembers(const RecordView& record, std::string& to) {
  for (size_t i = record.items.size(); i-- > 0;) {
    AppendText(record.items[i], to);
    AppendLe(to, record.scores[i]);
  }
}

}  // namespace

uint64_t Crc64(std::string_view bytes) {
  // ISA-L inverts before and after.
  return ~crc64_jones_refl(~uint64_t{0}, reinterpret_cast<const uint8_t*>(bytes.data()),
                           bytes.size());
}

std::string EncodeDumpPayload(const RecordView& record) {
  assert(record.type != ValueType::kJson);
  std::string payload;
  payload.reserve(MostBytes(record));
  payload.push_back(TypeByte(record.type));
  if (record.type == ValueType::kString) {
    AppendText(record.text, payload);
  } else {
    AppendLength(record.type == ValueType::kHash ? record.items.size() / 2 : record.items.size(),
                 payload);
    if (record.type == ValueType::kZset) {
      AppendMembers(record, payload);
    } else {
      for (const std::string_view item : record.items) AppendText(item, payload);
    }
  }
  AppendLe(payload, kRdbVersion);
  AppendLe(payload, Crc64(payload));
  return payload;
}

}  // namespace larder::rdb

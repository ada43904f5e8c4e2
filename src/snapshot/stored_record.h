// StoredRecord: one record as it lies in a file, read with every bound checked.
// Format: docs/formats/snapshot.md, "Record"
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "larder/record.h"
#include "snapshot/format.h"
#include "snapshot/value.h"

namespace larder::snapshot {

struct RecordHead {
  uint64_t value_bytes = 0;
  uint64_t key_bytes = 0;
  unsigned type = 0;
  unsigned flags = 0;
};

constexpr uint64_t PackRecordHead(const RecordHead& head) {
  return head.value_bytes | head.key_bytes << kKeyBytesShift | uint64_t{head.type} << kTypeShift |
         uint64_t{head.flags} << kFlagsShift;
}

constexpr RecordHead UnpackRecordHead(uint64_t bits) {
  return {.value_bytes = bits & kMaxValueBytes,
          .key_bytes = bits >> kKeyBytesShift & 0x1FFFF,
          .type = static_cast<unsigned>(bits >> kTypeShift & 7),
          .flags = static_cast<unsigned>(bits >> kFlagsShift)};
}

// The optional numbers between head and key.
constexpr uint64_t RecordExtraBytes(unsigned flags) {
  return 8 * ((flags & 1) + (flags >> 1 & 1) + (flags >> 2 & 1));
}

// Where records may lie: [kRecordsOffset, end) of `base`.
struct RecordSpace {
  const char* base = nullptr;
  uint64_t end = 0;
  uint64_t member_seed = 0;
};

struct StoredRecord {
  uint64_t offset = 0;
  RecordHead head;
  std::string_view key;
  std::string_view value;  // its bytes

  uint64_t bytes() const {
    return AlignUp(8 + RecordExtraBytes(head.flags) + head.key_bytes + head.value_bytes,
                   kRecordAlignment);
  }
};

// False when no well-formed record lies at `offset`. `offset` is below 2^52, so nothing overflows.
inline bool ReadRecord(const RecordSpace& space, uint64_t offset, StoredRecord& record) {
  if (offset < kRecordsOffset || offset + 8 > space.end) return false;
  const RecordHead head = UnpackRecordHead(LoadLe<uint64_t>(space.base + offset));
  const uint64_t key_at = offset + 8 + RecordExtraBytes(head.flags);
  const uint64_t value_at = key_at + head.key_bytes;
  if (value_at + head.value_bytes > space.end) return false;
  if (head.key_bytes > kMaxKeyBytes || head.type >= kValueTypeCount ||
      (head.flags & kRecordUnusedFlag) != 0) {
    return false;
  }
  record.offset = offset;
  record.head = head;
  record.key = {space.base + key_at, head.key_bytes};
  record.value = {space.base + value_at, head.value_bytes};
  return true;
}

inline Value ToValue(const RecordSpace& space, const StoredRecord& record) {
  Value value{.type = static_cast<ValueType>(record.head.type),
              .encoded = record.value,
              .member_seed = space.member_seed,
              .expires_at_ms = {},
              .version = {}};
  if (record.head.flags == 0) return value;
  const char* extra = space.base + record.offset + 8;
  if ((record.head.flags & kRecordHasExpiry) != 0) {
    value.expires_at_ms = LoadLe<int64_t>(extra);
    extra += 8;
  }
  if ((record.head.flags & kRecordHasVersion) != 0) {
    value.version = LoadLe<uint64_t>(extra);
    extra += 8;
  }
  if ((record.head.flags & kRecordHasFlags) != 0) value.flags = LoadLe<uint32_t>(extra);
  return value;
}

// What stands before the first separator; none when the key holds no separator.
inline std::optional<std::string_view> CollectionOf(std::string_view key,
                                                    std::optional<char> separator) {
  if (!separator) return std::nullopt;
  const size_t at = key.find(*separator);
  if (at == std::string_view::npos) return std::nullopt;
  return key.substr(0, at);
}

}  // namespace larder::snapshot

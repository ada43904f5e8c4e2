// StoredRecord: one record as it lies in a file, read with every bound checked.
// Format: docs/formats/snapshot.md, "Record"
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// For a walk from record to record: fetches as many bytes as the record at `offset` has, but of
// those some records further on. The processor does not foresee the steps of such a walk.
inline void PrefetchRecords(const RecordSpace& space, uint64_t offset, uint64_t bytes) {
  constexpr uint64_t kAhead = 8192;  // some groups of records, which are read in one go
  constexpr uint64_t kMost = 1024;   // of a large record; the next ones are far away
  constexpr uint64_t kLine = 64;
  const char* const from = space.base + offset + kAhead;
  for (uint64_t at = 0; at < bytes && at < kMost; at += kLine) {
    if (offset + kAhead + at < space.end) __builtin_prefetch(from + at);
  }
}

// The numbers between head and key.
inline void ReadExtras(const char* extra, unsigned flags, Value& to) {
  if ((flags & kRecordHasExpiry) != 0) {
    to.expires_at_ms = LoadLe<int64_t>(extra);
    extra += 8;
  }
  if ((flags & kRecordHasVersion) != 0) {
    to.version = LoadLe<uint64_t>(extra);
    extra += 8;
  }
  if ((flags & kRecordHasFlags) != 0) to.flags = LoadLe<uint32_t>(extra);
}

inline Value ToValue(const RecordSpace& space, const StoredRecord& record) {
  Value value{.type = static_cast<ValueType>(record.head.type),
              .encoded = record.value,
              .member_seed = space.member_seed,
              .expires_at_ms = {},
              .version = {}};
  if (record.head.flags == 0) return value;
  ReadExtras(space.base + record.offset + 8, record.head.flags, value);
  return value;
}

// Keys are short as a rule: two loads of each side, which overlap, in place of a call.
inline bool SameBytes(const char* a, const char* b, size_t bytes) {
#if defined(__SSE2__)
  if (bytes >= 16 && bytes <= 32) {
    const auto load = [](const char* from) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    };
    const __m128i front = _mm_cmpeq_epi8(load(a), load(b));
    const __m128i back = _mm_cmpeq_epi8(load(a + bytes - 16), load(b + bytes - 16));
    return _mm_movemask_epi8(_mm_and_si128(front, back)) == 0xFFFF;
  }
#endif
  if (bytes >= 8 && bytes <= 16) {
    return LoadLe<uint64_t>(a) == LoadLe<uint64_t>(b) &&
           LoadLe<uint64_t>(a + bytes - 8) == LoadLe<uint64_t>(b + bytes - 8);
  }
  return std::memcmp(a, b, bytes) == 0;
}

// A record that has been found, as two words, which are handed back in registers: what is read out
// of memory just after it was stored there has to wait for the record to come.
struct FoundRecord {
  const char* value = nullptr;  // null: not found
  uint64_t head = 0;

  unsigned flags() const { return static_cast<unsigned>(head >> kFlagsShift); }
  // `key_bytes` is the length of the key that it was found by.
  Value ToValue(uint64_t key_bytes, uint64_t member_seed) const {
    Value found;
    found.type = static_cast<ValueType>(head >> kTypeShift & 7);
    found.encoded = {value, head & kMaxValueBytes};
    found.member_seed = member_seed;
    if (flags() != 0) [[unlikely]] {
      ReadExtras(value - key_bytes - RecordExtraBytes(flags()), flags(), found);
    }
    return found;
  }
};

// As ReadRecord: the record at `offset` if it is whole and has this key. In as few instructions as
// can be, above all of those that wait for the record: they must fit into the processor's window,
// and the fewer there are, the more look-ups are under way at the same time.
inline FoundRecord MatchRecord(const RecordSpace& space, uint64_t offset, std::string_view key) {
  if (offset < kRecordsOffset || offset + 8 > space.end) return {};
  const char* const at = space.base + offset;
  // The second line at once, and not when the head has told the length. It is in the file.
  __builtin_prefetch(at + 64);
  const auto head = LoadLe<uint64_t>(at);
  uint64_t head_bytes = 8;
  if (head >> kTypeShift >= kValueTypeCount) [[unlikely]] {
    const RecordHead unpacked = UnpackRecordHead(head);
    if (unpacked.type >= kValueTypeCount || (unpacked.flags & kRecordUnusedFlag) != 0) return {};
    head_bytes += RecordExtraBytes(unpacked.flags);
  }
  if (UnpackRecordHead(head).key_bytes != key.size()) return {};
  const char* const key_at = at + head_bytes;
  if (offset + head_bytes + key.size() + (head & kMaxValueBytes) > space.end) return {};
  if (!SameBytes(key_at, key.data(), key.size())) return {};
  return {.value = key_at + key.size(), .head = head};
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

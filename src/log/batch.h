// Batches as they lie in a segment: made, and read with every bound checked.
// Format: docs/formats/log.md, "Batch" and "Record"
//
// Threads:    none of their own; a BatchEncoder belongs to one.
// Cost:       one copy and one checksum of the data when made, one checksum when read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "log/format.h"
#include "log/options.h"

namespace larder::log {

// What ties batches to their segment: its log's id and its NUMBER. No batch of another segment is
// right in this one.
uint64_t SegmentKey(const LogId& id, uint64_t segment_number);

struct BatchHead {
  uint64_t bytes = 0;  // with the head
  uint64_t records = 0;
  uint64_t first_number = 0;
  int64_t time_ms = 0;  // Unix
  uint64_t synced = 0;  // this number was known to be on the disk; 0: none

  uint64_t last_number() const { return first_number + records - 1; }
};

// How many bytes a batch of these takes in a segment.
uint64_t BatchBytes(std::span<const std::string_view> records);

// Where a batch will lie.
struct BatchPlace {
  uint64_t segment_key = 0;
  uint64_t offset = 0;
};

// Makes a batch in memory of its own, used again by the next.
class BatchEncoder {
 public:
  // `records` is not empty, each at most kMaxRecordBytes, and BatchBytes(records) at most
  // kMaxBatchBytes, with no record beginning at kMaxSegmentBytes or behind; the numbers are 1 to
  // kMaxNumber, `synced` below them. Valid until the next call.
  std::string_view Encode(std::span<const std::string_view> records, uint64_t first_number,
                          int64_t time_ms, uint64_t synced, const BatchPlace& place,
                          RecordKind kind = RecordKind::kPlain);
  // The index entries of the batch just made, as they lie in the index.
  std::string_view index_entries() const { return index_entries_; }

 private:
  std::string bytes_;  // at least as long as the batch
  std::string index_entries_;
};

// The head at `offset` when it is right: of this place, with numbers that can be, and the batch not
// longer than the segment. It is right on its own: whether the records survived is not looked at.
std::optional<BatchHead> ReadBatchHead(std::string_view segment, uint64_t offset,
                                       uint64_t segment_key);

// The batch at `offset` of a segment when it is whole: its head is right, its records fill it and
// are right. `segment` may be any bytes, and shorter than the batch says.
std::optional<BatchHead> ReadBatch(std::string_view segment, uint64_t offset, uint64_t segment_key);

struct RecordInBatch {
  uint64_t number = 0;
  uint64_t offset = 0;  // in the segment
  std::string_view data;
  RecordKind kind = RecordKind::kPlain;
};

struct StoredRecord {
  std::string_view data;
  RecordKind kind = RecordKind::kPlain;
};

// The first word of a record: how long its data are, and its kind.
constexpr uint32_t RecordWord(uint64_t bytes, RecordKind kind) {
  return static_cast<uint32_t>(bytes) | (kind == RecordKind::kMarked ? kMarkedRecord : 0);
}
constexpr uint64_t BytesOf(uint32_t word) { return word & ~kMarkedRecord; }
constexpr RecordKind KindOf(uint32_t word) {
  return (word & kMarkedRecord) != 0 ? RecordKind::kMarked : RecordKind::kPlain;
}

// What checksums of records are made of.
inline uint64_t RecordSum(std::string_view data, uint64_t number, RecordKind kind) {
  const uint64_t sum = Checksum64(data) ^ (number * kNumberFactor);
  return kind == RecordKind::kMarked ? ~sum : sum;
}
inline uint32_t RecordChecksum(uint64_t sum) { return static_cast<uint32_t>(sum >> 32); }

// The record whose head is at the beginning of `bytes`, when its own checksum is right.
inline std::optional<StoredRecord> ReadRecordHere(std::string_view bytes, uint64_t number) {
  if (bytes.size() < kRecordHeadBytes) return std::nullopt;
  const auto word = LoadLe<uint32_t>(bytes.data());
  if (BytesOf(word) > bytes.size() - kRecordHeadBytes) return std::nullopt;
  const StoredRecord record{.data = {bytes.data() + kRecordHeadBytes, BytesOf(word)},
                            .kind = KindOf(word)};
  const uint64_t sum = RecordSum(record.data, number, record.kind);
  if (LoadLe<uint32_t>(bytes.data() + kRecordChecksumAt) != RecordChecksum(sum))
    return std::nullopt;
  return record;
}

// The record `number` at `offset` of a segment. Any offset may be asked for.
inline std::optional<StoredRecord> ReadRecord(std::string_view segment, uint64_t offset,
                                              uint64_t number) {
  if (offset % kAlignment != 0 || offset < kSegmentHeadBytes + kBatchHeadBytes ||
      offset >= segment.size()) {
    return std::nullopt;
  }
  return ReadRecordHere(segment.substr(offset), number);
}

// Calls visit(RecordInBatch) for each record of a batch that ReadBatch has found whole.
template <typename Visit>
void ForEachRecord(std::string_view segment, uint64_t offset, const BatchHead& head,
                   const Visit& visit) {
  uint64_t at = offset + kBatchHeadBytes;
  for (uint64_t i = 0; i < head.records; ++i) {
    const auto word = LoadLe<uint32_t>(segment.data() + at);
    visit(RecordInBatch{.number = head.first_number + i,
                        .offset = at,
                        .data = segment.substr(at + kRecordHeadBytes, BytesOf(word)),
                        .kind = KindOf(word)});
    at += RecordSpace(BytesOf(word));
  }
}

}  // namespace larder::log

// Batches as they lie in a segment: made, and read with every bound checked.
// Format: docs/formats/log.md, "Batch" and "Record"
//
// Threads:    none of their own; a BatchEncoder belongs to one.
// Cost:       two checksums of the data when made, one when a single record is read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log/format.h"

namespace larder::log {

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

// Makes a batch in memory of its own, used again by the next.
class BatchEncoder {
 public:
  explicit BatchEncoder(const LogId& id) : id_(id) {}

  // `records` is not empty and BatchBytes(records) at most kMaxBatchBytes; the batch will lie at
  // `offset`. Valid until the next call.
  std::string_view Encode(std::span<const std::string_view> records, uint64_t first_number,
                          int64_t time_ms, uint64_t synced, uint64_t offset);
  // The index entries of the batch just made, as they lie in the index.
  std::string_view index_entries() const { return index_entries_; }

 private:
  LogId id_;
  std::string bytes_;
  std::string index_entries_;
};

// The batch at `offset` of a segment when it is whole: in place, of this log, its checksum right and
// its records filling it. `segment` may be any bytes, and shorter than the batch says.
std::optional<BatchHead> ReadBatch(std::string_view segment, uint64_t offset, const LogId& id);

struct RecordInBatch {
  uint64_t number = 0;
  uint64_t offset = 0;  // in the segment
  std::string_view data;
};

// The data of record `number` at `offset` of a segment, when its own checksum is right.
std::optional<std::string_view> ReadRecord(std::string_view segment, uint64_t offset,
                                           uint64_t number);

// Calls visit(RecordInBatch) for each record of a batch that ReadBatch has found whole.
template <typename Visit>
void ForEachRecord(std::string_view segment, uint64_t offset, const BatchHead& head,
                   const Visit& visit) {
  uint64_t at = offset + kBatchHeadBytes;
  for (uint64_t i = 0; i < head.records; ++i) {
    const auto bytes = LoadLe<uint32_t>(segment.data() + at);
    visit(RecordInBatch{.number = head.first_number + i,
                        .offset = at,
                        .data = segment.substr(at + kRecordHeadBytes, bytes)});
    at += RecordSpace(bytes);
  }
}

}  // namespace larder::log

// For tests: segments in memory, and checksums made right again after bytes were changed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/batch.h"
#include "log/segment_scan.h"
#include "log/small_files.h"

namespace larder::log {

struct TestBatch {
  uint64_t offset = 0;
  BatchHead head;
  std::vector<std::string> records;

  uint64_t end() const { return offset + head.bytes; }
};

struct TestSegment {
  SegmentHead head{.id = {'t', 'h', 'e', ' ', 'l', 'o', 'g', 1, 2, 3, 4, 5, 6, 7, 8, 9},
                   .first_number = 1000,
                   .made_at_ms = 1700000000000};
  std::string bytes;
  std::string index_entries;
  std::vector<TestBatch> batches;
  uint64_t next_number = head.first_number;

  TestSegment() : TestSegment(SegmentHead()) {}
  // What is zero in `wanted` is as above.
  explicit TestSegment(const SegmentHead& wanted) {
    if (wanted.id != LogId{}) head.id = wanted.id;
    if (wanted.first_number != 0) head.first_number = wanted.first_number;
    next_number = head.first_number;
    bytes = MakeSegmentHead(head);
  }

  BatchPlace end() const { return {.segment_key = head.key(), .offset = bytes.size()}; }

  void Append(const std::vector<std::string>& records, uint64_t synced = 0) {
    constexpr int64_t kTime = 1700000000001;
    const std::vector<std::string_view> views(records.begin(), records.end());
    const BatchHead batch{.bytes = BatchBytes(views),
                          .records = records.size(),
                          .first_number = next_number,
                          .time_ms = kTime,
                          .synced = synced};
    batches.push_back({.offset = bytes.size(), .head = batch, .records = records});
    BatchEncoder encoder;
    bytes += encoder.Encode(views, next_number, kTime, synced, end());
    index_entries += encoder.index_entries();
    next_number += records.size();
  }
};

// The data of a record that can be read.
inline std::optional<std::string_view> DataOf(std::string_view segment, uint64_t offset,
                                              uint64_t number) {
  const auto record = ReadRecord(segment, offset, number);
  return record ? std::optional(record->data) : std::nullopt;
}

// Makes the checksum of the head that is said to be at `offset` right.
inline void SealBatchHead(std::string& segment, uint64_t offset, uint64_t key) {
  const auto checked = std::string_view(segment).substr(offset + batch_at::kChecked,
                                                        kBatchHeadBytes - batch_at::kChecked);
  StoreLe(segment.data() + offset, Checksum64(checked) ^ key ^ offset);
}

// The same with the records, as far as they lie inside.
inline void SealBatch(std::string& segment, uint64_t offset, uint64_t key) {
  char* const head = segment.data() + offset;
  const auto first = LoadLe<uint64_t>(head + batch_at::kFirstNumber);
  uint64_t at = offset + kBatchHeadBytes;
  uint64_t checksum = 0;
  for (uint64_t i = 0; i < LoadLe<uint32_t>(head + batch_at::kRecords); ++i) {
    if (segment.size() - at < kRecordHeadBytes) break;
    const auto word = LoadLe<uint32_t>(segment.data() + at);
    const uint64_t bytes = BytesOf(word);
    if (bytes > segment.size() - at - kRecordHeadBytes) break;
    const uint64_t sum = RecordSum(std::string_view(segment).substr(at + kRecordHeadBytes, bytes),
                                   first + i, KindOf(word));
    StoreLe(segment.data() + at + kRecordChecksumAt, RecordChecksum(sum));
    checksum = (checksum ^ sum) * kNumberFactor;
    at = std::min<uint64_t>(at + RecordSpace(bytes), segment.size());
  }
  StoreLe(head + batch_at::kRecordsChecksum, checksum);
  SealBatchHead(segment, offset, key);
}

}  // namespace larder::log

// Any bytes as the files of a Log: whatever they are, reading stays inside them, and what is called
// whole is what a writer makes of the same records.
//
// The first byte chooses: a segment as it is; a segment whose batches are sealed again first, so
// that what lies behind the checksums is reached; an index or a numbers file, as it is or sealed; a
// file name behind a prefix whose length is the second byte.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "log/batch.h"
#include "log/segment_scan.h"
#include "log/small_files.h"
#include "log/test_segment.h"

namespace larder::log {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

uint64_t Touch(std::string_view data) {
  uint64_t sum = 0;
  for (const char byte : data) sum += static_cast<unsigned char>(byte);
  return sum;
}

void RequireInside(std::string_view data, std::string_view whole) {
  Require(data.data() >= whole.data() && data.data() + data.size() <= whole.data() + whole.size());
  volatile uint64_t keep = Touch(data);
  (void)keep;
}

void CheckWholeBatch(std::string_view segment, uint64_t offset, const BatchHead& head,
                     uint64_t key) {
  std::vector<std::string_view> records;
  std::vector<uint64_t> offsets;
  RecordKind kind = RecordKind::kPlain;
  ForEachRecord(segment, offset, head, [&](const RecordInBatch& record) {
    RequireInside(record.data, segment.substr(offset, head.bytes));
    const auto read = ReadRecord(segment, record.offset, record.number);
    Require(read && read->data == record.data && read->kind == record.kind);
    kind = record.kind;
    records.push_back(record.data);
    offsets.push_back(record.offset);
  });
  Require(BatchBytes(records) == head.bytes);
  BatchEncoder encoder;
  Require(encoder.Encode(records, head.first_number, head.time_ms, head.synced,
                         {.segment_key = key, .offset = offset},
                         kind) == segment.substr(offset, head.bytes));
  const std::string index =
      MakeIndexHead({.id = {}, .first_number = 1}) + std::string(encoder.index_entries());
  for (uint64_t i = 0; i < offsets.size(); ++i) Require(IndexedOffset(index, i) == offsets[i]);
  Require(!IndexedOffset(index, offsets.size()));
}

void CheckScan(std::string_view segment, const SegmentHead& head, uint64_t known_synced) {
  uint64_t end = kSegmentHeadBytes;
  uint64_t next = head.first_number;
  uint64_t batches = 0;
  const SegmentScan scan =
      ScanSegment(segment, head, known_synced, [&](uint64_t offset, const BatchHead& batch) {
        Require(offset == end && batch.first_number == next);
        CheckWholeBatch(segment, offset, batch, head.key());
        end += batch.bytes;
        next += batch.records;
        ++batches;
      });
  Require(scan.end == end && scan.next_number == next && scan.batches == batches);
  Require(batches == 0 || end <= segment.size());
  Require(scan.highest_synced >= known_synced && scan.end_of_synced <= scan.end);
  Require(scan.bytes_after == 0 || end + scan.bytes_after <= segment.size());
  Require(scan.whole_after <= scan.bytes_after / kBatchHeadBytes);
  const auto next_batch = ReadBatch(segment, end, head.key());
  Require(!next_batch || next_batch->first_number != next);
}

void CheckSegment(std::string_view segment, const SegmentHead& other) {
  SegmentHead head = other;
  if (const auto read = ReadSegmentHead(segment, "segment")) {
    Require(MakeSegmentHead(*read) == segment.substr(0, kSegmentHeadBytes));
    head = *read;
  }
  CheckScan(segment, head, 0);
  CheckScan(segment, head, head.first_number);
  for (uint64_t at = 0; at < segment.size() + 64; at += kAlignment) {
    if (const auto batch = ReadBatch(segment, at, head.key())) {
      Require(ReadBatchHead(segment, at, head.key()).has_value());
      CheckWholeBatch(segment, at, *batch, head.key());
    }
    for (uint64_t number = 0; number < 2; ++number) {
      const auto record = ReadRecord(segment, at, head.first_number + number);
      if (record) RequireInside(record->data, segment);
    }
  }
}

// Seals whatever stands where batches follow each other; numbers and lengths stay as they are.
void SealSegment(std::string& segment, uint64_t key) {
  uint64_t at = kSegmentHeadBytes;
  while (at < segment.size() && segment.size() - at >= kBatchHeadBytes) {
    SealBatch(segment, at, key);
    const uint64_t bytes = LoadLe<uint32_t>(segment.data() + at + batch_at::kBytes);
    // Where a length cannot be, the next head is sought at some distance.
    at += bytes % kAlignment == 0 && bytes >= kBatchHeadBytes ? bytes : kBatchHeadBytes * 2;
  }
}

void CheckSealedSegment(std::string_view batches) {
  const TestSegment empty;
  std::string segment = empty.bytes + std::string(batches);
  SealSegment(segment, empty.head.key());
  const std::vector<char> exact(segment.begin(), segment.end());
  CheckSegment({exact.data(), exact.size()}, empty.head);
}

std::string Sealed(std::string_view bytes, uint64_t head_bytes) {
  std::string sealed(bytes);
  if (sealed.size() >= head_bytes) {
    StoreLe(sealed.data() + head_bytes - 8,
            Checksum64(std::string_view(sealed).substr(0, head_bytes - 8)));
  }
  return sealed;
}

void CheckIndex(std::string_view index) {
  if (const auto head = ReadIndexHead(index, "index")) {
    Require(MakeIndexHead(*head) == index.substr(0, kIndexHeadBytes));
  }
  TestSegment segment;
  segment.Append({"a record", "another"});
  for (uint64_t position = 0; position < index.size(); ++position) {
    const auto offset = IndexedOffset(index, position);
    Require(offset.has_value() ==
            (kIndexHeadBytes + (position + 1) * kIndexEntryBytes <= index.size()));
    if (!offset) break;
    Require(*offset < kMaxSegmentBytes);
    const auto record = ReadRecord(segment.bytes, *offset, segment.head.first_number);
    Require(!record || record->data == "a record");
  }
}

void CheckNumbers(std::string_view bytes) {
  const auto numbers = ReadNumbersFile(bytes, "numbers");
  if (!numbers) return;
  Require(MakeNumbersFile(*numbers) == bytes);
  Require(numbers->synced <= numbers->reserved && numbers->reserved <= kMaxNumber);
}

std::string NameOf(std::string_view prefix, const FileName& name) {
  switch (name.role) {
    case FileRole::kSegment:
      return SegmentName(prefix, name.number);
    case FileRole::kIndex:
      return IndexName(prefix, name.number);
    case FileRole::kNumbers:
      return NumbersName(prefix);
    case FileRole::kControl:
      return ControlName(prefix);
    case FileRole::kLock:
      return LockName(prefix);
  }
  std::abort();
}

void CheckName(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string_view rest = bytes.substr(1);
  const std::string_view prefix = rest.substr(0, static_cast<unsigned char>(bytes[0]));
  const auto name = ParseFileName(prefix, rest);
  if (name) Require(NameOf(prefix, *name) + (name->temporary ? ".tmp" : "") == rest);
  const LogFiles files = FindLogFiles(prefix, {std::string(rest), std::string(bytes)});
  Require(name || files.segments.empty() || files.segments.size() == 1);
  if (CheckPrefix(rest)) {
    Require(ParseFileName(rest, SegmentName(rest, kMaxNumber)).has_value());
    Require(IndexName(rest, 1).size() + 4 <= kMaxNameBytes);
  }
}

}  // namespace
}  // namespace larder::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::log;  // NOLINT(google-build-using-namespace)
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view rest = input.substr(1);
  switch (data[0] % 7) {
    case 0:
      CheckSegment(rest, {.id = {}, .first_number = 1});
      break;
    case 1:
      CheckSealedSegment(rest);
      break;
    case 2:
      CheckIndex(rest);
      break;
    case 3:
      CheckIndex(Sealed(rest, kIndexHeadBytes));
      break;
    case 4:
      CheckNumbers(rest);
      break;
    case 5:
      CheckNumbers(Sealed(rest, kSmallFileBytes));
      break;
    default:
      CheckName(rest);
      break;
  }
  return 0;
}

#include "log/batch.h"

#include <cstring>

namespace larder::log {
namespace {

// How a batch's checksum goes on from record to record: none can change without changing it.
uint64_t Fold(uint64_t checksum, uint64_t record_sum) {
  return (checksum ^ record_sum) * kNumberFactor;
}

// After a batch that is larger, its memory is given back by the next that is not.
constexpr uint64_t kKeptBytes = uint64_t{4} << 20;

uint64_t HeadChecksum(const char* head, const BatchPlace& place) {
  const std::string_view checked(head + batch_at::kChecked, kBatchHeadBytes - batch_at::kChecked);
  return Checksum64(checked) ^ place.segment_key ^ place.offset;
}

void StoreHead(char* to, const BatchHead& head, uint64_t records_checksum,
               const BatchPlace& place) {
  StoreLe(to + batch_at::kRecordsChecksum, records_checksum);
  StoreLe(to + batch_at::kBytes, static_cast<uint32_t>(head.bytes));
  StoreLe(to + batch_at::kRecords, static_cast<uint32_t>(head.records));
  StoreLe(to + batch_at::kFirstNumber, head.first_number);
  StoreLe(to + batch_at::kTimeMs, head.time_ms);
  StoreLe(to + batch_at::kSynced, head.synced);
  StoreLe(to + batch_at::kHeadChecksum, HeadChecksum(to, place));
}

// Returns its sum.
uint64_t StoreRecord(char* to, std::string_view data, uint64_t number, RecordKind kind,
                     uint64_t space) {
  // The fill is in the last 8 bytes; the data, which may be all of them, come after it.
  StoreLe(to + space - kAlignment, uint64_t{0});
  StoreLe(to, RecordWord(data.size(), kind));
  char* const copy = to + kRecordHeadBytes;
  if (!data.empty()) std::memcpy(copy, data.data(), data.size());
  // Of the copy, which nobody changes meanwhile: so that a whole batch has only right records.
  const uint64_t sum = RecordSum({copy, data.size()}, number, kind);
  StoreLe(to + kRecordChecksumAt, RecordChecksum(sum));
  return sum;
}

bool OnlyZeros(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// The records' checksum when they fill the batch and each is right.
std::optional<uint64_t> CheckRecords(std::string_view segment, uint64_t offset,
                                     const BatchHead& head) {
  const std::string_view batch = segment.substr(0, offset + head.bytes);
  uint64_t checksum = 0;
  RecordKind kind = RecordKind::kPlain;  // all have the same
  uint64_t at = offset + kBatchHeadBytes;
  for (uint64_t i = 0; i < head.records; ++i) {
    // No index entry leads behind the greatest segment.
    if (at >= kMaxSegmentBytes || batch.size() - at < kRecordHeadBytes) return std::nullopt;
    const auto word = LoadLe<uint32_t>(batch.data() + at);
    if (i != 0 && KindOf(word) != kind) return std::nullopt;
    kind = KindOf(word);
    const uint64_t bytes = BytesOf(word);
    const uint64_t data_at = at + kRecordHeadBytes;
    if (bytes > batch.size() - data_at) return std::nullopt;
    const uint64_t sum = RecordSum(batch.substr(data_at, bytes), head.first_number + i, kind);
    if (LoadLe<uint32_t>(batch.data() + at + kRecordChecksumAt) != RecordChecksum(sum)) {
      return std::nullopt;
    }
    checksum = Fold(checksum, sum);
    // Not over the end, as the batch ends at a multiple of the alignment.
    at += RecordSpace(bytes);
    const uint64_t data_end = data_at + bytes;
    if (!OnlyZeros(batch.substr(data_end, at - data_end))) return std::nullopt;
  }
  if (at != batch.size()) return std::nullopt;
  return checksum;
}

}  // namespace

uint64_t SegmentKey(const LogId& id, uint64_t segment_number) {
  std::array<char, sizeof(LogId) + sizeof(uint64_t)> bytes;
  StoreLe(bytes.data(), id);
  StoreLe(bytes.data() + sizeof(LogId), segment_number);
  return Checksum64({bytes.data(), bytes.size()});
}

uint64_t BatchBytes(std::span<const std::string_view> records) {
  uint64_t bytes = kBatchHeadBytes;
  for (const std::string_view record : records) bytes += RecordSpace(record.size());
  return bytes;
}

std::string_view BatchEncoder::Encode(std::span<const std::string_view> records,
                                      uint64_t first_number, int64_t time_ms, uint64_t synced,
                                      const BatchPlace& place, RecordKind kind) {
  const BatchHead head{.bytes = BatchBytes(records),
                       .records = records.size(),
                       .first_number = first_number,
                       .time_ms = time_ms,
                       .synced = synced};
  if (bytes_.size() > kKeptBytes && head.bytes <= kKeptBytes) {
    bytes_ = std::string();
    index_entries_ = std::string();
  }
  if (bytes_.size() < head.bytes) bytes_.resize(head.bytes);
  index_entries_.resize(records.size() * kIndexEntryBytes);
  char* const begin = bytes_.data();
  char* to = begin + kBatchHeadBytes;
  char* entry = index_entries_.data();
  uint64_t number = first_number;
  uint64_t checksum = 0;
  for (const std::string_view record : records) {
    const uint64_t offset = place.offset + static_cast<uint64_t>(to - begin);
    StoreLe(entry, static_cast<uint32_t>(offset / kAlignment));
    entry += kIndexEntryBytes;
    const uint64_t space = RecordSpace(record.size());
    checksum = Fold(checksum, StoreRecord(to, record, number++, kind, space));
    to += space;
  }
  StoreHead(begin, head, checksum, place);
  return {begin, head.bytes};
}

std::optional<BatchHead> ReadBatchHead(std::string_view segment, uint64_t offset,
                                       uint64_t segment_key) {
  if (offset % kAlignment != 0 || offset < kSegmentHeadBytes || offset >= kMaxSegmentBytes ||
      offset >= segment.size() || segment.size() - offset < kBatchHeadBytes) {
    return std::nullopt;
  }
  const char* const at = segment.data() + offset;
  const BatchHead head{.bytes = LoadLe<uint32_t>(at + batch_at::kBytes),
                       .records = LoadLe<uint32_t>(at + batch_at::kRecords),
                       .first_number = LoadLe<uint64_t>(at + batch_at::kFirstNumber),
                       .time_ms = LoadLe<int64_t>(at + batch_at::kTimeMs),
                       .synced = LoadLe<uint64_t>(at + batch_at::kSynced)};
  const bool fits = head.bytes % kAlignment == 0 && head.bytes <= segment.size() - offset &&
                    head.records >= 1 &&
                    head.bytes >= kBatchHeadBytes + head.records * kRecordHeadBytes;
  if (!fits) return std::nullopt;
  // The first is above another one, so it is not 0.
  const bool numbered = head.first_number <= kMaxNumber &&
                        head.records - 1 <= kMaxNumber - head.first_number &&
                        head.synced < head.first_number;
  if (!numbered) return std::nullopt;
  if (LoadLe<uint64_t>(at + batch_at::kHeadChecksum) !=
      HeadChecksum(at, {.segment_key = segment_key, .offset = offset})) {
    return std::nullopt;
  }
  return head;
}

std::optional<BatchHead> ReadBatch(std::string_view segment, uint64_t offset,
                                   uint64_t segment_key) {
  const auto head = ReadBatchHead(segment, offset, segment_key);
  if (!head) return std::nullopt;
  const auto expected = LoadLe<uint64_t>(segment.data() + offset + batch_at::kRecordsChecksum);
  if (CheckRecords(segment, offset, *head) != expected) return std::nullopt;
  return head;
}

}  // namespace larder::log

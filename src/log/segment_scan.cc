#include "log/segment_scan.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "log/fixed_head.h"

namespace larder::log {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr std::array<char, kPageBytes> kZeroPage{};

bool IsZeros(std::string_view bytes) {
  return std::memcmp(bytes.data(), kZeroPage.data(), bytes.size()) == 0;
}

// Collects the marks of what a crash has left behind the hole that begins at scan.end.
void SearchBehindHole(std::string_view segment, uint64_t key, uint64_t data_end,
                      SegmentScan& scan) {
  uint64_t at = scan.end;
  // Up to here records have been checked in vain; checking them again for heads that claim to lie
  // among them could take forever.
  uint64_t checked_to = at;
  while (at < data_end && segment.size() - at >= kBatchHeadBytes) {
    // A head has its lengths there, which are not zero.
    const auto lengths = LoadLe<uint64_t>(segment.data() + at + batch_at::kBytes);
    if (lengths == 0) {
      at = SkipZeros(segment, at + batch_at::kBytes) - batch_at::kBytes;
      continue;
    }
    // Most data is no head by this alone.
    if (lengths % kAlignment != 0) {
      at += kAlignment;
      continue;
    }
    const auto head = ReadBatchHead(segment, at, key);
    if (!head || !CanStandBehind(scan.end, scan.next_number, at, *head)) {
      at += kAlignment;
      continue;
    }
    scan.highest_synced = std::max(scan.highest_synced, head->synced);
    if (at >= checked_to && ReadBatch(segment, at, key)) {
      ++scan.whole_after;
      at += head->bytes;
      continue;
    }
    checked_to = std::max(checked_to, at + head->bytes);
    at += kAlignment;
  }
}

uint64_t EndOfSynced(std::string_view segment, const SegmentScan& scan) {
  uint64_t at = kSegmentHeadBytes;
  while (at < scan.end) {
    const char* const head = segment.data() + at;
    const uint64_t next = LoadLe<uint64_t>(head + batch_at::kFirstNumber) +
                          LoadLe<uint32_t>(head + batch_at::kRecords);
    if (next - 1 > scan.highest_synced) break;
    at += LoadLe<uint32_t>(head + batch_at::kBytes);
  }
  return at;
}

}  // namespace

uint64_t SkipZeros(std::string_view segment, uint64_t at) {
  while (segment.size() - at >= kPageBytes && IsZeros(segment.substr(at, kPageBytes))) {
    at += kPageBytes;
  }
  while (segment.size() - at >= kAlignment && LoadLe<uint64_t>(segment.data() + at) == 0) {
    at += kAlignment;
  }
  return at;
}

uint64_t EndOfData(std::string_view segment, uint64_t from) {
  uint64_t end = std::max<uint64_t>(segment.size(), from);
  while (end - from >= kPageBytes && IsZeros(segment.substr(end - kPageBytes, kPageBytes))) {
    end -= kPageBytes;
  }
  while (end > from && segment[end - 1] == '\0') --end;
  return end;
}

bool CanStandBehind(uint64_t end, uint64_t next_number, uint64_t offset, const BatchHead& head) {
  if (offset == end) return head.first_number == next_number;
  const uint64_t room = offset - end;
  return head.first_number > next_number && room > kBatchHeadBytes &&
         head.first_number - next_number <= (room - kBatchHeadBytes) / kRecordHeadBytes;
}

std::string MakeSegmentHead(const SegmentHead& head) {
  std::string bytes = BeginHead(kSegmentMagic, head.id, kSegmentHeadBytes);
  StoreLe(bytes.data() + segment_at::kFirstNumber, head.first_number);
  StoreLe(bytes.data() + segment_at::kMadeAtMs, head.made_at_ms);
  StoreLe(bytes.data() + segment_at::kLastBefore, head.last_before);
  StoreLe(bytes.data() + segment_at::kMayBeMarked, uint32_t{head.may_be_marked});
  SealHead(bytes);
  return bytes;
}

Result<SegmentHead> ReadSegmentHead(std::string_view segment, std::string_view name) {
  if (segment.size() < kSegmentHeadBytes) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{}: {} bytes, a segment has {} or more", name,
                                                 segment.size(), kSegmentHeadBytes));
  }
  const std::string_view bytes = segment.substr(0, kSegmentHeadBytes);
  LARDER_TRY(CheckHead(bytes, kSegmentMagic, name));
  const SegmentHead head{
      .id = LogIdOfHead(bytes),
      .first_number = LoadLe<uint64_t>(bytes.data() + segment_at::kFirstNumber),
      .made_at_ms = LoadLe<int64_t>(bytes.data() + segment_at::kMadeAtMs),
      .last_before = LoadLe<uint64_t>(bytes.data() + segment_at::kLastBefore),
      .may_be_marked = LoadLe<uint32_t>(bytes.data() + segment_at::kMayBeMarked) != 0};
  const bool can_be = head.first_number >= 1 && head.first_number <= kMaxNumber &&
                      head.last_before < head.first_number;
  LARDER_TRY(CheckRemade(bytes, can_be ? MakeSegmentHead(head) : "", name));
  return head;
}

SegmentScan ScanSegment(std::string_view segment, const SegmentHead& head, uint64_t known_synced,
                        const VisitBatch& visit) {
  const uint64_t key = head.key();
  SegmentScan scan;
  scan.next_number = head.first_number;
  scan.highest_synced = known_synced;
  while (true) {
    const auto batch = ReadBatch(segment, scan.end, key);
    if (!batch || batch->first_number != scan.next_number) break;
    if (visit) visit(scan.end, *batch);
    scan.highest_synced = std::max(scan.highest_synced, batch->synced);
    scan.next_number = batch->last_number() + 1;
    scan.end += batch->bytes;
    ++scan.batches;
  }
  const uint64_t data_end = EndOfData(segment, scan.end);
  scan.bytes_after = data_end - scan.end;
  if (!scan.clean()) SearchBehindHole(segment, key, data_end, scan);
  scan.end_of_synced = EndOfSynced(segment, scan);
  return scan;
}

}  // namespace larder::log

// Whatever the bytes of a log's files are: looking through them ends, the holes and batches of a
// segment lie in order, and what Salvage makes of them is a log without a fault.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "io/faulty_file_system.h"
#include "log/examine.h"
#include "log/read_through.h"
#include "log/salvage.h"
#include "log/segment_walk.h"
#include "log/test_segment.h"

namespace larder::log {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// Seals whatever stands where batches follow each other, so that most inputs have some that are
// right.
void SealSegment(std::string& segment, uint64_t key, uint8_t spared) {
  uint64_t at = kSegmentHeadBytes;
  for (uint64_t batch = 0; at < segment.size() && segment.size() - at >= kBatchHeadBytes; ++batch) {
    if ((spared >> (batch % 8) & 1) == 0) SealBatch(segment, at, key);
    const uint64_t bytes = LoadLe<uint32_t>(segment.data() + at + batch_at::kBytes);
    at += bytes % kAlignment == 0 && bytes >= kBatchHeadBytes ? bytes : kBatchHeadBytes * 2;
  }
}

void CheckWalk(std::string_view segment, const SegmentHead& head) {
  uint64_t end = kSegmentHeadBytes;
  uint64_t next = head.first_number;
  uint64_t batches = 0;
  const SegmentWalk walk = WalkSegment(segment, head, [&](uint64_t offset, const BatchHead& batch) {
    Require(offset >= end && batch.first_number >= next);
    Require(ReadBatch(segment, offset, head.key()).has_value());
    end = offset + batch.bytes;
    next = batch.last_number() + 1;
    ++batches;
  });
  Require(walk.end == end && walk.next_number == next && walk.batches == batches);
  end = kSegmentHeadBytes;
  for (const Hole& hole : walk.holes) {
    Require(hole.from >= end && hole.from < hole.to && hole.to <= segment.size());
    Require(hole.next_number == 0 || hole.next_number > hole.first_number);
    end = hole.to;
  }
  // What recovery finds at the front is the same.
  const SegmentScan scan = ScanSegment(segment, head);
  Require(scan.batches <= walk.batches);
  Require(scan.clean() == walk.holes.empty());
  if (!walk.holes.empty()) Require(walk.holes.front().from == scan.end);
}

void CheckSalvage(io::FaultyFileSystem& files, bool single_records) {
  const LogPlace from{.directory = "/log"};
  const LogPlace to{.directory = "/new"};
  const bool inspected = InspectLog(files, from).has_value();
  const bool read = ReadThrough(files, from, {}).has_value();
  const auto report = Salvage(
      files, {.from = from, .to_directory = to.directory, .single_records = single_records});
  Require(inspected && read);
  if (!report) return;  // nothing tells the id
  const auto again = ReadThrough(files, to, {});
  Require(again.has_value());
  Require(again->damaged == 0 && again->notes == 0);
  Require(again->records == report->records && again->batches == report->batches);
  Require(report->reserved >= report->newest);
}

}  // namespace
}  // namespace larder::log

// A byte of choices, one of batches that are left as they are, one that says how long the index is
// (in entries), the index's entries; the rest are the batches of two segments.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::log;  // NOLINT(google-build-using-namespace)
  if (size < 3) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const uint8_t choices = data[0];
  const std::string_view entries = input.substr(3, std::size_t{data[2]} * kIndexEntryBytes);
  const std::string_view batches = input.substr(3 + entries.size());
  const TestSegment first({.first_number = 1});
  std::string segment = first.bytes + std::string(batches);
  SealSegment(segment, first.head.key(), data[1]);
  if ((choices & 2) != 0) segment[8] = 'x';  // the head
  CheckWalk(segment, first.head);
  larder::io::FaultyFileSystem files;
  files.PutFile("/log/" + SegmentName("log", 1), segment);
  files.PutFile("/log/" + IndexName("log", 1),
                MakeIndexHead({.id = first.head.id, .first_number = 1}) + std::string(entries));
  if ((choices & 4) != 0) {
    const TestSegment next({.first_number = 3});
    files.PutFile("/log/" + SegmentName("log", 3), next.bytes + std::string(batches));
  }
  if ((choices & 8) != 0) {
    files.PutFile(
        "/log/log.numbers",
        MakeNumbersFile({.id = first.head.id, .reserved = 1000, .synced = data[1], .boot = 1}));
  }
  CheckSalvage(files, (choices & 1) != 0);
  return 0;
}

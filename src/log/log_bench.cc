// Making batches, looking through a segment and reading single records of it: what an append and a
// read cost without the disk. Records a second are "items_per_second".
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "log/batch.h"
#include "log/segment_scan.h"
#include "log/small_files.h"

namespace larder::log {
namespace {

constexpr uint64_t kRecordBytes = 256;
constexpr uint64_t kSegmentBytes = uint64_t{64} << 20;
constexpr SegmentHead kHead{.id = {'b', 'e', 'n', 'c', 'h'}, .first_number = 1};

void CountRecords(benchmark::State& state, uint64_t records_each_time) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(records_each_time));
}

void CountSegments(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kSegmentBytes));
}

void BM_Encode(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  const std::vector<std::string> data(count, std::string(kRecordBytes, 'r'));
  const std::vector<std::string_view> records(data.begin(), data.end());
  BatchEncoder encoder;
  uint64_t number = 1;
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(encoder.Encode(records, number, 0, number - 1,
                                            {.segment_key = 7, .offset = kSegmentHeadBytes}));
    number += count;
  }
  CountRecords(state, count);
}
BENCHMARK(BM_Encode)->Arg(1)->Arg(100);

struct Segment {
  std::string bytes = MakeSegmentHead(kHead);
  std::string index;
  uint64_t records = 0;

  explicit Segment(uint64_t batch_records) {
    const std::string data(kRecordBytes, 'r');
    const std::vector<std::string_view> batch(batch_records, data);
    BatchEncoder encoder;
    index = MakeIndexHead({.id = kHead.id, .first_number = kHead.first_number});
    while (bytes.size() + BatchBytes(batch) <= kSegmentBytes) {
      bytes += encoder.Encode(batch, 1 + records, 0, records,
                              {.segment_key = kHead.key(), .offset = bytes.size()});
      index += encoder.index_entries();
      records += batch_records;
    }
    bytes.resize(kSegmentBytes);
  }
};

void BM_ScanSegment(benchmark::State& state) {
  const Segment segment(static_cast<uint64_t>(state.range(0)));
  while (state.KeepRunning()) benchmark::DoNotOptimize(ScanSegment(segment.bytes, kHead));
  CountRecords(state, segment.records);
}
BENCHMARK(BM_ScanSegment)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond);

// The first batch is damaged: everything is behind a hole.
void BM_ScanBehindHole(benchmark::State& state) {
  Segment segment(100);
  segment.bytes[kSegmentHeadBytes] ^= 1;
  while (state.KeepRunning()) benchmark::DoNotOptimize(ScanSegment(segment.bytes, kHead));
  CountRecords(state, segment.records);
}
BENCHMARK(BM_ScanBehindHole)->Unit(benchmark::kMillisecond);

// No head is right, so every 8 bytes are looked at.
void BM_ScanForeignData(benchmark::State& state) {
  Segment segment(100);
  SegmentHead other = kHead;
  other.id[0] ^= 1;
  while (state.KeepRunning()) benchmark::DoNotOptimize(ScanSegment(segment.bytes, other));
  CountSegments(state);
}
BENCHMARK(BM_ScanForeignData)->Unit(benchmark::kMillisecond);

void BM_ScanZeros(benchmark::State& state) {
  const std::string zeros(kSegmentBytes, '\0');
  while (state.KeepRunning()) benchmark::DoNotOptimize(ScanSegment(zeros, kHead));
  CountSegments(state);
}
BENCHMARK(BM_ScanZeros)->Unit(benchmark::kMillisecond);

// By number, through the index; the first `range` records only.
void BM_ReadRecord(benchmark::State& state) {
  const Segment segment(100);
  const auto among = static_cast<uint64_t>(state.range(0));  // a power of 2
  uint64_t random = 1;
  while (state.KeepRunning()) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const uint64_t position = (random >> 33) & (among - 1);
    const uint64_t offset = IndexedOffset(segment.index, position).value_or(0);
    benchmark::DoNotOptimize(ReadRecord(segment.bytes, offset, 1 + position));
  }
  CountRecords(state, 1);
}
BENCHMARK(BM_ReadRecord)->Arg(64)->Arg(1 << 17);

}  // namespace
}  // namespace larder::log

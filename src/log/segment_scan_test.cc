#include "log/segment_scan.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "log/test_segment.h"

namespace larder::log {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBlock = 4096;  // what the disk writes as one

struct Found {
  SegmentScan scan;
  std::vector<uint64_t> offsets;  // of the visited batches
};

Found Scan(const TestSegment& segment, std::string_view bytes, uint64_t known_synced = 0) {
  Found found;
  found.scan =
      ScanSegment(bytes, segment.head, known_synced,
                  [&](uint64_t offset, const BatchHead&) { found.offsets.push_back(offset); });
  EXPECT_EQ(found.scan.batches, found.offsets.size());
  return found;
}

// That the first `count` batches of `segment`, and no more, were found at the front of `bytes`.
void ExpectFront(const TestSegment& segment, const Found& found, uint64_t count) {
  ASSERT_EQ(found.scan.batches, count);
  for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(found.offsets[i], segment.batches[i].offset);
  const bool none = count == 0;
  EXPECT_EQ(found.scan.end, none ? kSegmentHeadBytes : segment.batches[count - 1].end());
  EXPECT_EQ(found.scan.next_number,
            none ? segment.head.first_number : segment.batches[count - 1].head.last_number() + 1);
}

// Three batches: 1000 and 1001, 1002, 1003 to 1005.
TestSegment SmallSegment(uint64_t synced_in_last = 0) {
  TestSegment segment;
  segment.Append({"first", "second"});
  segment.Append({std::string(50, 'x')});
  segment.Append({"4", "", "six"}, synced_in_last);
  return segment;
}

void Zero(std::string& bytes, uint64_t from, uint64_t to) {
  std::fill(bytes.begin() + static_cast<int64_t>(from), bytes.begin() + static_cast<int64_t>(to),
            '\0');
}

ErrorCode HeadError(std::string_view bytes) {
  const auto head = ReadSegmentHead(bytes, "the.seg");
  EXPECT_FALSE(head);
  if (head) return ErrorCode::kInternal;
  EXPECT_THAT(head.error().message(), HasSubstr("the.seg: "));
  return head.error().code();
}

TEST(SegmentHead, IsReadBack) {
  for (const SegmentHead& head :
       {SegmentHead{.id = {'i'}, .first_number = 1}, SegmentHead{.id = {},
                                                                 .first_number = kMaxNumber,
                                                                 .made_at_ms = -1,
                                                                 .last_before = kMaxNumber - 1,
                                                                 .may_be_marked = true}}) {
    const std::string bytes = MakeSegmentHead(head);
    EXPECT_EQ(bytes.size(), kSegmentHeadBytes);
    EXPECT_EQ(ReadSegmentHead(bytes, "s").value(), head);
    EXPECT_EQ(ReadSegmentHead(bytes + "batches", "s").value(), head);
  }
}

TEST(SegmentHead, WithAnyOneBitChangedOrCutIsCorrupt) {
  const std::string bytes = MakeSegmentHead({.id = {'i'}, .first_number = 5, .last_before = 4});
  for (uint64_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1 << at % 8);
    ASSERT_EQ(HeadError(changed), ErrorCode::kCorrupt) << at;
    ASSERT_EQ(HeadError(std::string_view(bytes).substr(0, at)), ErrorCode::kCorrupt) << at;
  }
  EXPECT_EQ(HeadError(std::string(kSegmentHeadBytes, '\0')), ErrorCode::kCorrupt);
}

template <typename T>
ErrorCode ErrorWith(uint64_t at, T value) {
  std::string bytes = MakeSegmentHead({.id = {'i'}, .first_number = 5, .last_before = 4});
  StoreLe(bytes.data() + at, value);
  StoreLe(bytes.data() + bytes.size() - 8,
          Checksum64(std::string_view(bytes).substr(0, bytes.size() - 8)));
  return HeadError(bytes);
}

TEST(SegmentHead, WithValuesThatCannotBeIsNotTaken) {
  EXPECT_EQ(ErrorWith(kHeadVersionAt, uint32_t{2}), ErrorCode::kUnsupported);
  EXPECT_EQ(ErrorWith(12, uint32_t{1}), ErrorCode::kCorrupt);
  EXPECT_EQ(ErrorWith(segment_at::kFirstNumber, uint64_t{0}), ErrorCode::kCorrupt);
  EXPECT_EQ(ErrorWith(segment_at::kFirstNumber, UINT64_MAX), ErrorCode::kCorrupt);
  EXPECT_EQ(ErrorWith(segment_at::kLastBefore, uint64_t{5}), ErrorCode::kCorrupt);
  EXPECT_EQ(ErrorWith(segment_at::kMayBeMarked, uint32_t{2}), ErrorCode::kCorrupt);
  EXPECT_EQ(ErrorWith(4087, char{1}), ErrorCode::kCorrupt);
}

TEST(SegmentScan, OfNothingIsClean) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{8}, kSegmentHeadBytes, kFirstAllocation}) {
    const TestSegment segment;
    const Found found = Scan(segment, std::string(bytes, '\0'));
    ExpectFront(segment, found, 0);
    EXPECT_TRUE(found.scan.clean());
    EXPECT_FALSE(found.scan.damaged());
    EXPECT_EQ(found.scan.end_of_synced, kSegmentHeadBytes);
  }
}

TEST(SegmentScan, FindsAllBatchesBeforeZeros) {
  TestSegment segment = SmallSegment(1001);
  for (const uint64_t zeros : {0u, 1u, 7u, 8u, 48u, 4095u, 4096u, 70000u}) {
    const Found found = Scan(segment, segment.bytes + std::string(zeros, '\0'));
    ExpectFront(segment, found, 3);
    EXPECT_TRUE(found.scan.clean());
    EXPECT_FALSE(found.scan.damaged());
    EXPECT_EQ(found.scan.highest_synced, 1001u);
    EXPECT_EQ(found.scan.end_of_synced, segment.batches[0].end());
  }
}

TEST(SegmentScan, TellsUpToWhereBatchesAreMarkedAsSynced) {
  const TestSegment segment = SmallSegment(1000);
  EXPECT_EQ(Scan(segment, segment.bytes).scan.end_of_synced, kSegmentHeadBytes);  // half a batch
  EXPECT_EQ(Scan(segment, segment.bytes, 1001).scan.end_of_synced, segment.batches[0].end());
  EXPECT_EQ(Scan(segment, segment.bytes, 1004).scan.end_of_synced, segment.batches[1].end());
  EXPECT_EQ(Scan(segment, segment.bytes, 1005).scan.end_of_synced, segment.bytes.size());
}

TEST(SegmentScan, OfASegmentCutAnywhereFindsTheWholeBatches) {
  const TestSegment segment = SmallSegment();
  for (uint64_t bytes = 0; bytes < segment.bytes.size(); ++bytes) {
    const uint64_t whole = static_cast<uint64_t>(
        std::ranges::count_if(segment.batches, [&](const auto& b) { return b.end() <= bytes; }));
    const std::vector<char> cut(segment.bytes.begin(),
                                segment.bytes.begin() + static_cast<int64_t>(bytes));
    const Found found = Scan(segment, {cut.data(), cut.size()});
    ExpectFront(segment, found, whole);
    EXPECT_FALSE(found.scan.damaged());
    const bool at_end = bytes <= kSegmentHeadBytes || bytes == found.scan.end;
    EXPECT_EQ(found.scan.clean(), at_end) << bytes;
  }
}

TEST(SegmentScan, CallsATailOfAnyLengthTorn) {
  const TestSegment segment = SmallSegment(1002);
  const TestBatch& last = segment.batches.back();
  for (uint64_t kept = last.offset; kept < last.end(); ++kept) {
    std::string torn = segment.bytes + std::string(5000, '\0');
    Zero(torn, kept, last.end());
    if (torn.compare(0, segment.bytes.size(), segment.bytes) == 0) continue;  // fill was cut
    const Found found = Scan(segment, torn);
    ExpectFront(segment, found, 2);
    EXPECT_FALSE(found.scan.damaged());
    const uint64_t data_end = std::max<uint64_t>(torn.find_last_not_of('\0') + 1, last.offset);
    EXPECT_EQ(found.scan.bytes_after, data_end - last.offset);
    EXPECT_EQ(found.scan.whole_after, 0u);
  }
}

TEST(SegmentScan, NoticesEveryChangedByte) {
  const TestSegment segment = SmallSegment();
  for (uint64_t at = kSegmentHeadBytes; at < segment.bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = segment.bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      const auto hit =
          std::ranges::find_if(segment.batches, [&](const auto& b) { return at < b.end(); });
      const auto before = static_cast<uint64_t>(hit - segment.batches.begin());
      const Found found = Scan(segment, changed);
      ExpectFront(segment, found, before);
      EXPECT_FALSE(found.scan.clean());
      EXPECT_EQ(found.scan.whole_after, segment.batches.size() - before - 1);
      EXPECT_FALSE(found.scan.damaged());
    }
  }
}

TEST(SegmentScan, TellsDamageByAMarkBehindIt) {
  for (uint64_t mark = 0; mark <= 1002; ++mark) {
    const TestSegment segment = SmallSegment(mark);
    for (uint64_t hit = 0; hit < 2; ++hit) {
      std::string hole = segment.bytes;
      hole[segment.batches[hit].offset + 1] ^= 1;
      const Found found = Scan(segment, hole);
      ExpectFront(segment, found, hit);
      EXPECT_EQ(found.scan.damaged(), mark >= segment.batches[hit].head.first_number)
          << mark << " " << hit;
      EXPECT_EQ(found.scan.highest_synced, mark);
    }
  }
}

TEST(SegmentScan, TellsDamageByAHeadWhoseRecordsWereLost) {
  for (const uint64_t mark : {999u, 1001u}) {
    const TestSegment segment = SmallSegment(mark);
    std::string hole = segment.bytes;
    Zero(hole, segment.batches[0].offset, segment.batches[1].end());
    Zero(hole, segment.batches[2].offset + kBatchHeadBytes, hole.size());
    const Found found = Scan(segment, hole);
    ExpectFront(segment, found, 0);
    EXPECT_EQ(found.scan.whole_after, 0u);
    EXPECT_EQ(found.scan.damaged(), mark == 1001);
  }
}

TEST(SegmentScan, TellsDamageByWhatIsKnownFromElsewhere) {
  TestSegment segment = SmallSegment();
  const std::string cut = segment.bytes.substr(0, segment.batches[1].end());
  EXPECT_FALSE(Scan(segment, cut, 1002).scan.damaged());
  EXPECT_TRUE(Scan(segment, cut, 1003).scan.damaged());
  EXPECT_FALSE(Scan(segment, "", 999).scan.damaged());
  EXPECT_TRUE(Scan(segment, "", 1000).scan.damaged());
}

TEST(SegmentScan, FindsABatchBehindAnyLengthOfZeros) {
  for (uint64_t zeros = 64; zeros < 3 * kBlock; zeros += 8) {
    TestSegment segment;
    segment.Append({std::string(zeros - kBatchHeadBytes - kRecordHeadBytes, 'x')});
    segment.Append({"behind"}, 1000);
    Zero(segment.bytes, segment.batches[0].offset, segment.batches[0].end());
    const Found found = Scan(segment, segment.bytes + std::string(zeros, '\0'));
    ExpectFront(segment, found, 0);
    ASSERT_EQ(found.scan.whole_after, 1u) << zeros;
    ASSERT_TRUE(found.scan.damaged());
    ASSERT_EQ(found.scan.bytes_after, segment.bytes.find_last_not_of('\0') + 1 - kSegmentHeadBytes);
  }
}

// A segment as it is while it is written, and what of it the disk is known to have.
struct Written {
  TestSegment segment;
  uint64_t synced_bytes = kSegmentHeadBytes;
  uint64_t synced = 0;
  uint64_t synced_batches = 0;

  void Append(uint64_t record_bytes) {
    segment.Append({std::string(record_bytes, 'r'), "second"}, synced);
  }
  void Sync() {
    synced_bytes = segment.bytes.size();
    synced = segment.next_number - 1;
    synced_batches = segment.batches.size();
  }
  uint64_t first_unsynced_block() const { return synced_bytes / kBlock; }
  uint64_t unsynced_blocks() const {
    return (segment.bytes.size() + kBlock - 1) / kBlock - first_unsynced_block();
  }
  // Of the blocks that were not synced, those with a bit in `survivors` are as they were last.
  std::string AfterPowerCut(uint64_t survivors) const {
    std::string disk = segment.bytes;
    for (uint64_t block = 0; block < unsynced_blocks(); ++block) {
      if ((survivors >> block & 1) != 0) continue;
      const uint64_t begin = (first_unsynced_block() + block) * kBlock;
      Zero(disk, std::max(begin, synced_bytes), std::min<uint64_t>(begin + kBlock, disk.size()));
    }
    return disk;
  }
};

void ExpectTornTail(const Written& written, const std::string& disk) {
  const TestSegment& segment = written.segment;
  uint64_t whole = 0;
  while (whole < segment.batches.size() &&
         disk.compare(segment.batches[whole].offset, segment.batches[whole].head.bytes,
                      segment.bytes, segment.batches[whole].offset,
                      segment.batches[whole].head.bytes) == 0) {
    ++whole;
  }
  ASSERT_GE(whole, written.synced_batches);
  const Found found = Scan(segment, disk, written.synced);
  ExpectFront(segment, found, whole);
  ASSERT_FALSE(found.scan.damaged());
}

TEST(PowerCut, LeavesATornTailWhateverBlocksSurvive) {
  std::mt19937_64 random(77);
  const uint64_t runs = ScaledCount(20, 3);
  for (uint64_t run = 0; run < runs; ++run) {
    Written written;
    while (written.segment.batches.size() < 40) {
      written.Append(random() % 2500);
      if (written.unsynced_blocks() > 8 || random() % 8 == 0) written.Sync();
      for (uint64_t survivors = 0; survivors < uint64_t{1} << written.unsynced_blocks();
           ++survivors) {
        ASSERT_NO_FATAL_FAILURE(ExpectTornTail(written, written.AfterPowerCut(survivors)))
            << "run " << run << ", batches " << written.segment.batches.size() << ", survivors "
            << survivors;
      }
    }
  }
}

TEST(PowerCut, HidesNoDamageToWhatALaterBatchCallsSynced) {
  std::mt19937_64 random(78);
  Written written;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) written.Append(random() % 2500);
    written.Sync();
  }
  written.Append(10);  // carries the mark
  written.Append(5000);
  for (uint64_t hit = 0; hit < written.synced_batches; ++hit) {
    const TestBatch& batch = written.segment.batches[hit];
    // The block of the last batch is lost, or not.
    for (const uint64_t survivors : {uint64_t{1}, UINT64_MAX}) {
      std::string disk = written.AfterPowerCut(survivors);
      disk[batch.offset + random() % batch.head.bytes] ^= 1;
      const Found found = Scan(written.segment, disk);
      ExpectFront(written.segment, found, hit);
      EXPECT_TRUE(found.scan.damaged()) << hit;
    }
  }
}

// A segment with a hole in which `data` is what a record held.
SegmentScan ScanHoleWith(const TestSegment& segment, const std::string& data) {
  TestSegment holder(segment.head);
  holder.Append({data});
  holder.Append({"behind"});
  holder.bytes[kSegmentHeadBytes] ^= 1;
  return ScanSegment(holder.bytes, holder.head);
}

TEST(SegmentScan, TakesNoDataForBatches) {
  TestSegment segment = SmallSegment(1002);
  EXPECT_EQ(ScanHoleWith(segment, "").whole_after, 1u);
  for (uint64_t shift = 0; shift < 16; ++shift) {
    const SegmentScan scan = ScanHoleWith(segment, std::string(shift, 's') + segment.bytes);
    EXPECT_EQ(scan.whole_after, 1u) << shift;
    EXPECT_EQ(scan.highest_synced, 0u);
  }
}

TEST(SegmentScan, TakesNoBatchOfAnotherSegmentForItsOwn) {
  TestSegment segment;
  segment.Append({"first"});
  TestSegment older({.first_number = 900});
  TestSegment foreign({.id = {'o', 't', 'h', 'e', 'r'}});
  for (TestSegment* other : {&older, &foreign}) {
    while (other->bytes.size() < segment.bytes.size() + 500) other->Append({"stale"}, 899);
    const std::string stale = segment.bytes + other->bytes.substr(segment.bytes.size());
    const Found found = Scan(segment, stale);
    ExpectFront(segment, found, 1);
    EXPECT_EQ(found.scan.whole_after, 0u);
    EXPECT_EQ(found.scan.highest_synced, 0u);
  }
}

// What is whole `gap` bytes behind the first batch of a segment, numbered on from 1001 + `skipped`.
SegmentScan ScanWithBatchBehind(uint64_t gap, uint64_t skipped) {
  TestSegment segment;
  segment.Append({"first"});
  segment.bytes.append(gap, '\0');
  segment.next_number = 1001 + skipped;
  segment.Append({"behind"}, 1000 + skipped);
  return ScanSegment(segment.bytes, segment.head);
}

TEST(SegmentScan, TakesNoBatchThatWasNotThereWithThoseBefore) {
  EXPECT_EQ(ScanWithBatchBehind(0, 0).batches, 2u);
  // Numbered on, but not in place; or in place, but not numbered on.
  EXPECT_EQ(ScanWithBatchBehind(64, 0).batches, 1u);
  EXPECT_EQ(ScanWithBatchBehind(0, 1).batches, 1u);
  EXPECT_EQ(ScanWithBatchBehind(64, 0).whole_after, 0u);
  EXPECT_EQ(ScanWithBatchBehind(0, 1).whole_after, 0u);
  EXPECT_FALSE(ScanWithBatchBehind(64, 0).damaged());
  EXPECT_FALSE(ScanWithBatchBehind(0, 1).damaged());
  // A batch of one or two records is missing, for more there is no room.
  EXPECT_TRUE(ScanWithBatchBehind(64, 1).damaged());
  EXPECT_EQ(ScanWithBatchBehind(64, 2).whole_after, 1u);
  EXPECT_EQ(ScanWithBatchBehind(64, 3).whole_after, 0u);
  EXPECT_EQ(ScanWithBatchBehind(48, 1).whole_after, 0u);
  EXPECT_EQ(ScanWithBatchBehind(64, uint64_t{1} << 63).whole_after, 0u);
}

TEST(SegmentScan, FindsAHeadThatHasZerosInIt) {
  TestSegment segment = SmallSegment(1001);
  const uint64_t offset = segment.batches[2].offset;
  StoreLe(segment.bytes.data() + offset + batch_at::kRecordsChecksum, uint64_t{0});
  SealBatchHead(segment.bytes, offset, segment.head.key());
  segment.bytes[segment.batches[0].offset] ^= 1;
  segment.bytes[segment.batches[1].offset] ^= 1;
  EXPECT_TRUE(Scan(segment, segment.bytes).scan.damaged());
}

TEST(SegmentScan, GoesOnInsideOfABatchWhoseRecordsAreNotRight) {
  // The head at the hole claims everything behind it.
  TestSegment segment;
  segment.Append({"first"});
  segment.Append({"second"});
  segment.Append({"third"}, 1001);
  char* const head = segment.bytes.data() + kSegmentHeadBytes;
  StoreLe(head + batch_at::kBytes, static_cast<uint32_t>(segment.bytes.size() - kSegmentHeadBytes));
  SealBatchHead(segment.bytes, kSegmentHeadBytes, segment.head.key());
  const Found found = Scan(segment, segment.bytes);
  ExpectFront(segment, found, 0);
  EXPECT_TRUE(found.scan.damaged());
}

TEST(SegmentScan, GoesToTheGreatestNumber) {
  TestSegment segment({.first_number = kMaxNumber - 1});
  segment.Append({"last but one", "last"});
  const Found found = Scan(segment, segment.bytes, kMaxNumber);
  ExpectFront(segment, found, 1);
  EXPECT_EQ(found.scan.next_number, UINT64_MAX);
  EXPECT_EQ(found.scan.end_of_synced, segment.bytes.size());
  EXPECT_FALSE(found.scan.damaged());
}

TEST(SegmentScan, BelievesNoRandomBytes) {
  std::mt19937_64 random(79);
  const TestSegment segment = SmallSegment();
  const uint64_t runs = ScaledCount(200, 20);
  for (uint64_t run = 0; run < runs; ++run) {
    std::string bytes = segment.bytes;
    bytes.resize(bytes.size() + random() % 3000);
    for (uint64_t at = segment.bytes.size(); at < bytes.size(); ++at) {
      // Small numbers, as lengths have them, and zeros.
      bytes[at] = random() % 4 == 0 ? static_cast<char>(random()) : '\0';
    }
    const Found found = Scan(segment, bytes);
    ExpectFront(segment, found, 3);
    EXPECT_EQ(found.scan.whole_after, 0u);
    EXPECT_EQ(found.scan.bytes_after, bytes.find_last_not_of('\0') + 1 - segment.bytes.size());
  }
}

}  // namespace
}  // namespace larder::log

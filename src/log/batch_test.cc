#include "log/batch.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "log/test_segment.h"

namespace larder::log {
namespace {

using ::testing::ElementsAreArray;

constexpr uint64_t kOffset = kSegmentHeadBytes;

std::vector<std::string> RecordsAt(std::string_view segment, uint64_t offset,
                                   const BatchHead& head) {
  std::vector<std::string> records;
  ForEachRecord(segment, offset, head,
                [&](const RecordInBatch& record) { records.emplace_back(record.data); });
  return records;
}

// Of no records when there is no whole batch.
BatchHead WholeHead(const TestSegment& segment, uint64_t offset) {
  return ReadBatch(segment.bytes, offset, segment.head.key()).value_or(BatchHead{});
}

bool Whole(const TestSegment& segment, std::string_view bytes) {
  return ReadBatch(bytes, kOffset, segment.head.key()).has_value();
}

// A batch of `records` whose number fields are changed by `change` and whose checksums are right.
template <typename Change>
bool WholeAfter(const std::vector<std::string>& records, const Change& change) {
  TestSegment segment;
  segment.Append(records);
  change(segment.bytes);
  SealBatch(segment.bytes, kOffset, segment.head.key());
  return Whole(segment, segment.bytes);
}

std::vector<std::string> RandomRecords(std::mt19937_64& random) {
  std::vector<std::string> records(1 + random() % 20);
  for (std::string& record : records) {
    record.resize(random() % 16 == 0 ? random() % 5000 : random() % 40);
    for (char& byte : record) byte = static_cast<char>(random());
  }
  return records;
}

TEST(Batch, ReadsWhatWasEncoded) {
  std::mt19937_64 random(20240607);
  TestSegment segment({.first_number = 1 + (random() >> 1)});
  const uint64_t count = ScaledCount(300);
  for (uint64_t i = 0; i < count; ++i) {
    segment.Append(RandomRecords(random), random() % segment.next_number);
  }
  uint64_t position = 0;
  for (const TestBatch& batch : segment.batches) {
    const BatchHead head = WholeHead(segment, batch.offset);
    EXPECT_EQ(head.bytes, batch.head.bytes);
    EXPECT_EQ(head.records, batch.head.records);
    EXPECT_EQ(head.first_number, batch.head.first_number);
    EXPECT_EQ(head.time_ms, batch.head.time_ms);
    EXPECT_EQ(head.synced, batch.head.synced);
    EXPECT_THAT(RecordsAt(segment.bytes, batch.offset, head), ElementsAreArray(batch.records));
    for (uint64_t i = 0; i < batch.records.size(); ++i, ++position) {
      const auto entry = LoadLe<uint32_t>(segment.index_entries.data() + position * 4);
      EXPECT_EQ(DataOf(segment.bytes, entry * kAlignment, batch.head.first_number + i),
                batch.records[i]);
    }
  }
}

TEST(Batch, FillsItsSpaceWithZerosWhateverTheLengthOfARecord) {
  for (uint64_t bytes = 0; bytes <= 24; ++bytes) {
    TestSegment segment;
    segment.Append({std::string(bytes, 'x'), std::string(bytes, 'y')});
    ASSERT_EQ(segment.bytes.size(), kOffset + kBatchHeadBytes + 2 * (8 + (bytes + 7) / 8 * 8));
    const BatchHead head = WholeHead(segment, kOffset);
    EXPECT_THAT(RecordsAt(segment.bytes, kOffset, head),
                ElementsAreArray(segment.batches[0].records));
    const uint64_t fill = (8 - bytes % 8) % 8;
    EXPECT_TRUE(segment.bytes.ends_with(std::string(fill, '\0')));
    EXPECT_EQ(segment.bytes[segment.bytes.size() - fill - 1] == 'y', bytes != 0);
  }
}

TEST(Batch, MayBeOneEmptyRecord) {
  TestSegment segment;
  segment.Append({""});
  EXPECT_EQ(segment.bytes.size(), kOffset + kBatchHeadBytes + kRecordHeadBytes);
  EXPECT_TRUE(Whole(segment, segment.bytes));
  EXPECT_EQ(DataOf(segment.bytes, kOffset + kBatchHeadBytes, 1000), "");
}

TEST(Batch, MayHaveManyRecords) {
  TestSegment segment;
  segment.Append(std::vector<std::string>(100'000));
  EXPECT_EQ(WholeHead(segment, kOffset).last_number(), 1000u + 99'999);
}

TEST(Batch, IsMadeInTheMemoryOfALargerOneBefore) {
  const std::string large(uint64_t{5} << 20, 'l');
  const std::string medium(1000, 'm');
  const std::vector<std::string_view> large_records{large, large};
  const std::vector<std::string_view> medium_records{medium, "", medium};
  const std::vector<std::string_view> small_records{"s"};
  BatchEncoder used;
  for (const auto& records : {large_records, medium_records, small_records, medium_records}) {
    BatchEncoder fresh;
    const BatchPlace place{.segment_key = 5, .offset = kOffset};
    EXPECT_EQ(used.Encode(records, 7, 8, 6, place), fresh.Encode(records, 7, 8, 6, place));
    EXPECT_EQ(used.index_entries(), fresh.index_entries());
  }
}

TEST(Batch, IsNotWholeWithAnyOneByteChanged) {
  TestSegment segment;
  segment.Append({"first", "", std::string(300, 'z'), "12345678", std::string(1, '\0')});
  for (uint64_t at = kOffset; at < segment.bytes.size(); ++at) {
    for (int change = 1; change < 256; ++change) {
      std::string changed = segment.bytes;
      changed[at] = static_cast<char>(changed[at] ^ change);
      ASSERT_FALSE(Whole(segment, changed)) << at << " ^ " << change;
    }
  }
}

TEST(Batch, IsNotWholeWhenItIsShorterByAnything) {
  TestSegment segment;
  segment.Append({"first", "", std::string(300, 'z')});
  for (uint64_t bytes = 0; bytes < segment.bytes.size(); ++bytes) {
    // Memory of exactly this size, so that the sanitizer sees a read behind it.
    const std::vector<char> cut(segment.bytes.begin(),
                                segment.bytes.begin() + static_cast<int64_t>(bytes));
    ASSERT_FALSE(Whole(segment, {cut.data(), cut.size()})) << bytes;
  }
}

TEST(Batch, IsOfNoOtherPlaceSegmentOrLog) {
  TestSegment segment;
  segment.Append({"data"});
  segment.Append({"data"});
  const uint64_t key = segment.head.key();
  std::string moved = segment.bytes;
  moved.insert(kOffset, 8, '\0');
  EXPECT_FALSE(ReadBatch(moved, kOffset + 8, key));
  LogId other = segment.head.id;
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_TRUE(ReadBatch(segment.bytes, kOffset, SegmentKey(segment.head.id, 1000)));
  EXPECT_FALSE(ReadBatch(segment.bytes, kOffset, SegmentKey(segment.head.id, 1001)));
  EXPECT_FALSE(ReadBatch(segment.bytes, kOffset, SegmentKey(other, 1000)));
}

TEST(Batch, IsFilledByItsRecordsExactly) {
  const std::vector<std::string> records{"some", "records"};
  EXPECT_TRUE(WholeAfter(records, [](std::string&) {}));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) {  // zeros behind the last
    bytes.append(8, '\0');
    char* const head = bytes.data() + kOffset;
    StoreLe(head + batch_at::kBytes, LoadLe<uint32_t>(head + batch_at::kBytes) + 8);
  }));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) {  // the last is over the end
    char* const head = bytes.data() + kOffset;
    StoreLe(head + batch_at::kBytes, LoadLe<uint32_t>(head + batch_at::kBytes) - 8);
  }));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) {
    StoreLe(bytes.data() + kOffset + batch_at::kRecords, uint32_t{1});
  }));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) {
    StoreLe(bytes.data() + kOffset + batch_at::kRecords, uint32_t{3});
  }));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) {
    StoreLe(bytes.data() + kOffset + kBatchHeadBytes, UINT32_MAX);
  }));
  EXPECT_FALSE(WholeAfter(records, [](std::string& bytes) { bytes.back() = 1; }));
}

TEST(Batch, IsNotWholeWithARecordThatIsRightButNotItsOwn) {
  TestSegment segment;
  segment.Append({"mine", "mine, too"});
  TestSegment other;
  other.Append({"else", "mine, too"});
  const uint64_t at = kOffset + kBatchHeadBytes;
  segment.bytes.replace(at, RecordSpace(4), other.bytes, at, RecordSpace(4));
  EXPECT_EQ(DataOf(segment.bytes, at, 1000), "else");
  EXPECT_FALSE(Whole(segment, segment.bytes));
}

TEST(Batch, HasNoLengthThatCannotBe) {
  for (const uint32_t bytes : {0u, 8u, 48u, 49u, 57u, 63u, UINT32_MAX, UINT32_MAX & ~7u}) {
    EXPECT_FALSE(WholeAfter({""}, [&](std::string& segment) {
      StoreLe(segment.data() + kOffset + batch_at::kBytes, bytes);
    })) << bytes;
  }
  for (const uint32_t records : {0u, 2u, UINT32_MAX}) {
    EXPECT_FALSE(WholeAfter({""}, [&](std::string& segment) {
      StoreLe(segment.data() + kOffset + batch_at::kRecords, records);
    })) << records;
  }
}

bool WholeWithNumbers(uint64_t first, uint64_t synced) {
  return WholeAfter({"a", "b", "c"}, [&](std::string& segment) {
    StoreLe(segment.data() + kOffset + batch_at::kFirstNumber, first);
    StoreLe(segment.data() + kOffset + batch_at::kSynced, synced);
  });
}

TEST(Batch, HasNumbersBetweenOneAndTheGreatest) {
  EXPECT_TRUE(WholeWithNumbers(1, 0));
  EXPECT_FALSE(WholeWithNumbers(0, 0));
  EXPECT_TRUE(WholeWithNumbers(kMaxNumber - 2, kMaxNumber - 3));
  EXPECT_FALSE(WholeWithNumbers(kMaxNumber - 1, 0));
  EXPECT_FALSE(WholeWithNumbers(kMaxNumber, 0));
  EXPECT_FALSE(WholeWithNumbers(UINT64_MAX, 0));
}

TEST(Batch, ClaimsNotThatItWasSyncedBeforeItWasWritten) {
  EXPECT_TRUE(WholeWithNumbers(50, 49));
  EXPECT_FALSE(WholeWithNumbers(50, 50));
  EXPECT_FALSE(WholeWithNumbers(50, UINT64_MAX));
}

TEST(BatchHead, IsRightAlthoughItsRecordsAreLost) {
  TestSegment segment;
  segment.Append({std::string(100, 'x')}, 17);
  std::fill(segment.bytes.begin() + kOffset + kBatchHeadBytes, segment.bytes.end(), '\0');
  const auto head = ReadBatchHead(segment.bytes, kOffset, segment.head.key());
  EXPECT_EQ(head.value_or(BatchHead{}).synced, 17u);
  EXPECT_FALSE(Whole(segment, segment.bytes));
}

TEST(BatchHead, ClaimsNoLengthThatCannotBe) {
  TestSegment segment;
  segment.Append({std::string(100, 'x')});
  for (uint32_t bytes = 0; bytes < 200; ++bytes) {
    StoreLe(segment.bytes.data() + kOffset + batch_at::kBytes, bytes);
    SealBatchHead(segment.bytes, kOffset, segment.head.key());
    const bool can_be = bytes % 8 == 0 && bytes >= 56 && bytes <= 48 + 8 + 104;
    EXPECT_EQ(ReadBatchHead(segment.bytes, kOffset, segment.head.key()).has_value(), can_be)
        << bytes;
  }
}

TEST(BatchHead, IsNotSoughtWhereNoBatchCanBe) {
  TestSegment segment;
  segment.Append({"data"});
  for (const uint64_t offset :
       {uint64_t{0}, uint64_t{4088}, kOffset + 1, kOffset + 4, segment.bytes.size() - 8,
        segment.bytes.size(), segment.bytes.size() + 8, kMaxSegmentBytes, UINT64_MAX - 7,
        UINT64_MAX}) {
    EXPECT_FALSE(ReadBatchHead(segment.bytes, offset, segment.head.key())) << offset;
  }
  EXPECT_FALSE(ReadBatchHead({}, kOffset, segment.head.key()));
}

TEST(Record, IsNotReadWithAnyOneBitChanged) {
  TestSegment segment;
  segment.Append({std::string(300, 'r')});
  const uint64_t at = kOffset + kBatchHeadBytes;
  for (uint64_t byte = at; byte < at + kRecordHeadBytes + 300; ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = segment.bytes;
      changed[byte] = static_cast<char>(changed[byte] ^ 1 << bit);
      ASSERT_FALSE(DataOf(changed, at, 1000)) << byte << " bit " << bit;
    }
  }
}

TEST(Record, IsReadByItsOwnNumberOnly) {
  TestSegment segment;
  segment.Append({"same", "same"});
  const uint64_t at = kOffset + kBatchHeadBytes;
  EXPECT_EQ(DataOf(segment.bytes, at, 1000), "same");
  EXPECT_EQ(DataOf(segment.bytes, at + 16, 1001), "same");
  for (const uint64_t number : {uint64_t{0}, uint64_t{999}, uint64_t{1001}, uint64_t{1000} << 32,
                                1000 + (uint64_t{1} << 32), UINT64_MAX}) {
    EXPECT_FALSE(DataOf(segment.bytes, at, number)) << number;
  }
}

TEST(Record, IsNotReadFromAWrongOffset) {
  TestSegment segment;
  segment.Append({"a record", "another"});
  for (uint64_t offset = 0; offset <= segment.bytes.size() + 64; ++offset) {
    const auto data = DataOf(segment.bytes, offset, 1000);
    EXPECT_EQ(data.has_value(), offset == kOffset + kBatchHeadBytes) << offset;
  }
  for (uint64_t back = 0; back < 64; ++back) {
    EXPECT_FALSE(DataOf(segment.bytes, UINT64_MAX - back, 1000));
    EXPECT_FALSE(DataOf(segment.bytes, kMaxSegmentBytes - back, 1000));
  }
}

}  // namespace
}  // namespace larder::log

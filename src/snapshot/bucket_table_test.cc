#include "snapshot/bucket_table.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "snapshot/scan_cursor.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {
namespace {

using Entries = std::vector<std::pair<uint64_t, uint64_t>>;  // (hash, payload), sorted

// A table of the entries one byte off any alignment, in a block of exactly its size.
struct TableBytes {
  std::unique_ptr<char[]> bytes;
  BucketTable table;
  bool placed = true;
  uint64_t longest_chain = 0;

  TableBytes(const Entries& entries, uint64_t home_buckets) {
    BucketWriter writer(home_buckets);
    std::string made;
    for (const auto& [hash, payload] : entries) {
      if (!writer.Add(hash, payload, made)) placed = false;
      if (!placed) return;
    }
    writer.Finish(made);
    longest_chain = writer.longest_chain();
    EXPECT_EQ(made.size(), (home_buckets + kSpareBuckets) * kBucketBytes);
    bytes = std::make_unique<char[]>(made.size() + 1);
    made.copy(bytes.get() + 1, made.size());
    table = BucketTable(bytes.get() + 1, home_buckets);
  }
};

Entries RandomEntries(uint64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  Entries entries;
  for (uint64_t payload = 1; payload <= count; ++payload) entries.emplace_back(random(), payload);
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST(BucketTable, WideAndScalarComparisonOfTagsAgree) {
  std::mt19937_64 random(7);
  const uint64_t repetitions = ScaledCount(20000);
  for (uint64_t i = 0; i < repetitions; ++i) {
    char bucket[kBucketBytes];
    // Few different tags, so that matches are frequent; those at the edges of 16 bits among them.
    const uint64_t tags[] = {0, 1, 0x7FFF, 0x8000, 0xFFFF};
    for (uint64_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      StoreLe(bucket + slot * 8, PackSlot(tags[random() % 5], random() & kPayloadMask));
    }
    for (const uint64_t tag : tags) ASSERT_EQ(MatchTags(bucket, tag), MatchTagsScalar(bucket, tag));
  }
}

TEST(BucketTable, FindsEveryEntryOfTablesOfManySizes) {
  for (const uint64_t count : {0U, 1U, 2U, 7U, 8U, 9U, 100U, 129U, 1000U, 30000U}) {
    const Entries entries = RandomEntries(count, count);
    const TableBytes made(entries, HomeBucketsFor(count));
    ASSERT_TRUE(made.placed);
    EXPECT_LE(made.longest_chain, kMaxChain);
    for (const auto& entry : entries) {
      const auto is_it = [&](uint64_t payload) { return payload == entry.second; };
      ASSERT_EQ(made.table.Find(entry.first, is_it), entry.second);
    }
    EXPECT_EQ(made.table.Find(12345, [](uint64_t) { return false; }), 0U);
  }
}

TEST(BucketTable, AWalkGoesInTheOrderOfTheHash) {
  const Entries entries = RandomEntries(5000, 3);
  const TableBytes made(entries, HomeBucketsFor(entries.size()));
  std::vector<uint64_t> walked;
  const auto visit = [&](uint64_t payload) {
    walked.push_back(payload);
    return true;
  };
  made.table.WalkFrom(0, visit, [](uint64_t) {});
  std::vector<uint64_t> expected;
  for (const auto& entry : entries) expected.push_back(entry.second);
  EXPECT_EQ(walked, expected);
}

TEST(BucketTable, AnEntryIsNeverBeforeItsHome) {
  const Entries entries = RandomEntries(5000, 4);
  const TableBytes made(entries, HomeBucketsFor(entries.size()));
  for (size_t i = 0; i < entries.size(); i += 97) {
    bool found = false;
    const auto visit = [&](uint64_t payload) {
      found = payload == entries[i].second;
      return !found;
    };
    made.table.WalkFrom(HomeBucket(entries[i].first, made.table.home_buckets()), visit,
                        [](uint64_t) {});
    EXPECT_TRUE(found);
  }
}

TEST(BucketTable, SixteenBucketsOfOneHomeArePlacedAndNoMore) {
  Entries entries;
  for (uint64_t payload = 1; payload <= kMaxChain * kSlotsPerBucket; ++payload) {
    entries.emplace_back(~uint64_t{0}, payload);
  }
  const TableBytes full(entries, 3);
  ASSERT_TRUE(full.placed);
  EXPECT_EQ(full.longest_chain, kMaxChain);
  const auto last = [&](uint64_t payload) { return payload == entries.size(); };
  EXPECT_EQ(full.table.Find(~uint64_t{0}, last), entries.size());
  EXPECT_EQ(full.table.SlotAt(full.table.total_buckets() - 1, kSlotsPerBucket - 1), 0U);
  entries.emplace_back(~uint64_t{0}, entries.size() + 1);
  EXPECT_FALSE(TableBytes(entries, 3).placed);
}

TEST(BucketTable, ALookUpInATableOfGarbageStaysInsideAndEnds) {
  std::mt19937_64 random(11);
  const uint64_t home_buckets = 5;
  const size_t size = (home_buckets + kSpareBuckets) * kBucketBytes;
  const auto bytes = std::make_unique<char[]>(size);
  for (size_t at = 0; at < size; at += 8) StoreLe(bytes.get() + at, random() | 1);
  const BucketTable table(bytes.get(), home_buckets);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(table.Find(random(), [](uint64_t) { return false; }), 0U);
  }
  uint64_t walked = 0;
  const auto visit = [&](uint64_t) { return ++walked > 0; };
  table.WalkFrom(0, visit, [](uint64_t) {});
  EXPECT_EQ(walked, table.total_buckets() * kSlotsPerBucket);
}

// ---- The arithmetic of files that no test's disk can hold.

TEST(Arithmetic, TheHomeBucketOfTheLargestHashIsTheLastWhateverTheSize) {
  for (const uint64_t buckets : {uint64_t{1}, uint64_t{1} << 32, (uint64_t{1} << 45) + 12345}) {
    EXPECT_EQ(HomeBucket(~uint64_t{0}, buckets), buckets - 1);
    EXPECT_EQ(HomeBucket(0, buckets), 0U);
    EXPECT_EQ(HomeBucket(uint64_t{1} << 63, buckets), buckets / 2);
  }
}

TEST(Arithmetic, TablesOfMoreThanFourBillionEntriesAreTwelveBytesAnEntry) {
  for (const uint64_t entries : {uint64_t{1} << 33, uint64_t{1} << 45}) {
    const uint64_t bytes = (HomeBucketsFor(entries) + kSpareBuckets) * kBucketBytes;
    EXPECT_LT(bytes, entries * 12);
    EXPECT_GT(bytes, entries * 11);
  }
  EXPECT_EQ(HomeBucketsFor(0), 1U);
  EXPECT_EQ(HomeBucketsFor(28), 5U);
  EXPECT_EQ(HomeBucketsFor(29), 6U);
}

TEST(Arithmetic, ASlotHoldsOffsetsPastTwoToTheFortieth) {
  const uint64_t offset = (uint64_t{1} << 51) - 8;
  const uint64_t slot = PackSlot(~uint64_t{0}, offset / kRecordAlignment);
  EXPECT_EQ((slot & kPayloadMask) * kRecordAlignment, offset);
  EXPECT_EQ(slot >> kTagShift, 0xFFFFU);
}

TEST(Arithmetic, ARecordHeadKeepsTheLargestOfEverything) {
  const RecordHead head{
      .value_bytes = kMaxValueBytes, .key_bytes = kMaxKeyBytes, .type = 5, .flags = 7};
  const RecordHead read = UnpackRecordHead(PackRecordHead(head));
  EXPECT_EQ(read.value_bytes, head.value_bytes);
  EXPECT_EQ(read.key_bytes, head.key_bytes);
  EXPECT_EQ(read.type, head.type);
  EXPECT_EQ(read.flags, head.flags);
  EXPECT_EQ(RecordExtraBytes(read.flags), 24U);
}

TEST(Arithmetic, ReadingAtTheLargestOffsetsDoesNotOverflow) {
  const std::string bytes(8192, '\xFF');
  StoredRecord record;
  EXPECT_FALSE(ReadRecord({.base = bytes.data(), .end = bytes.size()},
                          kPayloadMask * kRecordAlignment, record));
  EXPECT_FALSE(ReadRecord({.base = bytes.data(), .end = bytes.size()}, 8192 - 8, record));
}

TEST(Arithmetic, CursorsStayUnderTwoToTheFiftyThird) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const uint64_t cursor = MakeCursor(PositionOf(~uint64_t{0}), seed);
    EXPECT_LT(cursor, kCursorLimit);
    EXPECT_EQ(CursorPosition(cursor, seed), PositionOf(~uint64_t{0}));
    EXPECT_NE(MakeCursor(0, seed), 0U);
  }
}

TEST(Arithmetic, ACursorOfAnotherSeedStartsOver) {
  ASSERT_NE(CursorTag(1), CursorTag(2));
  EXPECT_EQ(CursorPosition(MakeCursor(77, 1), 2), 0U);
  EXPECT_EQ(CursorPosition(kCursorLimit | MakeCursor(77, 1), 1), 0U);
}

}  // namespace
}  // namespace larder::snapshot

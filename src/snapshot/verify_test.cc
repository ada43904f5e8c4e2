#include "snapshot/verify.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "io/faulty_file_system.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/stored_record.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

using ::testing::HasSubstr;

std::string BuiltBytes(const std::vector<TestRecord>& records) {
  io::FaultyFileSystem files;
  EXPECT_TRUE(files.MakeDirectories("/d"));
  const auto report = Build(files, "/d/a.snap", records);
  EXPECT_TRUE(report) << report.error().message();
  return files.Contents("/d/a.snap").value_or("");
}

std::shared_ptr<const Snapshot> Opened(std::string_view bytes) {
  auto snapshot = OpenBytes(bytes);
  EXPECT_TRUE(snapshot) << snapshot.error().message();
  return snapshot ? *snapshot : nullptr;
}

// The bytes under checksums that are right again.
std::string Resummed(std::string bytes) {
  const auto header = Opened(bytes)->header();
  for (uint64_t block = 0; block < header.checksum_count; ++block) {
    const uint64_t begin = block * kBlockBytes;
    const uint64_t size = std::min(kBlockBytes, header.checksums_offset - begin);
    StoreLe(bytes.data() + header.checksums_offset + block * 8,
            Checksum64(std::string_view(bytes).substr(begin, size)));
  }
  Header changed = header;
  changed.checksums_checksum = Checksum64(
      std::string_view(bytes).substr(header.checksums_offset, header.checksum_count * 8));
  bytes.replace(bytes.size() - kFooterBytes, kFooterBytes, MakeFooter(changed));
  return bytes;
}

// Large enough to fall into several pieces of every kind: records, buckets, members.
const std::string& BytesOfManyPieces() {
  static const std::string* const bytes = [] {
    std::vector<TestRecord> records;
    for (int i = 0; i < 150'000; ++i) {
      records.push_back(StringRecord((i % 3 == 0 ? "a/" : "b/") + std::to_string(i),
                                     std::string(static_cast<size_t>(i % 90), 'x')));
    }
    return new std::string(BuiltBytes(records));
  }();
  return *bytes;
}

// What several threads find is what one finds.
Result<VerifyReport> VerifiedByAnyNumber(const std::string& bytes) {
  const auto snapshot = Opened(bytes);
  auto alone = Verify(*snapshot, VerifyOptions{.threads = 1});
  for (const unsigned threads : {2U, 7U}) {
    const auto together = Verify(*snapshot, VerifyOptions{.threads = threads});
    EXPECT_EQ(together.has_value(), alone.has_value()) << threads;
    if (alone || together) continue;
    EXPECT_EQ(together.error().code(), alone.error().code());
    EXPECT_EQ(together.error().message(), alone.error().message());
  }
  return alone;
}

TEST(SnapshotVerify, AWholeFileIsWholeForAnyNumberOfThreads) {
  const auto verified = VerifiedByAnyNumber(BytesOfManyPieces());
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->records, 150'000U);
  EXPECT_EQ(verified->collections, 2U);
}

TEST(SnapshotVerify, TheFirstOfSeveralDamagedBlocksIsTold) {
  std::string bytes = BytesOfManyPieces();
  for (const size_t at : {size_t{5'000'000}, size_t{9'000'000}, bytes.size() - 60'000}) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
  }
  const auto verified = VerifiedByAnyNumber(bytes);
  ASSERT_FALSE(verified);
  const size_t block = 5'000'000 / kBlockBytes * kBlockBytes;
  EXPECT_THAT(verified.error().message(), HasSubstr("byte " + std::to_string(block) + ":"));
}

// Under right checksums, so that the walks over records, index and directory must find it.
TEST(SnapshotVerify, DamageAnywhereIsFoundByAnyNumberOfThreads) {
  const std::string& bytes = BytesOfManyPieces();
  const Header header = Opened(bytes)->header();
  uint64_t record_at = kRecordsOffset;
  const RecordSpace space{.base = bytes.data(), .end = header.records_end, .member_seed = 0};
  StoredRecord record;
  while (record_at < header.records_end * 2 / 3) {
    ASSERT_TRUE(ReadRecord(space, record_at, record));
    record_at += record.bytes();
  }
  const uint64_t lists = header.directory_offset + header.directory_bytes - 8 * 20'000;
  const uint64_t bucket = header.index_offset + header.index_home_buckets / 2 * kBucketBytes;
  for (const uint64_t at : {record_at,         // its head: the size
                            record_at + 12,    // its key
                            record_at + 7,     // its type
                            bucket,            // where a record is
                            bucket + 6,        // the tag of a key
                            lists, lists + 7,  // a member: where it is, its hash
                            header.directory_offset + header.directory_total_buckets * 64 + 8}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x21);
    EXPECT_FALSE(VerifiedByAnyNumber(Resummed(std::move(damaged)))) << at;
  }
}

// Two entries of one bucket: each is found, but a walk would not come by them in order.
TEST(SnapshotVerify, ProgressIsToldOftenByAnyNumberOfThreads) {
  const auto snapshot = Opened(BytesOfManyPieces());
  for (const unsigned threads : {1U, 2U}) {
    uint64_t before = 0;
    uint64_t largest_step = 0;
    const auto note = [&](uint64_t done) {
      largest_step = std::max(largest_step, done - std::min(before, done));
      before = done;
      return true;
    };
    ASSERT_TRUE(Verify(*snapshot, {.threads = threads, .progress = note}));
    EXPECT_GT(before, uint64_t{4} << 20);
    if (threads == 1) {
      EXPECT_LT(largest_step, uint64_t{3} << 20);
    }
  }
}

TEST(SnapshotVerify, EntriesOutOfOrderAreFound) {
  std::string bytes = BytesOfManyPieces();
  const Header header = Opened(bytes)->header();
  uint64_t bucket = header.index_home_buckets / 2;
  const auto slots = [&] { return bytes.data() + header.index_offset + bucket * kBucketBytes; };
  while (LoadLe<uint64_t>(slots() + 8) == 0) ++bucket;
  std::swap_ranges(slots(), slots() + 8, slots() + 8);
  const auto verified = VerifiedByAnyNumber(Resummed(std::move(bytes)));
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message(), HasSubstr("misplaced"));
}

TEST(SnapshotVerify, CanBeCancelledAtAnyMomentWithAnyNumberOfThreads) {
  const auto snapshot = Opened(BytesOfManyPieces());
  for (const unsigned threads : {1U, 3U}) {
    int calls = 0;
    ASSERT_TRUE(Verify(*snapshot, {.threads = threads, .progress = [&](uint64_t) {
                                     ++calls;
                                     return true;
                                   }}));
    EXPECT_GT(calls, 0);
    // With one thread it is always the same calls that come.
    for (int last = threads == 1 ? calls - 1 : 0; last >= 0; --last) {
      int left = last;
      const auto verified =
          Verify(*snapshot, {.threads = threads, .progress = [&](uint64_t) { return left-- > 0; }});
      ASSERT_FALSE(verified);
      EXPECT_EQ(verified.error().code(), ErrorCode::kCancelled);
    }
  }
}

}  // namespace
}  // namespace larder::snapshot

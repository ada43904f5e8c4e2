#include "snapshot/snapshot.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/scan_cursor.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

// One record of each kind, with and without extras, a dead one, and a large collection.
std::vector<TestRecord> OneOfEach() {
  std::vector<std::string> members;
  for (int i = 0; i < 130; ++i) members.push_back("m" + std::to_string(i));
  std::vector<TestRecord> records = {
      StringRecord("s", "replaced"),
      StringRecord("artist/1", "one"),
      ItemsRecord("artist/2", ValueType::kHash, {"name", "two"}),
      ItemsRecord("list", ValueType::kList, {"a", "b"}),
      ItemsRecord("set/large", ValueType::kSet, members),
      ItemsRecord("zset", ValueType::kZset, {"a", "b"}, {1.5, -1}),
      StringRecord("s", "kept"),
      StringRecord("", "the empty key"),
  };
  records[1].expires_at_ms = 1234567;
  records[2].version = 99;
  records[2].flags = 7;
  records.push_back(StringRecord("json", "{\"a\":1}"));
  records.back().type = ValueType::kJson;
  return records;
}

std::string BuiltBytes(const std::vector<TestRecord>& records, BuildOptions options = {}) {
  io::FaultyFileSystem files;
  EXPECT_TRUE(files.MakeDirectories("/d"));
  const auto report = Build(files, "/d/a.snap", records, std::move(options));
  EXPECT_TRUE(report) << report.error().message();
  return files.Contents("/d/a.snap").value_or("");
}

std::shared_ptr<const Snapshot> Opened(std::string_view bytes) {
  auto snapshot = OpenBytes(bytes);
  EXPECT_TRUE(snapshot) << snapshot.error().message();
  return snapshot ? *snapshot : nullptr;
}

Error OpenError(std::string_view bytes) {
  const auto snapshot = OpenBytes(bytes);
  EXPECT_FALSE(snapshot);
  return snapshot ? Error(ErrorCode::kInternal, "") : snapshot.error();
}

TEST(Snapshot, FindsEveryRecordAsItWasGiven) {
  const auto snapshot = Opened(BuiltBytes(OneOfEach()));
  EXPECT_EQ(snapshot->record_count(), 8U);
  EXPECT_EQ(TextView(*snapshot->Find("s")).text(), "kept");
  EXPECT_EQ(TextView(*snapshot->Find("")).text(), "the empty key");
  EXPECT_FALSE(snapshot->Find("S"));
  const auto expiring = snapshot->Find("artist/1");
  EXPECT_EQ(expiring->expires_at_ms, 1234567);
  EXPECT_TRUE(expiring->Expired(1234567));
  EXPECT_FALSE(expiring->Expired(1234566));
  EXPECT_FALSE(expiring->version);
  const auto versioned = snapshot->Find("artist/2");
  EXPECT_EQ(versioned->version, 99U);
  EXPECT_EQ(versioned->flags, 7U);
  EXPECT_FALSE(versioned->expires_at_ms);
  EXPECT_EQ(CollectionView(*versioned).Text(1), "two");
  EXPECT_EQ(snapshot->Find("json")->type, ValueType::kJson);
  EXPECT_EQ(snapshot->Find("zset")->type, ValueType::kZset);
  EXPECT_EQ(CollectionView(*snapshot->Find("set/large")).FindMember("m129"), 129U);
}

TEST(Snapshot, CountsWhatIsLive) {
  const auto snapshot = Opened(BuiltBytes(OneOfEach()));
  const Header& header = snapshot->header();
  EXPECT_THAT(header.records_by_type, ElementsAre(3, 1, 1, 1, 1, 1));
  EXPECT_EQ(header.expiries.records, 1U);
  EXPECT_EQ(header.dead_records, 1U);
  EXPECT_GT(header.dead_bytes, 0U);
  EXPECT_EQ(header.collection_count, 2U);
  const auto verified = Verify(*snapshot);
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->records, 8U);
  EXPECT_EQ(verified->collections, 2U);
  EXPECT_EQ(verified->bytes, header.file_bytes);
}

TEST(Snapshot, KnowsWhenItsLiveRecordsExpireOnTheWhole) {
  std::vector<TestRecord> records = {StringRecord("a", "replaced"), StringRecord("a", "kept"),
                                     StringRecord("b", "long gone"), StringRecord("c", "never")};
  records[0].expires_at_ms = 77;
  records[1].expires_at_ms = INT64_MAX;
  records[2].expires_at_ms = INT64_MIN + 11;
  const auto snapshot = Opened(BuiltBytes(records));
  EXPECT_EQ(snapshot->header().expiries, (Expiries{.records = 2, .sum_ms = 10}));
  EXPECT_EQ(snapshot->header().expiries.mean_ms(), 5);
  EXPECT_TRUE(Verify(*snapshot));
}

TEST(Snapshot, AWrongSumOfExpiriesIsNoticedByVerify) {
  std::string bytes = BuiltBytes(OneOfEach());
  char* const footer = bytes.data() + bytes.size() - kFooterBytes;
  StoreLe(footer + footer_at::kExpirySum, Int128{7});
  StoreLe(footer + footer_at::kChecksum,
          Checksum64({footer, static_cast<size_t>(footer_at::kChecksum)}));
  const auto verified = Verify(*Opened(bytes));
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message(), HasSubstr("the footer's counts are wrong"));
}

std::optional<Value> FindByTheStepsOfABatch(const Snapshot& snapshot, std::string_view key) {
  Snapshot::Lookup lookup = snapshot.StartLookup(key);
  snapshot.Prefetch({&lookup, 1});
  return snapshot.Find(key, lookup);
}

TEST(Snapshot, TheStepsOfABatchFindWhatFindDoes) {
  const auto snapshot = Opened(BuiltBytes(OneOfEach()));
  for (const std::string key : {"s", "absent", ""}) {
    EXPECT_EQ(FindByTheStepsOfABatch(*snapshot, key).has_value(), key != "absent");
  }
}

// Of so many keys some share a bucket and its 16 bits of the hash.
TEST(Snapshot, TheStepsOfABatchFindKeysWhoseTagAnotherHasToo) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 200'000; ++i) {
    records.push_back(StringRecord(std::to_string(i), "value of " + std::to_string(i)));
  }
  const auto snapshot = Opened(BuiltBytes(records));
  size_t others = 0;
  for (const TestRecord& record : records) {
    const auto value = FindByTheStepsOfABatch(*snapshot, record.key);
    ASSERT_TRUE(value) << record.key;
    ASSERT_EQ(TextView(*value).text(), record.text);
    Snapshot::Lookup lookup = snapshot->StartLookup(record.key);
    EXPECT_TRUE(snapshot->Find(record.key, lookup)) << "before anybody has looked";
    snapshot->PrefetchRecord(lookup);
    const uint64_t first = lookup.record;
    others +=
        snapshot->mapping().bytes().substr(first + 8, record.key.size()) == record.key ? 0 : 1;
  }
  EXPECT_GT(others, 0U);
}

TEST(Snapshot, AnEmptyOneIsWhole) {
  const auto snapshot = Opened(BuiltBytes({}));
  EXPECT_EQ(snapshot->record_count(), 0U);
  EXPECT_FALSE(snapshot->Find("k"));
  EXPECT_FALSE(snapshot->RandomEntry(5));
  EXPECT_EQ(snapshot->Scan(0, 10, [](const Entry&) { FAIL(); }), 0U);
  EXPECT_EQ(snapshot->CollectionSize("c"), 0U);
  EXPECT_TRUE(Verify(*snapshot));
}

std::vector<std::string> KeysOf(const Snapshot& snapshot) {
  std::vector<std::string> keys;
  const auto walked = snapshot.ForEach([&keys](const Entry& entry) {
    keys.emplace_back(entry.key);
    return true;
  });
  EXPECT_TRUE(walked) << walked.error().message();
  return keys;
}

TEST(SnapshotForEach, LiveRecordsComeInTheOrderOfTheFile) {
  const auto snapshot = Opened(BuiltBytes(OneOfEach()));
  EXPECT_THAT(KeysOf(*snapshot),
              ElementsAre("artist/1", "artist/2", "list", "set/large", "zset", "s", "", "json"));
  uint64_t found = 0;
  const auto walked = snapshot->ForEach([&](const Entry& entry) {
    const auto value = snapshot->Find(entry.key);
    if (value && value->encoded.data() == entry.value.encoded.data()) ++found;
    return true;
  });
  EXPECT_TRUE(walked);
  EXPECT_EQ(found, snapshot->record_count());
  EXPECT_THAT(KeysOf(*Opened(BuiltBytes({}))), ElementsAre());
}

TEST(SnapshotForEach, FindsWhatLivesAmongManyDead) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 1000; ++i) {
    records.push_back(StringRecord("k" + std::to_string(i % 300), std::to_string(i)));
  }
  const auto snapshot = Opened(BuiltBytes(records));
  int next = 700;  // the last of each key
  const auto walked = snapshot->ForEach([&next](const Entry& entry) {
    EXPECT_EQ(TextView(entry.value).text(), std::to_string(next));
    ++next;
    return true;
  });
  EXPECT_TRUE(walked);
  EXPECT_EQ(next, 1000);
}

TEST(SnapshotForEach, EndsWhenToldTo) {
  const auto snapshot = Opened(BuiltBytes(OneOfEach()));
  int calls = 0;
  EXPECT_TRUE(snapshot->ForEach([&calls](const Entry&) { return ++calls < 3; }));
  EXPECT_EQ(calls, 3);
}

TEST(SnapshotForEach, ADamagedRecordIsAnError) {
  std::string bytes = BuiltBytes(OneOfEach());
  bytes.replace(kRecordsOffset + 5, 2, "\xff\xff");  // the first head
  const auto snapshot = Opened(bytes);
  const auto walked = snapshot->ForEach([](const Entry&) { return true; });
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(walked.error().message(), HasSubstr("byte 4096"));
}

TEST(Snapshot, KeepsItsMetadataSortedByName) {
  BuildOptions options;
  options.metadata = {{"source", "a.jsonl"}, {"builder", "test"}, {"empty", ""}};
  const auto snapshot = Opened(BuiltBytes(OneOfEach(), options));
  EXPECT_THAT(snapshot->Metadata(),
              ElementsAre(Pair("builder", "test"), Pair("empty", ""), Pair("source", "a.jsonl")));
}

TEST(Snapshot, RandomEntryReachesEveryRecord) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 50; ++i) records.push_back(StringRecord("k" + std::to_string(i), "v"));
  const auto snapshot = Opened(BuiltBytes(records));
  std::mt19937_64 random(1);
  std::vector<int> drawn(50);
  for (int i = 0; i < 50000; ++i) {
    ++drawn[std::stoul(std::string(snapshot->RandomEntry(random())->key.substr(1)))];
  }
  for (const int times : drawn) {
    EXPECT_GT(times, 700);
    EXPECT_LT(times, 1300);
  }
}

// ---- What is no Snapshot, or a damaged one.

TEST(SnapshotOpen, AnEmptyFileIsRefused) {
  EXPECT_THAT(OpenError("").message(), HasSubstr("empty"));
  EXPECT_EQ(OpenError("").code(), ErrorCode::kCorrupt);
}

TEST(SnapshotOpen, AnotherKindOfFileIsRefused) {
  EXPECT_THAT(OpenError("{\"key\":\"k\"}\n").message(), HasSubstr("LARDSNAP"));
}

TEST(SnapshotOpen, AMissingFileIsNotFound) {
  io::FaultyFileSystem files;
  EXPECT_EQ(Snapshot::Open(files, "/no.snap").error().code(), ErrorCode::kNotFound);
}

TEST(SnapshotOpen, EveryTruncationIsRefused) {
  const std::string bytes = BuiltBytes(OneOfEach());
  for (size_t kept = 0; kept < bytes.size(); kept += kept < 5000 ? 61 : 7) {
    EXPECT_EQ(OpenError(std::string_view(bytes).substr(0, kept)).code(), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(OpenError(bytes + "x").code(), ErrorCode::kCorrupt);
}

TEST(SnapshotOpen, ANewerFormatSaysSo) {
  std::string bytes = BuiltBytes({});
  StoreLe(bytes.data() + kHeaderVersionAt, uint32_t{2});
  StoreLe(bytes.data() + kHeaderChecksumAt,
          Checksum64(std::string_view(bytes).substr(0, kHeaderChecksumAt)));
  EXPECT_EQ(OpenError(bytes).code(), ErrorCode::kUnsupported);
  EXPECT_THAT(OpenError(bytes).message(), HasSubstr("format 2"));
}

TEST(SnapshotOpen, EveryFlippedBitIsFound) {
  const std::string bytes = BuiltBytes(OneOfEach());
  std::string damaged = bytes;
  const auto is_found = [&](size_t at, int bit) {
    damaged[at] = static_cast<char>(bytes[at] ^ (1 << bit));
    const auto snapshot = OpenBytes(damaged);
    const bool found = !snapshot || !Verify(**snapshot);
    damaged[at] = bytes[at];
    return found;
  };
  const size_t step = ScaledCount(100) >= 100 ? 1 : 13;
  for (size_t at = 0; at < bytes.size(); at += step) {
    ASSERT_TRUE(is_found(at, static_cast<int>(at % 8))) << "byte " << at;
    if (at % 64 >= step && at + kFooterBytes < bytes.size()) continue;
    for (int bit = 0; bit < 8; ++bit) ASSERT_TRUE(is_found(at, bit)) << "byte " << at;
  }
}

// Numbers that fit no file, under right checksums.
TEST(SnapshotOpen, AHostileFooterIsRefused) {
  const std::string bytes = BuiltBytes(OneOfEach());
  const uint64_t hostile[] = {0,
                              1,
                              4095,
                              uint64_t{1} << 32,
                              uint64_t{1} << 58,
                              uint64_t{1} << 63,
                              ~uint64_t{0},
                              ~uint64_t{0} - 16,
                              ~uint64_t{0} - 63};
  for (uint64_t at = footer_at::kFileBytes; at < footer_at::kChecksumsChecksum; at += 8) {
    if (at == footer_at::kKeySeed || at == footer_at::kMemberSeed) continue;
    for (const uint64_t number : hostile) {
      std::string damaged = bytes;
      char* footer = damaged.data() + damaged.size() - kFooterBytes;
      if (LoadLe<uint64_t>(footer + at) == number) continue;
      StoreLe(footer + at, number);
      StoreLe(footer + footer_at::kChecksum,
              Checksum64({footer, static_cast<size_t>(footer_at::kChecksum)}));
      const auto snapshot = OpenBytes(damaged);
      EXPECT_TRUE(!snapshot || !Verify(**snapshot)) << at << " " << number;
    }
  }
}

// What Verify finds although every checksum is right.
TEST(SnapshotVerify, ChangesUnderRightChecksumsAreFound) {
  const std::string bytes = BuiltBytes(OneOfEach());
  const auto snapshot = Opened(bytes);
  const Header header = snapshot->header();
  size_t missed = 0;
  const size_t step = ScaledCount(100) >= 100 ? 3 : 29;
  for (size_t at = kRecordsOffset; at < header.checksums_offset; at += step) {
    // A key, a text or a metadata value may be any bytes; what follows from them is checked.
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    for (uint64_t block = 0; block < header.checksum_count; ++block) {
      const uint64_t begin = block * kBlockBytes;
      const uint64_t size = std::min(kBlockBytes, header.checksums_offset - begin);
      StoreLe(damaged.data() + header.checksums_offset + block * 8,
              Checksum64(std::string_view(damaged).substr(begin, size)));
    }
    Header changed = header;
    changed.checksums_checksum = Checksum64(
        std::string_view(damaged).substr(header.checksums_offset, header.checksum_count * 8));
    damaged.replace(damaged.size() - kFooterBytes, kFooterBytes, MakeFooter(changed));
    const auto opened = Opened(damaged);
    if (Verify(*opened)) ++missed;
  }
  // Only bytes of texts can change unseen: "one", "two", "a", "kept", numbers of extras.
  EXPECT_LT(missed, 150 / step);
}

TEST(SnapshotVerify, CanBeCancelled) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 9; ++i) {
    records.push_back(StringRecord(std::to_string(i), std::string(1 << 20, 'x')));
  }
  const auto snapshot = Opened(BuiltBytes(records));
  const auto verified = Verify(*snapshot, [](uint64_t) { return false; });
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code(), ErrorCode::kCancelled);
}

// ---- Walks.

std::vector<TestRecord> Numbered(int count) {
  std::vector<TestRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(StringRecord("c" + std::to_string(i % 3) + "/" + std::to_string(i), "v"));
  }
  return records;
}

TEST(Scan, EachKeyComesOnceAndAboutCountAtATime) {
  const auto snapshot = Opened(BuiltBytes(Numbered(1000)));
  std::vector<std::string> seen;
  uint64_t cursor = 0;
  do {
    size_t some = 0;
    cursor = snapshot->Scan(cursor, 10, [&](const Entry& entry) {
      seen.emplace_back(entry.key);
      ++some;
    });
    EXPECT_TRUE(some == 10 || cursor == 0);
    EXPECT_LT(cursor, kCursorLimit);
  } while (cursor != 0);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen.size(), 1000U);
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST(Scan, OneCallCanReturnEverything) {
  const auto snapshot = Opened(BuiltBytes(Numbered(1000)));
  size_t seen = 0;
  EXPECT_EQ(snapshot->Scan(0, 1000, [&](const Entry&) { ++seen; }), 0U);
  EXPECT_EQ(seen, 1000U);
  EXPECT_NE(snapshot->Scan(0, 0, [&](const Entry&) { ++seen; }), 0U);
  EXPECT_EQ(seen, 1001U);
}

// Walks a dataset that is switched to another version after `calls` calls.
std::vector<std::string> WalkAcross(const Snapshot& before, const Snapshot& after, int calls,
                                    std::optional<std::string> collection) {
  std::vector<std::string> seen;
  uint64_t cursor = 0;
  for (int call = 0; call == 0 || cursor != 0; ++call) {
    const Snapshot& snapshot = call < calls ? before : after;
    const auto note = [&](const Entry& entry) { seen.emplace_back(entry.key); };
    cursor = collection ? snapshot.ScanCollection(*collection, cursor, 7, note)
                        : snapshot.Scan(cursor, 7, note);
  }
  return seen;
}

TEST(Scan, KeysOfBothVersionsComeExactlyOnce) {
  const auto small = Opened(BuiltBytes(Numbered(400)));
  const auto large = Opened(BuiltBytes(Numbered(3000)));
  for (const int calls : {0, 1, 10, 30}) {
    for (const bool growing : {true, false}) {
      for (const std::optional<std::string>& collection :
           {std::optional<std::string>(), std::optional<std::string>("c1")}) {
        const auto seen =
            WalkAcross(growing ? *small : *large, growing ? *large : *small, calls, collection);
        for (int i = 0; i < 400; ++i) {
          const std::string key = "c" + std::to_string(i % 3) + "/" + std::to_string(i);
          const int expected = collection && i % 3 != 1 ? 0 : 1;
          ASSERT_EQ(std::count(seen.begin(), seen.end(), key), expected) << key;
        }
      }
    }
  }
}

TEST(Scan, ACollectionHoldsItsOwnKeysOnly) {
  std::vector<TestRecord> records = Numbered(300);
  records.push_back(StringRecord("c1", "no separator"));
  records.push_back(StringRecord("/x", "of the collection without a name"));
  const auto snapshot = Opened(BuiltBytes(records));
  EXPECT_EQ(snapshot->CollectionSize("c1"), 100U);
  EXPECT_EQ(snapshot->CollectionSize(""), 1U);
  EXPECT_EQ(snapshot->CollectionSize("c"), 0U);
  size_t seen = 0;
  EXPECT_EQ(snapshot->ScanCollection("c1", 0, 1000,
                                     [&](const Entry& entry) {
                                       EXPECT_TRUE(entry.key.starts_with("c1/"));
                                       ++seen;
                                     }),
            0U);
  EXPECT_EQ(seen, 100U);
}

TEST(Scan, ACursorOfAnotherSeedStartsOver) {
  BuildOptions options;
  options.key_seed = 77;
  const auto other = Opened(BuiltBytes(Numbered(1000), options));
  const auto snapshot = Opened(BuiltBytes(Numbered(1000)));
  const uint64_t cursor = other->Scan(0, 900, [](const Entry&) {});
  size_t seen = 0;
  EXPECT_EQ(snapshot->Scan(cursor, 2000, [&](const Entry&) { ++seen; }), 0U);
  EXPECT_EQ(seen, 1000U);
}

TEST(Scan, WithoutASeparatorThereIsNoDirectory) {
  BuildOptions options;
  options.separator = std::nullopt;
  const auto snapshot = Opened(BuiltBytes(Numbered(10), options));
  EXPECT_FALSE(snapshot->header().separator);
  EXPECT_EQ(snapshot->header().directory_bytes, 0U);
  EXPECT_EQ(snapshot->CollectionSize("c1"), 0U);
  EXPECT_TRUE(Verify(*snapshot));
}

}  // namespace
}  // namespace larder::snapshot

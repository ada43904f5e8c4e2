#include "larder/snapshot.h"

#include <algorithm>
#include <concepts>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/test_program.h"

namespace larder {
namespace {

using snapshot::ItemsRecord;
using snapshot::StringRecord;
using snapshot::TestRecord;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int64_t kLongAgoMs = 1;
constexpr int64_t kFarAwayMs = int64_t{1} << 52;

TestRecord Expiring(const std::string& key, int64_t expires_at_ms) {
  TestRecord record = StringRecord(key, "v");
  record.expires_at_ms = expires_at_ms;
  return record;
}

std::vector<std::string> KeysOf(RecordRange range) {
  std::vector<std::string> keys;
  for (const Record& record : range) keys.emplace_back(record.key);
  return keys;
}

// Collections of very different sizes, nested keys, keys without a collection.
std::vector<TestRecord> ManyRecords() {
  std::vector<TestRecord> records;
  for (int i = 0; i < 3000; ++i) records.push_back(StringRecord(fmt::format("plain{}", i), "p"));
  for (int i = 0; i < 1500; ++i) records.push_back(StringRecord(fmt::format("artist/{}", i), "a"));
  for (int i = 0; i < 40; ++i) {
    records.push_back(StringRecord(fmt::format("artist/{}/name", i), "n"));
  }
  records.push_back(StringRecord("artists/1", "other"));
  records.push_back(StringRecord("artist", "no collection"));
  records.push_back(StringRecord("/", "the collection without a name"));
  return records;
}

std::vector<std::string> KeysThatBegin(const std::vector<TestRecord>& records,
                                       const std::string& prefix) {
  std::vector<std::string> keys;
  for (const TestRecord& record : records) {
    if (record.key.starts_with(prefix)) keys.push_back(record.key);
  }
  return keys;
}

// A value must not outlive a Snapshot that is a temporary.
template <typename T>
concept Findable = requires(T&& handle) { std::forward<T>(handle).Find("key"); };
static_assert(Findable<Snapshot&> && Findable<const Snapshot&>);
static_assert(!Findable<Snapshot&&> && !Findable<const Snapshot&&>);
static_assert(std::ranges::input_range<RecordRange>);

TEST(LibrarySnapshotTest, FindsWhatIsThereAndMissesWhatIsNot) {
  const TestProgram program;
  const Snapshot snapshot = program.OpenSnapshot({StringRecord("a", "1"), StringRecord("b", "")});
  EXPECT_TRUE(snapshot);
  EXPECT_EQ(snapshot.record_count(), 2);
  EXPECT_EQ(snapshot.version_number(), 0);
  EXPECT_EQ(snapshot.Find("a")->text(), "1");
  EXPECT_EQ(snapshot.Find("b")->text(), "");
  EXPECT_FALSE(snapshot.Find("c"));
  EXPECT_FALSE(snapshot.damaged());
  EXPECT_TRUE(snapshot.Verify());
}

TEST(LibrarySnapshotTest, EmptyHandleMissesEverything) {
  const Snapshot snapshot;
  EXPECT_FALSE(snapshot);
  EXPECT_FALSE(snapshot.Find("a"));
  EXPECT_EQ(snapshot.record_count(), 0);
  EXPECT_THAT(snapshot.path(), IsEmpty());
  EXPECT_THAT(snapshot.Metadata(), IsEmpty());
  EXPECT_THAT(KeysOf(snapshot.Records()), IsEmpty());
  EXPECT_THAT(KeysOf(snapshot.WithPrefix("a/")), IsEmpty());
  EXPECT_EQ(snapshot.CollectionSize("a"), 0);
  const std::vector<std::string_view> keys = {"a", "b"};
  std::vector<std::optional<Value>> values(2, Value{});
  snapshot.FindMany(keys, values);
  EXPECT_FALSE(values[0] || values[1]);
}

TEST(LibrarySnapshotTest, OpeningSaysWhatIsWrong) {
  TestProgram program;
  const auto missing = Snapshot::Open(program / "missing.snap");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  program.Publish("text.snap", "this is no Snapshot");
  const auto text = Snapshot::Open(program / "text.snap");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(text.error().message(), HasSubstr("text.snap"));
}

TEST(LibrarySnapshotTest, HandlesShareTheMappingAndOutliveTheFile) {
  const TestProgram program;
  std::string_view text;
  Snapshot copy;
  {
    const Snapshot first = program.OpenSnapshot({StringRecord("a", "still here")});
    copy = first;
    text = first.Find("a")->text();
  }
  ASSERT_TRUE(io::RealFileSystem().Remove(program / "records.snap"));
  EXPECT_EQ(text, "still here");
  EXPECT_EQ(copy.Find("a")->text(), "still here");
}

TEST(LibrarySnapshotTest, ExpiredRecordsAreMissingUnlessAskedFor) {
  const TestProgram program;
  const Snapshot snapshot = program.OpenSnapshot(
      {Expiring("c/old", kLongAgoMs), Expiring("c/new", kFarAwayMs), StringRecord("c/plain", "v")});
  EXPECT_FALSE(snapshot.Find("c/old"));
  EXPECT_TRUE(snapshot.Find("c/new"));
  EXPECT_EQ(snapshot.Find("c/new")->expires_at_ms, kFarAwayMs);
  EXPECT_EQ(snapshot.Find("c/old", Expired::kFound)->expires_at_ms, kLongAgoMs);

  const std::vector<std::string_view> keys = {"c/old", "c/new"};
  std::vector<std::optional<Value>> values(2);
  snapshot.FindMany(keys, values);
  EXPECT_FALSE(values[0]);
  EXPECT_TRUE(values[1]);
  snapshot.FindMany(keys, values, Expired::kFound);
  EXPECT_TRUE(values[0]);

  EXPECT_THAT(KeysOf(snapshot.Records()), UnorderedElementsAre("c/new", "c/plain"));
  EXPECT_THAT(KeysOf(snapshot.Collection("c")), UnorderedElementsAre("c/new", "c/plain"));
  EXPECT_THAT(KeysOf(snapshot.Collection("c", Expired::kFound)),
              UnorderedElementsAre("c/new", "c/old", "c/plain"));
}

TEST(LibrarySnapshotTest, FindManyEqualsFind) {
  const TestProgram program;
  const std::vector<TestRecord> records = ManyRecords();
  const Snapshot snapshot = program.OpenSnapshot(records);
  std::vector<std::string> owned;
  for (size_t i = 0; i < records.size(); ++i) {
    owned.push_back(i % 3 == 0 ? records[i].key + "?" : records[i].key);
  }
  const std::vector<std::string_view> keys(owned.begin(), owned.end());
  // Around the edges of a batch, and many of them.
  for (const size_t count :
       {size_t{0}, size_t{1}, size_t{31}, size_t{32}, size_t{33}, keys.size()}) {
    std::vector<std::optional<Value>> values(count);
    snapshot.FindMany(std::span(keys).first(count), values);
    for (size_t i = 0; i < count; ++i) {
      const auto expected = snapshot.Find(keys[i]);
      ASSERT_EQ(values[i].has_value(), expected.has_value()) << keys[i];
      ASSERT_EQ(expected.has_value(), i % 3 != 0) << keys[i];
      ASSERT_TRUE(!expected || values[i]->text() == expected->text()) << keys[i];
    }
  }
}

TEST(LibrarySnapshotTest, FindManyStopsWhereThereIsNoRoom) {
  const TestProgram program;
  const Snapshot snapshot = program.OpenSnapshot({StringRecord("a", "1"), StringRecord("b", "2")});
  const std::vector<std::string_view> keys = {"a", "b"};
  std::vector<std::optional<Value>> values(1);
  snapshot.FindMany(keys, values);
  EXPECT_EQ(values[0]->text(), "1");
  Value other;
  other.flags = 7;
  std::vector<std::optional<Value>> more(3, other);
  snapshot.FindMany(keys, more);
  EXPECT_EQ(more[1]->text(), "2");
  EXPECT_EQ(more[2]->flags, 7);
}

TEST(LibrarySnapshotTest, WalksVisitEachRecordOnce) {
  const TestProgram program;
  const std::vector<TestRecord> records = ManyRecords();
  const Snapshot snapshot = program.OpenSnapshot(records);
  std::vector<std::string> keys = KeysOf(snapshot.Records());
  EXPECT_THAT(keys, ::testing::UnorderedElementsAreArray(KeysThatBegin(records, "")));
  for (const Record& record : snapshot.Records()) {
    ASSERT_EQ(snapshot.Find(record.key)->text(), record.value.text());
  }
}

TEST(LibrarySnapshotTest, CollectionAndPrefixEqualAFilter) {
  const TestProgram program;
  const std::vector<TestRecord> records = ManyRecords();
  const Snapshot snapshot = program.OpenSnapshot(records);
  for (const std::string name : {"artist", "artists", "", "plain1", "nobody"}) {
    EXPECT_THAT(KeysOf(snapshot.Collection(name)),
                ::testing::UnorderedElementsAreArray(KeysThatBegin(records, name + "/")))
        << name;
    EXPECT_EQ(snapshot.CollectionSize(name), KeysThatBegin(records, name + "/").size()) << name;
  }
  for (const std::string prefix :
       {"", "artist/", "artist/1", "artist/1/", "artist", "art", "plain29", "/", "nobody/", "x"}) {
    EXPECT_THAT(KeysOf(snapshot.WithPrefix(prefix)),
                ::testing::UnorderedElementsAreArray(KeysThatBegin(records, prefix)))
        << prefix;
  }
}

TEST(LibrarySnapshotTest, PrefixNeedsNoCollections) {
  const TestProgram program;
  const std::vector<TestRecord> records = ManyRecords();
  const Snapshot snapshot = program.OpenSnapshot(records, std::nullopt);
  EXPECT_THAT(KeysOf(snapshot.WithPrefix("artist/1")),
              ::testing::UnorderedElementsAreArray(KeysThatBegin(records, "artist/1")));
  EXPECT_THAT(KeysOf(snapshot.Collection("artist")), IsEmpty());
}

TEST(LibrarySnapshotTest, RangeHoldsItsSnapshotAndStartsOver) {
  const TestProgram program;
  RecordRange range = program.OpenSnapshot(ManyRecords()).Collection("artist");
  const auto count = [&range] {
    size_t records = 0;
    for (auto at = range.begin(); at != range.end(); ++at)
      records += at->value.text().empty() ? 0 : 1;
    return records;
  };
  EXPECT_EQ(count(), 1540);
  EXPECT_EQ(count(), 1540);
}

TEST(LibrarySnapshotTest, MetadataIsSorted) {
  TestProgram program;
  program.PublishWord("a");
  const Dataset dataset = program.Open();
  const auto metadata = dataset.Current().Metadata();
  EXPECT_TRUE(std::ranges::is_sorted(metadata));
  const std::map<std::string, std::string> named(metadata.begin(), metadata.end());
  EXPECT_EQ(named.at("source"), program / "words.jsonl");
}

}  // namespace
}  // namespace larder

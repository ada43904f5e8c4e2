#include "snapshot/difference.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::shared_ptr<const Snapshot> SnapshotOf(const std::vector<TestRecord>& records,
                                           uint64_t seed = 1) {
  io::FaultyFileSystem files;
  EXPECT_TRUE(files.MakeDirectories("/d"));
  BuildOptions options;
  options.key_seed = seed;
  options.member_seed = seed;
  const auto report = Build(files, "/d/a.snap", records, std::move(options));
  EXPECT_TRUE(report) << report.error().message();
  auto snapshot = OpenBytes(files.Contents("/d/a.snap").value_or(""));
  EXPECT_TRUE(snapshot);
  return *snapshot;
}

Difference Compared(const std::vector<TestRecord>& before, const std::vector<TestRecord>& after,
                    size_t samples = 10) {
  // Other seeds: nothing of them may count.
  const auto found =
      Compare(*SnapshotOf(before, 1), *SnapshotOf(after, 99), {.samples = samples, .progress = {}});
  EXPECT_TRUE(found) << found.error().message();
  return *found;
}

std::vector<std::string> Keys(const std::vector<KeySample>& samples) {
  std::vector<std::string> keys;
  for (const KeySample& sample : samples) keys.push_back(sample.key);
  return keys;
}

// "kind name before after" of the only changed key.
std::vector<std::string> Changes(const TestRecord& before, const TestRecord& after) {
  const Difference found = Compared({before}, {after});
  EXPECT_EQ(found.changed, 1U);
  std::vector<std::string> lines;
  if (found.changed_samples.empty()) return lines;
  const KeySample& sample = found.changed_samples[0];
  EXPECT_GE(sample.change_count, sample.changes.size());
  for (const Change& change : sample.changes) {
    lines.push_back(std::to_string(static_cast<int>(change.kind)) + " " + change.name + " " +
                    change.before.value_or("none") + " " + change.after.value_or("none"));
  }
  return lines;
}

std::string Line(Change::Kind kind, const std::string& rest) {
  return std::to_string(static_cast<int>(kind)) + " " + rest;
}

bool Equal(const TestRecord& a, const TestRecord& b) { return Compared({a}, {b}).none(); }

TEST(Difference, OfEqualOnesIsNone) {
  const std::vector<TestRecord> records = {StringRecord("a", "1"), StringRecord("b", "2")};
  const Difference found = Compared(records, {records[1], records[0]});
  EXPECT_TRUE(found.none());
  EXPECT_EQ(found.equal, 2U);
  EXPECT_TRUE(Compared({}, {}).none());
}

TEST(Difference, CountsAndShowsAddedRemovedAndChanged) {
  const Difference found =
      Compared({StringRecord("same", "1"), StringRecord("gone", "1"), StringRecord("other", "1")},
               {StringRecord("new", "1"), StringRecord("other", "2"), StringRecord("same", "1")});
  EXPECT_EQ(found.equal, 1U);
  EXPECT_EQ(found.added, 1U);
  EXPECT_EQ(found.removed, 1U);
  EXPECT_EQ(found.changed, 1U);
  EXPECT_THAT(Keys(found.added_samples), ElementsAre("new"));
  EXPECT_THAT(Keys(found.removed_samples), ElementsAre("gone"));
  EXPECT_THAT(Keys(found.changed_samples), ElementsAre("other"));
}

TEST(Difference, ShowsTheFirstSamplesInTheOrderOfTheFile) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 1000; ++i) records.push_back(StringRecord("k" + std::to_string(i), "v"));
  const Difference found = Compared({}, records, 3);
  EXPECT_EQ(found.added, 1000U);
  EXPECT_THAT(Keys(found.added_samples), ElementsAre("k0", "k1", "k2"));
  EXPECT_THAT(Compared(records, {}, 0).removed_samples, IsEmpty());
}

TEST(Difference, HashesSetsAndZsetsCountWithoutOrder) {
  EXPECT_TRUE(Equal(ItemsRecord("k", ValueType::kHash, {"a", "1", "b", "2"}),
                    ItemsRecord("k", ValueType::kHash, {"b", "2", "a", "1"})));
  EXPECT_TRUE(Equal(ItemsRecord("k", ValueType::kSet, {"a", "b"}),
                    ItemsRecord("k", ValueType::kSet, {"b", "a"})));
  EXPECT_TRUE(Equal(ItemsRecord("k", ValueType::kZset, {"a", "b"}, {1, 2}),
                    ItemsRecord("k", ValueType::kZset, {"b", "a"}, {2, 1})));
  EXPECT_FALSE(Equal(ItemsRecord("k", ValueType::kList, {"a", "b"}),
                     ItemsRecord("k", ValueType::kList, {"b", "a"})));
}

TEST(Difference, LargeCollectionsOfOtherOrderAndSeedAreEqual) {
  std::vector<std::string> members;
  for (int i = 0; i < 1000; ++i) members.push_back("m" + std::to_string(i));
  const auto before = ItemsRecord("k", ValueType::kSet, members);
  std::shuffle(members.begin(), members.end(), std::mt19937(1));
  EXPECT_TRUE(Equal(before, ItemsRecord("k", ValueType::kSet, members)));
  members.back() = "other";
  EXPECT_FALSE(Equal(before, ItemsRecord("k", ValueType::kSet, members)));
}

TEST(Difference, TellsWhatChangedInAValue) {
  EXPECT_THAT(Changes(StringRecord("k", "a"), StringRecord("k", "b")),
              ElementsAre(Line(Change::Kind::kValue, " a b")));
  EXPECT_THAT(Changes(StringRecord("k", "a"), ItemsRecord("k", ValueType::kList, {"a"})),
              ElementsAre(Line(Change::Kind::kType, " string list")));
  EXPECT_THAT(
      Changes(ItemsRecord("k", ValueType::kHash, {"a", "1", "b", "2", "c", "3"}),
              ItemsRecord("k", ValueType::kHash, {"c", "3", "b", "x", "d", "4"})),
      ElementsAre(Line(Change::Kind::kField, "a 1 none"), Line(Change::Kind::kField, "b 2 x"),
                  Line(Change::Kind::kField, "d none 4")));
  EXPECT_THAT(
      Changes(ItemsRecord("k", ValueType::kList, {"a", "b", "c"}),
              ItemsRecord("k", ValueType::kList, {"a", "x"})),
      ElementsAre(Line(Change::Kind::kElement, "1 b x"), Line(Change::Kind::kElement, "2 c none")));
  EXPECT_THAT(
      Changes(ItemsRecord("k", ValueType::kSet, {"a", "b"}),
              ItemsRecord("k", ValueType::kSet, {"b", "c"})),
      ElementsAre(Line(Change::Kind::kMember, "a  none"), Line(Change::Kind::kMember, "c none ")));
  EXPECT_THAT(Changes(ItemsRecord("k", ValueType::kZset, {"a"}, {0.0}),
                      ItemsRecord("k", ValueType::kZset, {"a"}, {-0.0})),
              ElementsAre(Line(Change::Kind::kMember, "a 0 -0")));
}

TEST(Difference, ExpiryVersionAndFlagsCount) {
  const TestRecord plain = StringRecord("k", "v");
  TestRecord other = plain;
  other.expires_at_ms = 5;
  other.version = 7;
  other.flags = 9;
  EXPECT_THAT(Changes(plain, other), ElementsAre(Line(Change::Kind::kExpiry, " none 5"),
                                                 Line(Change::Kind::kVersion, " none 7"),
                                                 Line(Change::Kind::kFlags, " 0 9")));
}

TEST(Difference, LongTextsAndManyChangesAreShownInPart) {
  std::vector<std::string> items;
  for (int i = 0; i < 20; ++i) items.push_back(std::string(1000, static_cast<char>('a' + i)));
  const Difference found = Compared({ItemsRecord("k", ValueType::kList, items)},
                                    {ItemsRecord("k", ValueType::kList, {"x"})});
  const KeySample& sample = found.changed_samples.at(0);
  EXPECT_EQ(sample.change_count, 20U);
  ASSERT_THAT(sample.changes, SizeIs(kShownChanges));
  EXPECT_EQ(sample.changes[0].before->size(), kShownBytes + 3);
}

TEST(Difference, NoCharacterIsCut) {
  EXPECT_EQ(CutAtCharacter("abc", 3), 3U);
  EXPECT_EQ(CutAtCharacter("abcd", 3), 3U);
  EXPECT_EQ(CutAtCharacter("a\xe2\x82\xac", 3), 1U);
  EXPECT_EQ(CutAtCharacter("a\xe2\x82\xac!", 4), 4U);
  EXPECT_EQ(CutAtCharacter(std::string(9, '\x80'), 6), 6U);  // no UTF-8
}

TEST(Difference, CanBeCancelled) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 70000; ++i) records.push_back(StringRecord(std::to_string(i), "v"));
  const auto snapshot = SnapshotOf(records);
  const auto found =
      Compare(*snapshot, *snapshot, {.samples = 1, .progress = [](double) { return false; }});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace larder::snapshot

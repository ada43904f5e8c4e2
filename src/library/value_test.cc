#include "larder/value.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
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
using ::testing::ElementsAre;
using ::testing::Pair;

static_assert(std::forward_iterator<ElementIterator<ListView>>);

// Below and above the size from which a collection has a table of its members.
constexpr std::array<int, 4> kSizes = {1, 128, 129, 1000};

std::vector<std::string> Members(int count) {
  std::vector<std::string> members;
  for (int i = 0; i < count; ++i) members.push_back(fmt::format("member {}", i));
  return members;
}

TEST(LibraryValueTest, TextIsThatOfStringsAndJson) {
  const TestProgram program;
  TestRecord json = StringRecord("json", R"({"a":[1,2]})");
  json.type = ValueType::kJson;
  const Snapshot snapshot =
      program.OpenSnapshot({StringRecord("s", std::string("a\0b\r\n", 5)), json,
                            ItemsRecord("list", ValueType::kList, {"a"})});
  EXPECT_EQ(snapshot.Find("s")->text(), std::string_view("a\0b\r\n", 5));
  EXPECT_EQ(snapshot.Find("json")->type, ValueType::kJson);
  EXPECT_EQ(snapshot.Find("json")->text(), R"({"a":[1,2]})");
  EXPECT_EQ(snapshot.Find("list")->text(), "");
}

TEST(LibraryValueTest, CarriesExpiryVersionAndFlags) {
  const TestProgram program;
  TestRecord record = StringRecord("a", "1");
  record.version = 77;
  record.flags = 5;
  record.expires_at_ms = int64_t{1} << 50;
  const Snapshot snapshot = program.OpenSnapshot({record, StringRecord("b", "2")});
  EXPECT_EQ(snapshot.Find("a")->version, 77);
  EXPECT_EQ(snapshot.Find("a")->flags, 5);
  EXPECT_EQ(snapshot.Find("a")->expires_at_ms, int64_t{1} << 50);
  EXPECT_EQ(snapshot.Find("b")->version, std::nullopt);
  EXPECT_EQ(snapshot.Find("b")->flags, 0);
}

TEST(LibraryValueTest, HashFindsFieldsAndWalksThemInOrder) {
  for (const int count : kSizes) {
    const TestProgram program;
    std::vector<std::string> items;
    for (int i = 0; i < count; ++i) {
      items.push_back(fmt::format("field {}", i));
      items.push_back(fmt::format("value {}", i));
    }
    const Snapshot snapshot = program.OpenSnapshot({ItemsRecord("h", ValueType::kHash, items)});
    const HashView hash = snapshot.Find("h")->hash();
    ASSERT_EQ(hash.size(), static_cast<uint64_t>(count));
    EXPECT_EQ(hash.Find("field 0"), "value 0");
    EXPECT_EQ(hash.Find(fmt::format("field {}", count - 1)), fmt::format("value {}", count - 1));
    EXPECT_EQ(hash.Find("value 0"), std::nullopt);
    size_t at = 0;
    for (const auto& [name, value] : hash) {
      ASSERT_EQ(name, items[at++]);
      ASSERT_EQ(value, items[at++]);
    }
    EXPECT_EQ(at, items.size());
  }
}

TEST(LibraryValueTest, ListGivesElementsByNumber) {
  for (const int count : kSizes) {
    const TestProgram program;
    const std::vector<std::string> elements = Members(count);
    const Snapshot snapshot = program.OpenSnapshot({ItemsRecord("l", ValueType::kList, elements)});
    const ListView list = snapshot.Find("l")->list();
    EXPECT_TRUE(std::ranges::equal(list, elements));
    EXPECT_EQ(list[static_cast<uint64_t>(count - 1)], elements.back());
    EXPECT_EQ(list[static_cast<uint64_t>(count)], "");
    EXPECT_EQ(std::distance(list.begin(), list.end()), count);
  }
}

TEST(LibraryValueTest, SetContainsItsMembers) {
  for (const int count : kSizes) {
    const TestProgram program;
    const std::vector<std::string> members = Members(count);
    const Snapshot snapshot = program.OpenSnapshot({ItemsRecord("s", ValueType::kSet, members)});
    const SetView set = snapshot.Find("s")->set();
    EXPECT_TRUE(std::ranges::equal(set, members));
    for (const std::string& member : members) ASSERT_TRUE(set.Contains(member));
    EXPECT_FALSE(set.Contains("nobody"));
  }
}

TEST(LibraryValueTest, ZsetWalksInTheOrderOfScores) {
  const TestProgram program;
  const double infinity = std::numeric_limits<double>::infinity();
  const Snapshot snapshot =
      program.OpenSnapshot({ItemsRecord("z", ValueType::kZset, {"c", "b", "a", "most", "least"},
                                        {1.5, 0.5, 1.5, infinity, -infinity})});
  const ZsetView zset = snapshot.Find("z")->zset();
  std::vector<std::pair<std::string, double>> walked;
  for (const auto& [member, score] : zset) walked.emplace_back(member, score);
  EXPECT_THAT(walked, ElementsAre(Pair("least", -infinity), Pair("b", 0.5), Pair("a", 1.5),
                                  Pair("c", 1.5), Pair("most", infinity)));
  EXPECT_EQ(zset.Score("b"), 0.5);
  EXPECT_EQ(zset.Score("nobody"), std::nullopt);
  EXPECT_EQ(zset.Rank("a"), 2);
  EXPECT_EQ(zset.LowerBound(0.5), 1);
  EXPECT_EQ(zset.LowerBound(0.6), 2);
}

TEST(LibraryValueTest, ZsetFindsEveryMember) {
  for (const int count : kSizes) {
    const TestProgram program;
    std::vector<double> scores;
    for (int i = 0; i < count; ++i) scores.push_back(i % 7);
    const std::vector<std::string> members = Members(count);
    const Snapshot snapshot =
        program.OpenSnapshot({ItemsRecord("z", ValueType::kZset, members, scores)});
    const ZsetView zset = snapshot.Find("z")->zset();
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(zset.Score(members[static_cast<size_t>(i)]), scores[static_cast<size_t>(i)]);
    }
    EXPECT_TRUE(std::ranges::is_sorted(zset, {}, &ZsetView::Member::score));
  }
}

TEST(LibraryValueTest, ViewOfAnotherTypeIsEmpty) {
  const TestProgram program;
  const Snapshot snapshot =
      program.OpenSnapshot({StringRecord("s", "text"), ItemsRecord("l", ValueType::kList, {"a"})});
  const Value list = *snapshot.Find("l");
  EXPECT_TRUE(list.hash().empty());
  EXPECT_TRUE(list.set().empty());
  EXPECT_TRUE(list.zset().empty());
  EXPECT_EQ(list.hash().Find("a"), std::nullopt);
  EXPECT_FALSE(list.set().Contains("a"));
  EXPECT_TRUE(snapshot.Find("s")->list().empty());
}

TEST(LibraryValueTest, DamagedBytesReadAsEmpty) {
  const Value value{
      .type = ValueType::kHash, .encoded = "no collection", .expires_at_ms = {}, .version = {}};
  EXPECT_TRUE(value.hash().empty());
  EXPECT_EQ(value.hash().Find("a"), std::nullopt);
  EXPECT_EQ((Value{.encoded = "$9\r\nshort\r\n", .expires_at_ms = {}, .version = {}}.text()), "");
}

}  // namespace
}  // namespace larder

#include "snapshot/value.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "snapshot/format.h"
#include "snapshot/scan_cursor.h"
#include "snapshot/test_snapshot.h"
#include "snapshot/value_check.h"

namespace larder::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kSeed = 42;

// A value in a block of exactly its size.
struct Encoded {
  std::unique_ptr<char[]> bytes;
  Value value;
};

Encoded Encode(const TestRecord& record, uint64_t seed = kSeed) {
  std::vector<std::string_view> views;
  std::string bytes = "before";
  ValueEncoder encoder(seed);
  const auto appended = encoder.Append(record.View(views), bytes);
  EXPECT_TRUE(appended) << appended.error().message();
  const std::string_view value = std::string_view(bytes).substr(6);
  Encoded encoded;
  encoded.bytes = std::make_unique<char[]>(value.size());
  value.copy(encoded.bytes.get(), value.size());
  encoded.value.type = record.type;
  encoded.value.encoded = {encoded.bytes.get(), value.size()};
  encoded.value.member_seed = seed;
  EXPECT_EQ(FindFault(encoded.value), "");
  return encoded;
}

Error EncodeError(const TestRecord& record) {
  std::vector<std::string_view> views;
  std::string bytes;
  ValueEncoder encoder(kSeed);
  const auto appended = encoder.Append(record.View(views), bytes);
  EXPECT_FALSE(appended);
  return appended ? Error(ErrorCode::kInternal, "") : appended.error();
}

std::vector<std::string> Texts(const CollectionView& view, uint64_t bulks) {
  std::vector<std::string> texts;
  for (uint64_t number = 0; number < bulks; ++number) texts.emplace_back(view.Text(number));
  return texts;
}

std::vector<std::string> Numbered(std::string_view prefix, int count) {
  std::vector<std::string> items;
  for (int i = 0; i < count; ++i) items.push_back(std::string(prefix) + std::to_string(i));
  return items;
}

TEST(Value, AStringIsABulk) {
  const Encoded encoded = Encode(StringRecord("k", "hello"));
  EXPECT_EQ(TextView(encoded.value).bulk(), "$5\r\nhello\r\n");
  EXPECT_EQ(TextView(encoded.value).text(), "hello");
}

TEST(Value, AnEmptyStringIsABulkToo) {
  const Encoded encoded = Encode(StringRecord("k", ""));
  EXPECT_EQ(TextView(encoded.value).bulk(), "$0\r\n\r\n");
  EXPECT_EQ(TextView(encoded.value).text(), "");
}

TEST(Value, ATextMayHoldAnyBytes) {
  const std::string text("\r\n$3\r\n\0\xFF", 8);
  EXPECT_EQ(TextView(Encode(StringRecord("k", text)).value).text(), text);
}

TEST(Value, BytesThatAreNoBulkHaveNoText) {
  for (const std::string_view bulk :
       {"", "$", "$3\r\nabc", "$3\r\nabcd\r\n", "$99999999999999999999999\r\n", "*1\r\n\r\n",
        "$-1\r\n\r\n", "$2\n\nab\r\n"}) {
    EXPECT_EQ(BulkText(bulk), "") << bulk;
  }
}

TEST(Value, AHashAnswersHgetallWithOneSlice) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kHash, {"a", "1", "b", ""}));
  const CollectionView view(encoded.value);
  EXPECT_EQ(view.count(), 2U);
  EXPECT_EQ(view.Reply(), "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$0\r\n\r\n");
  EXPECT_EQ(view.Bulks(2, 4), "$1\r\nb\r\n$0\r\n\r\n");
  EXPECT_EQ(view.FindMember("b"), 1U);
  EXPECT_EQ(view.Text(2 * *view.FindMember("a") + 1), "1");
  EXPECT_FALSE(view.FindMember("1"));
  EXPECT_FALSE(view.FindMember(""));
}

TEST(Value, ARepeatedFieldKeepsItsPlaceAndTakesTheLastValue) {
  const Encoded encoded =
      Encode(ItemsRecord("k", ValueType::kHash, {"a", "1", "b", "2", "a", "3", "", "x", "a", "4"}));
  const CollectionView view(encoded.value);
  EXPECT_THAT(Texts(view, 6), ElementsAre("a", "4", "b", "2", "", "x"));
}

TEST(Value, AListKeepsItsOrderAndItsRepetitions) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kList, {"b", "a", "b", ""}));
  const CollectionView view(encoded.value);
  EXPECT_THAT(Texts(view, 4), ElementsAre("b", "a", "b", ""));
  EXPECT_EQ(view.Bulks(1, 3), "$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(view.Bulks(2, 2), "");
  EXPECT_EQ(view.Bulks(3, 5), "");
}

TEST(Value, ASetKeepsEachMemberOnceInOrderOfAppearance) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kSet, {"x", "y", "x", "", "y", ""}));
  EXPECT_THAT(Texts(CollectionView(encoded.value), 3), ElementsAre("x", "y", ""));
}

TEST(Value, AZsetIsInOrderOfScoreThenOfBytes) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Encoded encoded =
      Encode(ItemsRecord("k", ValueType::kZset, {"c", "b", "a", "top", "low", "A", "half"},
                         {1, 1, 1, infinity, -infinity, 1, 0.5}));
  const CollectionView view(encoded.value);
  EXPECT_THAT(Texts(view, 7), ElementsAre("low", "half", "A", "a", "b", "c", "top"));
  EXPECT_EQ(view.Score(1), 0.5);
  EXPECT_EQ(view.ScoreBulk(0), "$4\r\n-inf\r\n");
  EXPECT_EQ(view.ScoreBulk(1), "$3\r\n0.5\r\n");
  EXPECT_EQ(view.ScoreBulk(6), "$3\r\ninf\r\n");
  EXPECT_EQ(view.LowerBound(1), 2U);
  EXPECT_EQ(view.UpperBound(1), 6U);
  EXPECT_EQ(view.LowerBound(-infinity), 0U);
  EXPECT_EQ(view.UpperBound(infinity), 7U);
}

TEST(Value, ARepeatedZsetMemberTakesTheLastScore) {
  const Encoded encoded =
      Encode(ItemsRecord("k", ValueType::kZset, {"a", "b", "a", "a"}, {9, 2, 5, 1}));
  const CollectionView view(encoded.value);
  EXPECT_THAT(Texts(view, 2), ElementsAre("a", "b"));
  EXPECT_EQ(view.Score(0), 1);
}

TEST(Value, NegativeZeroKeepsItsSignAndSortsAsZero) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kZset, {"b", "a"}, {-0.0, 0.0}));
  const CollectionView view(encoded.value);
  EXPECT_THAT(Texts(view, 2), ElementsAre("a", "b"));
  EXPECT_EQ(view.ScoreBulk(0), "$1\r\n0\r\n");
  EXPECT_EQ(view.ScoreBulk(1), "$2\r\n-0\r\n");
}

TEST(Value, ScoresPrintAsSeventeenDigits) {
  std::mt19937_64 random(5);
  const double limits[] = {0.1,
                           1e17,
                           1e16,
                           123456789012345678.0,
                           9007199254740993.0,
                           5e-324,
                           1e300,
                           -1.5,
                           3,
                           1e22,
                           0.0001,
                           0.00001,
                           1.7976931348623157e308,
                           -0.0};
  const auto check = [](double score) {
    char expected[64];
    std::snprintf(expected, sizeof expected, "%.17g", score);
    ASSERT_EQ(FormatScore(score), expected);
  };
  for (const double score : limits) check(score);
  for (uint64_t i = ScaledCount(100000); i > 0; --i) {
    const auto any = std::bit_cast<double>(random());
    if (std::isfinite(any)) check(any);
    check(static_cast<double>(static_cast<int64_t>(random()) >> (random() % 60)));
    check(static_cast<double>(random() % 100000) / 100);
  }
  EXPECT_EQ(FormatScore(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(FormatScore(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(Value, MoreThanAHundredAndTwentyEightMembersHaveATable) {
  for (const ValueType type : {ValueType::kSet, ValueType::kHash, ValueType::kZset}) {
    for (const int count : {1, 127, 128, 129, 1000, 20000}) {
      std::vector<std::string> items;
      std::vector<double> scores;
      for (int i = 0; i < count; ++i) {
        items.push_back("member" + std::to_string(i));
        if (type == ValueType::kHash) items.push_back("value" + std::to_string(i));
        if (type == ValueType::kZset) scores.push_back(i % 7);
      }
      const Encoded encoded = Encode(ItemsRecord("k", type, items, scores));
      const CollectionView view(encoded.value);
      ASSERT_EQ(view.count(), static_cast<uint64_t>(count));
      EXPECT_EQ(view.has_member_table(), count > 128);
      EXPECT_FALSE(view.FindMember("member"));
      const uint64_t stride = type == ValueType::kHash ? 2 : 1;
      for (int i = 0; i < count; i += 1 + count / 50) {
        const std::string member = "member" + std::to_string(i);
        const auto element = view.FindMember(member);
        ASSERT_TRUE(element);
        EXPECT_EQ(view.Text(*element * stride), member);
      }
    }
  }
}

TEST(Value, RepetitionsInLargeCollectionsCountOnce) {
  std::vector<std::string> items = Numbered("m", 500);
  const std::vector<std::string> once = items;
  items.insert(items.end(), once.begin(), once.end());
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kSet, items));
  EXPECT_EQ(Texts(CollectionView(encoded.value), 500), once);
  const Encoded same =
      Encode(ItemsRecord("k", ValueType::kSet, std::vector<std::string>(50000, "same")));
  EXPECT_EQ(CollectionView(same.value).count(), 1U);
}

TEST(Value, OffsetsWidenWithTheRun) {
  for (const size_t bytes : {size_t{65535} - 11, size_t{65536} - 10, size_t{200000}}) {
    const Encoded encoded =
        Encode(ItemsRecord("k", ValueType::kList, {std::string(bytes, 'x'), "last"}));
    EXPECT_EQ(CollectionView(encoded.value).Text(0).size(), bytes);
    EXPECT_EQ(CollectionView(encoded.value).Text(1), "last");
  }
}

// Members whose hashes begin with the same bits all have one home in a table of the usual size.
TEST(Value, ACrowdedMemberTableTakesMoreBuckets) {
  std::vector<std::string> items;
  for (int i = 0; items.size() < 300; ++i) {
    const std::string member = std::to_string(i);
    if (HashBytes(member, kSeed) >> 56 == 0) items.push_back(member);
  }
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kSet, items));
  const CollectionView view(encoded.value);
  EXPECT_GT(view.MemberTable().home_buckets(), HomeBucketsFor(items.size()));
  for (const std::string& member : items) EXPECT_TRUE(view.FindMember(member));
}

TEST(Value, AnEncoderGivesTheSameBytesEveryTime) {
  ValueEncoder encoder(kSeed);
  const TestRecord record = ItemsRecord("k", ValueType::kSet, Numbered("m", 300));
  const TestRecord small = ItemsRecord("k", ValueType::kZset, {"b", "a", "b"}, {1, 2, 3});
  std::vector<std::string_view> views;
  std::string first;
  std::string second;
  ASSERT_TRUE(encoder.Append(record.View(views), first));
  ASSERT_TRUE(encoder.Append(small.View(views), second));
  second.clear();
  ASSERT_TRUE(encoder.Append(record.View(views), second));
  EXPECT_EQ(first, second);
}

TEST(Value, WhatIsNoValueIsRefused) {
  EXPECT_EQ(EncodeError(ItemsRecord("k", ValueType::kSet, {})).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(EncodeError(ItemsRecord("k", ValueType::kHash, {"a"})).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(EncodeError(ItemsRecord("k", ValueType::kZset, {"a", "b"}, {1})).code(),
            ErrorCode::kInvalidArgument);
  const Error nan = EncodeError(ItemsRecord("the key", ValueType::kZset, {"a"}, {std::nan("")}));
  EXPECT_EQ(nan.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(nan.message(), HasSubstr("the key"));
}

TEST(Value, AStringOverTheLimitIsRefusedBeforeItIsTouched) {
  RecordView record;
  record.key = "k";
  record.text = {"", kMaxStringBytes + 1};
  ValueEncoder encoder(kSeed);
  std::string bytes;
  const auto appended = encoder.Append(record, bytes);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::kLimit);
  record.type = ValueType::kList;
  record.text = {};
  const std::string_view items[] = {"a", {"", kMaxStringBytes + 1}};
  record.items = items;
  EXPECT_EQ(encoder.Append(record, bytes).error().code(), ErrorCode::kLimit);
  EXPECT_EQ(bytes, "");
}

TEST(Value, ADamagedValueIsEmptyOrWrongAndNeverReadOutside) {
  const TestRecord shapes[] = {
      StringRecord("k", "hello"),
      ItemsRecord("k", ValueType::kHash, {"a", "1", "b", "2"}),
      ItemsRecord("k", ValueType::kList, {"a", "b"}),
      ItemsRecord("k", ValueType::kZset, {"a", "b"}, {1, 2.5}),
      ItemsRecord("k", ValueType::kSet, Numbered("m", 129)),
  };
  std::mt19937_64 random(3);
  for (uint64_t i = ScaledCount(20000); i > 0; --i) {
    Encoded encoded = Encode(shapes[random() % 5]);
    // Mostly the head and the tables; sometimes the value is cut.
    const size_t size = encoded.value.encoded.size();
    for (int change = 0; change < 3; ++change) {
      const size_t reach = random() % 2 == 0 ? std::min<size_t>(size, 24) : size;
      encoded.bytes[random() % reach] = static_cast<char>(random());
    }
    const size_t kept = random() % 4 == 0 ? random() % (size + 1) : size;
    const auto exact = std::make_unique<char[]>(kept);
    encoded.value.encoded.copy(exact.get(), kept);
    encoded.value.encoded = {exact.get(), kept};
    encoded.value.type = static_cast<ValueType>(random() % kValueTypeCount);
    const CollectionView view(encoded.value);
    uint64_t bytes = view.Reply().size() + TextView(encoded.value).text().size();
    for (uint64_t n = 0; n < std::min<uint64_t>(view.count(), 300); ++n) {
      bytes += view.Text(n).size() + view.ScoreBulk(n).size();
    }
    EXPECT_LE(bytes, 3 * kept + 4);
    (void)view.FindMember("m7");
    (void)view.LowerBound(1);
    (void)view.Scan(0, 10, [](uint64_t) {});
    (void)FindFault(encoded.value);
  }
}

// ---- Walks.

std::vector<std::string> WalkMembers(const CollectionView& view, uint64_t& cursor, uint64_t count) {
  std::vector<std::string> members;
  cursor =
      view.Scan(cursor, count, [&](uint64_t element) { members.emplace_back(view.Text(element)); });
  return members;
}

TEST(MemberScan, EachMemberComesOnceAndAboutCountAtATime) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kSet, Numbered("m", 1000)));
  const CollectionView view(encoded.value);
  std::vector<std::string> seen;
  uint64_t cursor = 0;
  do {
    const auto some = WalkMembers(view, cursor, 10);
    EXPECT_TRUE(some.size() == 10 || cursor == 0);
    EXPECT_LT(cursor, kCursorLimit);
    seen.insert(seen.end(), some.begin(), some.end());
  } while (cursor != 0);
  EXPECT_THAT(seen, ::testing::UnorderedElementsAreArray(Numbered("m", 1000)));
}

TEST(MemberScan, ASmallCollectionComesAtOnceInStoredOrder) {
  const Encoded encoded = Encode(ItemsRecord("k", ValueType::kSet, Numbered("m", 128)));
  uint64_t cursor = 0;
  EXPECT_EQ(WalkMembers(CollectionView(encoded.value), cursor, 1), Numbered("m", 128));
  EXPECT_EQ(cursor, 0U);
}

// A walk that moves to another version of the set between two calls, whatever the sizes.
TEST(MemberScan, MembersOfBothVersionsComeExactlyOnce) {
  const std::pair<int, int> sizes[] = {{1000, 400}, {400, 1000}, {1000, 60}, {1000, 128}};
  for (const auto& [before, after] : sizes) {
    const Encoded old_bytes = Encode(ItemsRecord("k", ValueType::kSet, Numbered("m", before)));
    const Encoded new_bytes = Encode(ItemsRecord("k", ValueType::kSet, Numbered("m", after)));
    const CollectionView old_view(old_bytes.value);
    const CollectionView new_view(new_bytes.value);
    for (const int calls : {1, 7, 20}) {
      std::vector<std::string> seen;
      uint64_t cursor = 0;
      for (int call = 0; call == 0 || cursor != 0; ++call) {
        const auto some = WalkMembers(call < calls ? old_view : new_view, cursor, 13);
        seen.insert(seen.end(), some.begin(), some.end());
      }
      for (const std::string& member : Numbered("m", std::min(before, after))) {
        ASSERT_EQ(std::count(seen.begin(), seen.end(), member), 1) << member;
      }
    }
  }
}

TEST(MemberScan, ACursorOfAnotherSeedStartsOver) {
  const TestRecord record = ItemsRecord("k", ValueType::kSet, Numbered("m", 1000));
  const Encoded mine = Encode(record, 1);
  const Encoded other = Encode(record, 2);
  uint64_t cursor = 0;
  (void)WalkMembers(CollectionView(other.value), cursor, 900);
  uint64_t start = 0;
  EXPECT_EQ(WalkMembers(CollectionView(mine.value), cursor, 5),
            WalkMembers(CollectionView(mine.value), start, 5));
}

}  // namespace
}  // namespace larder::snapshot

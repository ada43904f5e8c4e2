#include "command/arguments.h"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace larder::command {
namespace {

using std::string_view_literals::operator""sv;

TEST(IsOption, FoldsCapitalsAndEndsAtAZeroByteAsStrcasecmpDoes) {
  EXPECT_TRUE(IsOption("MaTcH", "match"));
  EXPECT_TRUE(IsOption("match\0ing"sv, "match"));
  EXPECT_FALSE(IsOption("matc", "match"));
  EXPECT_FALSE(IsOption("matching", "match"));
  EXPECT_FALSE(IsOption("", "match"));
}

TEST(ParseInteger, TakesWhatRedisTakes) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("-1"), -1);
  EXPECT_EQ(ParseInteger("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ParseInteger("-9223372036854775808"), INT64_MIN);
}

TEST(ParseInteger, RefusesWhatRedisRefuses) {
  for (const auto text :
       {"", "-", "+1", " 1", "1 ", "01", "-0", "-01", "1.0", "9223372036854775808",
        "-9223372036854775809", "100000000000000000000000", "abc"}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseInteger("1\0"sv), std::nullopt);
}

TEST(ParseCursor, ReadsAsStrtoulDoes) {
  EXPECT_EQ(ParseCursor("17"), 17U);
  EXPECT_EQ(ParseCursor("+5"), 5U);
  EXPECT_EQ(ParseCursor("007"), 7U);
  EXPECT_EQ(ParseCursor(""), 0U);
  EXPECT_EQ(ParseCursor("-1"), UINT64_MAX);
  EXPECT_EQ(ParseCursor("18446744073709551616"), std::nullopt);
  EXPECT_EQ(ParseCursor(" 1"), std::nullopt);
  EXPECT_EQ(ParseCursor("1x"), std::nullopt);
  EXPECT_EQ(ParseCursor(std::string(1000, '0') + "1"), 1U);
}

TEST(ParseScoreBound, ReadsAsStrtodDoes) {
  const auto expect = [](std::string_view text, double value, bool exclusive) {
    const auto bound = ParseScoreBound(text);
    ASSERT_TRUE(bound) << text;
    EXPECT_EQ(bound->value, value) << text;
    EXPECT_EQ(bound->exclusive, exclusive) << text;
  };
  expect("1.5", 1.5, false);
  expect("(1.5", 1.5, true);
  expect("+inf", HUGE_VAL, false);
  expect("(-Infinity", -HUGE_VAL, true);
  expect("0x10", 16, false);
  expect("", 0, false);
  for (const auto text : {"nan", "abc", "1.5x", "((1", "1 "}) {
    EXPECT_FALSE(ParseScoreBound(text)) << text;
  }
}

TEST(ClampRange, CountsNegativeIndexesFromTheEnd) {
  const auto expect = [](int64_t first, int64_t last, uint64_t from, uint64_t end) {
    const IndexRange range = ClampRange(first, last, 5);
    EXPECT_EQ(range.first, from) << first << ".." << last;
    EXPECT_EQ(range.end, end) << first << ".." << last;
  };
  expect(0, -1, 0, 5);
  expect(1, 3, 1, 4);
  expect(-2, -1, 3, 5);
  expect(-100, 100, 0, 5);
  expect(3, 1, 0, 0);
  expect(5, 9, 0, 0);
  expect(0, -6, 0, 0);
  expect(INT64_MIN, INT64_MAX, 0, 5);
  expect(INT64_MIN, INT64_MIN, 0, 0);
}

}  // namespace
}  // namespace larder::command

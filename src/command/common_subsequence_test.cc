#include "command/common_subsequence.h"

#include <random>

#include <gtest/gtest.h>

namespace larder::command {
namespace {

// The table that everybody draws first.
uint64_t LengthByTable(std::string_view a, std::string_view b) {
  std::vector<std::vector<uint64_t>> table(a.size() + 1, std::vector<uint64_t>(b.size() + 1));
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1
                                         : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  return table[a.size()][b.size()];
}

std::string RandomText(std::mt19937& random, size_t most, int letters) {
  std::string text(random() % (most + 1), ' ');
  for (char& c : text) c = static_cast<char>('a' + static_cast<int>(random()) % letters);
  return text;
}

bool IsSubsequence(std::string_view part, std::string_view whole) {
  size_t at = 0;
  for (const char c : whole) {
    if (at < part.size() && part[at] == c) ++at;
  }
  return at == part.size();
}

TEST(CommonSubsequence, OfNothingIsNothing) {
  EXPECT_EQ(CommonSubsequenceLength("", "abc"), 0U);
  EXPECT_EQ(CommonSubsequenceLength("abc", ""), 0U);
  EXPECT_EQ(FindCommonSubsequence("", "").text, "");
  EXPECT_EQ(FindCommonSubsequence("abc", "xyz").text, "");
}

TEST(CommonSubsequence, NamesTheRunsFromTheLastToTheFirst) {
  const CommonSubsequence found = FindCommonSubsequence("ohmytext", "mynewtext");
  EXPECT_EQ(found.text, "mytext");
  ASSERT_EQ(found.runs.size(), 2U);
  EXPECT_EQ(found.runs[0].a_at, 4U);
  EXPECT_EQ(found.runs[0].b_at, 5U);
  EXPECT_EQ(found.runs[0].length, 4U);
  EXPECT_EQ(found.runs[1].a_at, 2U);
  EXPECT_EQ(found.runs[1].b_at, 0U);
  EXPECT_EQ(found.runs[1].length, 2U);
}

TEST(CommonSubsequence, IsAsLongAsTheTableSaysAndInBothTexts) {
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const int letters = 1 + i % 5;
    const std::string a = RandomText(random, 150, letters);
    const std::string b = RandomText(random, 200, letters);
    const uint64_t length = LengthByTable(a, b);
    EXPECT_EQ(CommonSubsequenceLength(a, b), length);
    const CommonSubsequence found = FindCommonSubsequence(a, b);
    EXPECT_EQ(found.text.size(), length);
    EXPECT_TRUE(IsSubsequence(found.text, a) && IsSubsequence(found.text, b));
    std::string from_runs;
    for (const CommonRun& run : found.runs) {
      EXPECT_EQ(a.substr(run.a_at, run.length), b.substr(run.b_at, run.length));
      from_runs.insert(0, a, run.a_at, run.length);
    }
    EXPECT_EQ(from_runs, found.text);
  }
}

TEST(CommonSubsequence, CrossesTheWordsOfItsRows) {
  for (const size_t size : {63UZ, 64UZ, 65UZ, 127UZ, 128UZ, 129UZ}) {
    const std::string text(size, 'x');
    EXPECT_EQ(CommonSubsequenceLength(text, text), size);
    EXPECT_EQ(FindCommonSubsequence(text, text + "y" + text).text.size(), size);
  }
}

}  // namespace
}  // namespace larder::command

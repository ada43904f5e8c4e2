#include "base/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Glob, LiteralPatternMatchesOnlyItself) {
  EXPECT_TRUE(GlobMatches("abc", "abc"));
  EXPECT_FALSE(GlobMatches("abc", "ab"));
  EXPECT_FALSE(GlobMatches("abc", "abcd"));
  EXPECT_FALSE(GlobMatches("abc", "ABC"));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_FALSE(GlobMatches("", "a"));
}

TEST(Glob, StarTakesAnyBytesAndNone) {
  EXPECT_TRUE(GlobMatches("*", "a"));
  EXPECT_TRUE(GlobMatches("a*", "a"));
  EXPECT_TRUE(GlobMatches("a*c", "ac"));
  EXPECT_TRUE(GlobMatches("a*c", "abbbc"));
  EXPECT_TRUE(GlobMatches("**a**", "xxaxx"));
  EXPECT_FALSE(GlobMatches("a*c", "abbbd"));
  EXPECT_TRUE(GlobMatches("*ab*ab", "ababab"));
  EXPECT_TRUE(GlobMatches("a*", std::string("a\0b\n", 4)));
}

TEST(Glob, StarDoesNotMatchTheEmptyTextAsInRedis) {
  EXPECT_FALSE(GlobMatches("*", ""));
  EXPECT_FALSE(GlobMatches("**", ""));
}

TEST(Glob, QuestionMarkTakesExactlyOneByte) {
  EXPECT_TRUE(GlobMatches("h?llo", "hello"));
  EXPECT_FALSE(GlobMatches("h?llo", "hllo"));
  EXPECT_FALSE(GlobMatches("?", ""));
  EXPECT_TRUE(GlobMatches("*??", "ab"));
  EXPECT_FALSE(GlobMatches("*??", "a"));
}

TEST(Glob, SetTakesOneOfItsBytes) {
  EXPECT_TRUE(GlobMatches("h[ae]llo", "hallo"));
  EXPECT_FALSE(GlobMatches("h[ae]llo", "hillo"));
  EXPECT_TRUE(GlobMatches("h[^e]llo", "hallo"));
  EXPECT_FALSE(GlobMatches("h[^e]llo", "hello"));
  EXPECT_TRUE(GlobMatches("[a^]", "^"));
  EXPECT_FALSE(GlobMatches("[]", "a"));
  EXPECT_TRUE(GlobMatches("[^]", "a"));
}

TEST(Glob, RangeIsInclusiveAndMayStandBackwards) {
  EXPECT_TRUE(GlobMatches("[a-c]", "a"));
  EXPECT_TRUE(GlobMatches("[a-c]", "c"));
  EXPECT_FALSE(GlobMatches("[a-c]", "d"));
  EXPECT_TRUE(GlobMatches("[c-a]", "b"));
  EXPECT_FALSE(GlobMatches("[^a-c]", "b"));
  EXPECT_TRUE(GlobMatches("[-a]", "-"));
}

TEST(Glob, RangeComparesSignedBytesAsRedisDoes) {
  EXPECT_TRUE(GlobMatches("[\x80-a]", "\xff"));
  EXPECT_FALSE(GlobMatches("[a-\x7f]", "\xff"));
}

TEST(Glob, SetThatIsNotClosedEndsWithThePattern) {
  EXPECT_TRUE(GlobMatches("[a", "a"));
  EXPECT_FALSE(GlobMatches("[a", "b"));
  EXPECT_FALSE(GlobMatches("[", "["));
  EXPECT_TRUE(GlobMatches("[^", "x"));
  EXPECT_FALSE(GlobMatches("[a", "a]"));
}

TEST(Glob, BackslashTakesTheMeaningFromTheNextByte) {
  EXPECT_TRUE(GlobMatches("a\\*", "a*"));
  EXPECT_FALSE(GlobMatches("a\\*", "ab"));
  EXPECT_TRUE(GlobMatches("\\[a]", "[a]"));
  EXPECT_TRUE(GlobMatches("[\\]]", "]"));
  EXPECT_TRUE(GlobMatches("[\\-x]", "-"));
  EXPECT_TRUE(GlobMatches("\\a", "a"));
}

TEST(Glob, BackslashAtTheEndIsABackslash) {
  EXPECT_TRUE(GlobMatches("a\\", "a\\"));
  EXPECT_FALSE(GlobMatches("a\\", "a"));
}

// Exponential matchers need longer than the age of the universe for this one.
TEST(Glob, ManyStarsDoNotExplode) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(GlobMatches(pattern, std::string(2000, 'a')));
  EXPECT_TRUE(GlobMatches(pattern, std::string(2000, 'a') + "b"));
}

TEST(GlobLiteralPrefix, EndsAtTheFirstSpecialByte) {
  EXPECT_EQ(GlobLiteralPrefix("artist/*"), "artist/");
  EXPECT_EQ(GlobLiteralPrefix("a?c"), "a");
  EXPECT_EQ(GlobLiteralPrefix("a[bc]"), "a");
  EXPECT_EQ(GlobLiteralPrefix("*"), "");
  EXPECT_EQ(GlobLiteralPrefix("plain"), "plain");
  EXPECT_EQ(GlobLiteralPrefix(""), "");
}

TEST(GlobLiteralPrefix, ResolvesEscapes) {
  EXPECT_EQ(GlobLiteralPrefix("a\\*b*"), "a*b");
  EXPECT_EQ(GlobLiteralPrefix("a\\\\*"), "a\\");
  EXPECT_EQ(GlobLiteralPrefix("a\\"), "a\\");
}

}  // namespace
}  // namespace larder

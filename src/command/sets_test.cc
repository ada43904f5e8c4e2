// Sets, sorted sets and places. That they answer as Redis does is shown by tests/conformance; these
// tests say what they are for, and hold where there is no Redis.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/reply_checker.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SetsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

// The bulks of a reply.
std::multiset<std::string> BulksOf(const std::string& reply) {
  std::multiset<std::string> bulks;
  for (size_t at = reply.find('$'); at != std::string::npos; at = reply.find('$', at)) {
    const size_t line = reply.find("\r\n", at);
    const size_t bytes = std::stoul(reply.substr(at + 1, line - at - 1));
    bulks.insert(reply.substr(line + 2, bytes));
    at = line + 2 + bytes;
  }
  return bulks;
}

TEST_F(SetsTest, MembersAreAskedForTogether) {
  EXPECT_EQ(Ask("SMISMEMBER set x q z"), "*3\r\n:1\r\n:0\r\n:1\r\n");
  EXPECT_EQ(Ask("SMISMEMBER nothing x"), "*1\r\n:0\r\n");
  EXPECT_EQ(Ask("ZMSCORE zset three q"), "*2\r\n$3\r\n3.5\r\n$-1\r\n");
}

TEST_F(SetsTest, IntersectionHasWhatAllHave) {
  EXPECT_EQ(Ask("SINTER set set"), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
  EXPECT_EQ(Ask("SINTER set bigset"), "*0\r\n");
  EXPECT_EQ(Ask("SINTER set nothing"), "*0\r\n");
  EXPECT_EQ(Ask("SINTERCARD 2 bigset bigset"), ":300\r\n");
  EXPECT_EQ(Ask("SINTERCARD 2 bigset bigset LIMIT 7"), ":7\r\n");
  EXPECT_EQ(Ask("SINTERCARD 2 bigset bigset LIMIT 0"), ":300\r\n");
}

TEST_F(SetsTest, UnionHasEachMemberOnce) {
  EXPECT_THAT(Ask("SUNION set bigset set bigset"), StartsWith("*303\r\n"));
  const auto members = BulksOf(Ask("SUNION set bigset set bigset"));
  EXPECT_EQ(std::set<std::string>(members.begin(), members.end()).size(), 303U);
  EXPECT_EQ(Ask("SUNION nothing set"), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
}

TEST_F(SetsTest, DifferenceLeavesOutWhatOthersHave) {
  EXPECT_EQ(Ask("SDIFF set bigset nothing"), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
  EXPECT_EQ(Ask("SDIFF set bigset set"), "*0\r\n");
  EXPECT_THAT(Ask("SDIFF bigset set"), StartsWith("*300\r\n"));
}

TEST_F(SetsTest, ChanceRepeatsOnlyWhereItMay) {
  const auto distinct = BulksOf(Ask("SRANDMEMBER bigset 200"));
  EXPECT_EQ(distinct.size(), 200U);
  EXPECT_EQ(std::set<std::string>(distinct.begin(), distinct.end()).size(), 200U);
  EXPECT_THAT(Ask("SRANDMEMBER set -50"), StartsWith("*50\r\n"));
  EXPECT_THAT(Ask("SRANDMEMBER set 50"), StartsWith("*3\r\n"));
  EXPECT_EQ(Ask("SRANDMEMBER nothing"), "$-1\r\n");
  EXPECT_THAT(Ask("ZRANDMEMBER zset 9 WITHSCORES"), StartsWith("*8\r\n"));
}

TEST_F(SetsTest, TooManyRepetitionsAreRefused) {
  EXPECT_EQ(Ask("SRANDMEMBER set -16777217"), "-ERR value is out of range\r\n");
  EXPECT_EQ(Ask("ZRANDMEMBER zset -16777217"), "-ERR value is out of range\r\n");
  EXPECT_THAT(Ask("SRANDMEMBER set -16777216"), StartsWith("*16777216\r\n"));
}

TEST_F(SetsTest, RangesGoBothWays) {
  EXPECT_EQ(Ask("ZREVRANGE zset 0 1"), "*2\r\n$4\r\nfour\r\n$5\r\nthree\r\n");
  EXPECT_EQ(Ask("ZREVRANGEBYSCORE zset 4 (2 LIMIT 1 5"), "*1\r\n$5\r\nthree\r\n");
  EXPECT_EQ(Ask("ZRANGEBYLEX lex (a [c"), "*2\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Ask("ZLEXCOUNT lex - +"), ":4\r\n");
  EXPECT_EQ(Ask("ZREVRANK zset four"), ":0\r\n");
}

TEST_F(SetsTest, ScoresArePutTogether) {
  EXPECT_EQ(Ask("ZINTER 2 zset zset WEIGHTS 1 2 WITHSCORES"),
            "*8\r\n$3\r\none\r\n$1\r\n3\r\n$3\r\ntwo\r\n$1\r\n6\r\n$5\r\nthree\r\n$4\r\n10.5\r\n"
            "$4\r\nfour\r\n$2\r\n12\r\n");
  EXPECT_EQ(Ask("ZUNION 2 lex set AGGREGATE MAX"),
            "*7\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
  EXPECT_EQ(Ask("ZDIFF 2 zset lex"), Ask("ZRANGE zset 0 -1"));
  EXPECT_EQ(Ask("ZINTERCARD 2 zset zset LIMIT 3"), ":3\r\n");
}

TEST_F(SetsTest, WhatIsNoNumberIsZero) {
  EXPECT_EQ(Ask("ZUNION 2 set set WEIGHTS inf -inf WITHSCORES"),
            "*6\r\n$1\r\nx\r\n$1\r\n0\r\n$1\r\ny\r\n$1\r\n0\r\n$1\r\nz\r\n$1\r\n0\r\n");
  EXPECT_EQ(Ask("ZUNION 1 lex WEIGHTS inf WITHSCORES"),
            "*8\r\n$1\r\na\r\n$1\r\n0\r\n$1\r\nb\r\n$1\r\n0\r\n$1\r\nc\r\n$1\r\n0\r\n$1\r\nd\r\n"
            "$1\r\n0\r\n");
}

TEST_F(SetsTest, SearchesFindPlacesInReach) {
  EXPECT_EQ(Ask("GEOSEARCH zset FROMMEMBER one BYRADIUS 1 m WITHHASH"),
            "*4\r\n*2\r\n$3\r\none\r\n:1\r\n*2\r\n$3\r\ntwo\r\n:2\r\n*2\r\n$5\r\nthree\r\n:3\r\n"
            "*2\r\n$4\r\nfour\r\n:4\r\n");
  EXPECT_EQ(Ask("GEOSEARCH zset FROMMEMBER one BYRADIUS 0 m"), "*1\r\n$3\r\none\r\n");
  EXPECT_EQ(Ask("GEOSEARCH zset FROMLONLAT 0 0 BYBOX 100 100 km"), "*0\r\n");
  EXPECT_EQ(Ask("GEODIST zset one one km"), "$6\r\n0.0000\r\n");
  EXPECT_THAT(Ask("GEORADIUS_RO zset 0 0 1 km STORE x"), HasSubstr("syntax error"));
  EXPECT_THAT(Ask("GEOSEARCH zset BYRADIUS 1 m ASC DESC ANY"),
              HasSubstr("exactly one of FROMMEMBER or FROMLONLAT"));
}

}  // namespace
}  // namespace larder::command

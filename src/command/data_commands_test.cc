// Commands about keys and values. That they answer as Redis does is shown by tests/conformance;
// these tests say what they are for, and hold where there is no Redis.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/reply_checker.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kWrongTypeReply =
    "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

class DataCommandsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  // Walks to the end; the bulks of all replies, without the cursors.
  std::multiset<std::string> Walk(const std::string& command, const std::string& options) {
    std::multiset<std::string> found;
    std::string cursor = "0";
    for (int calls = 0; calls < 1000; ++calls) {
      std::string reply = Ask(command + " " + cursor + " " + options);
      EXPECT_THAT(reply, StartsWith("*2\r\n$"));
      std::vector<std::string> bulks;
      for (size_t at = reply.find('$'); at != std::string::npos; at = reply.find('$', at)) {
        const size_t line = reply.find("\r\n", at);
        const size_t bytes = std::stoul(reply.substr(at + 1, line - at - 1));
        bulks.push_back(reply.substr(line + 2, bytes));
        at = line + 2 + bytes;
      }
      found.insert(bulks.begin() + 1, bulks.end());
      cursor = bulks[0];
      if (cursor == "0") return found;
    }
    ADD_FAILURE() << "the walk does not end";
    return found;
  }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(DataCommandsTest, StringsAnswerWithTheirBytes) {
  EXPECT_EQ(Ask("GET string"), "$11\r\nHello World\r\n");
  EXPECT_EQ(Ask("GET empty"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("GET nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("GET hash"), kWrongTypeReply);
  EXPECT_EQ(Ask("MGET version hash nothing"), "*3\r\n$3\r\ntwo\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(Ask("STRLEN string"), ":11\r\n");
  EXPECT_EQ(Ask("STRLEN nothing"), ":0\r\n");
  EXPECT_EQ(Ask("STRLEN list"), kWrongTypeReply);
}

TEST_F(DataCommandsTest, PartsOfStringsCountFromBothEnds) {
  EXPECT_EQ(Ask("GETRANGE string 0 4"), "$5\r\nHello\r\n");
  EXPECT_EQ(Ask("GETRANGE string -5 -1"), "$5\r\nWorld\r\n");
  EXPECT_EQ(Ask("GETRANGE string 0 -1"), "$11\r\nHello World\r\n");
  EXPECT_EQ(Ask("GETRANGE string 0 -100"), "$1\r\nH\r\n");
  EXPECT_EQ(Ask("GETRANGE string -1 -5"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("GETRANGE string 5 3"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("GETRANGE empty 0 -1"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("GETRANGE nothing 0 -1"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("GETRANGE string a 1"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Ask("GETRANGE large 1 50000"), "$50000\r\n" + std::string(50000, 'x') + "\r\n");
}

TEST_F(DataCommandsTest, MissingKeysAreNoErrors) {
  EXPECT_EQ(Ask("HGETALL nothing"), "*0\r\n");
  EXPECT_EQ(Ask("HMGET nothing a b"), "*2\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(Ask("LRANGE nothing 0 -1"), "*0\r\n");
  EXPECT_EQ(Ask("SMEMBERS nothing"), "*0\r\n");
  EXPECT_EQ(Ask("ZRANGE nothing 0 -1"), "*0\r\n");
  EXPECT_EQ(Ask("ZSCORE nothing a"), "$-1\r\n");
  EXPECT_EQ(Ask("HSCAN nothing 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  for (const auto line : {"HLEN", "LLEN", "SCARD", "ZCARD"}) {
    EXPECT_EQ(Ask(std::string(line) + " nothing"), ":0\r\n") << line;
  }
}

TEST_F(DataCommandsTest, ExpiredRecordsAreMissing) {
  EXPECT_EQ(Ask("GET expired"), "$-1\r\n");
  EXPECT_EQ(Ask("EXISTS expired expiring expiring"), ":2\r\n");
  EXPECT_EQ(Ask("TYPE expired"), "+none\r\n");
  EXPECT_EQ(Ask("MGET expired"), "*1\r\n$-1\r\n");
  EXPECT_EQ(Ask("PTTL expiring"), ":10500\r\n");
  EXPECT_EQ(Ask("TTL expiring"), ":11\r\n");
  EXPECT_EQ(Ask("TTL expired"), ":-2\r\n");
  EXPECT_EQ(Ask("TTL string"), ":-1\r\n");
  EXPECT_FALSE(Walk("SCAN", "").contains("expired"));
  connection_.now_ms += 10'500;
  EXPECT_EQ(Ask("GET expiring"), "$-1\r\n");
}

TEST_F(DataCommandsTest, TypesAreNamedAsRedisNamesThem) {
  EXPECT_EQ(Ask("TYPE string"), "+string\r\n");
  EXPECT_EQ(Ask("TYPE zset"), "+zset\r\n");
  EXPECT_EQ(Ask("TYPE json"), "+ReJSON-RL\r\n");
  EXPECT_EQ(Ask("GET json"), kWrongTypeReply);
}

TEST_F(DataCommandsTest, HashesAnswerInBothProtocols) {
  EXPECT_EQ(Ask("HGET hash f2"), "$2\r\nv2\r\n");
  EXPECT_EQ(Ask("HMGET hash f3 no f1"), "*3\r\n$2\r\nv3\r\n$-1\r\n$2\r\nv1\r\n");
  EXPECT_EQ(Ask("HEXISTS hash f1"), ":1\r\n");
  EXPECT_EQ(Ask("HEXISTS hash no"), ":0\r\n");
  EXPECT_EQ(Ask("HKEYS hash"), "*3\r\n$2\r\nf1\r\n$2\r\nf2\r\n$2\r\nf3\r\n");
  EXPECT_EQ(Ask("HVALS hash"), "*3\r\n$2\r\nv1\r\n$2\r\nv2\r\n$2\r\nv3\r\n");
  const std::string bulks =
      "$2\r\nf1\r\n$2\r\nv1\r\n$2\r\nf2\r\n$2\r\nv2\r\n$2\r\nf3\r\n$2\r\nv3\r\n";
  EXPECT_EQ(Ask("HGETALL hash"), "*6\r\n" + bulks);
  Ask("HELLO 3");
  EXPECT_EQ(Ask("HGETALL hash"), "%3\r\n" + bulks);
  EXPECT_EQ(Ask("HGETALL nothing"), "%0\r\n");
}

TEST_F(DataCommandsTest, ListsAnswerRangesWithBothEnds) {
  EXPECT_EQ(Ask("LRANGE list 0 -1"),
            "*5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n");
  EXPECT_EQ(Ask("LRANGE list 1 2"), "*2\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Ask("LRANGE list 9 10"), "*0\r\n");
  EXPECT_EQ(Ask("LRANGE list 0"), "-ERR wrong number of arguments for 'lrange' command\r\n");
  EXPECT_EQ(Ask("LINDEX list -1"), "$1\r\ne\r\n");
  EXPECT_EQ(Ask("LINDEX list 5"), "$-1\r\n");
  EXPECT_EQ(Ask("LINDEX list x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(DataCommandsTest, SetsAnswerInBothProtocols) {
  EXPECT_EQ(Ask("SMEMBERS set"), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
  EXPECT_EQ(Ask("SISMEMBER set y"), ":1\r\n");
  EXPECT_EQ(Ask("SISMEMBER bigset member299"), ":1\r\n");
  EXPECT_EQ(Ask("SISMEMBER bigset member300"), ":0\r\n");
  Ask("HELLO 3");
  EXPECT_EQ(Ask("SMEMBERS set"), "~3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n");
  EXPECT_EQ(Ask("SMEMBERS nothing"), "~0\r\n");
}

TEST_F(DataCommandsTest, SortedSetsAnswerByRankAndScore) {
  EXPECT_EQ(Ask("ZRANGE zset 0 1"), "*2\r\n$3\r\none\r\n$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("ZRANGE zset 0 0 REV"), "*1\r\n$4\r\nfour\r\n");
  EXPECT_EQ(Ask("ZRANGE zset 0 0 rev withscores"), "*2\r\n$4\r\nfour\r\n$1\r\n4\r\n");
  EXPECT_EQ(Ask("ZRANGE zset (1 3.5 BYSCORE"), "*2\r\n$3\r\ntwo\r\n$5\r\nthree\r\n");
  EXPECT_EQ(Ask("ZRANGE zset +inf -inf BYSCORE REV LIMIT 1 2"),
            "*2\r\n$5\r\nthree\r\n$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("ZCOUNT zset (1 (4"), ":2\r\n");
  EXPECT_EQ(Ask("ZSCORE zset three"), "$3\r\n3.5\r\n");
  EXPECT_EQ(Ask("ZRANK zset three"), ":2\r\n");
  Ask("HELLO 3");
  EXPECT_EQ(Ask("ZSCORE zset three"), ",3.5\r\n");
  EXPECT_EQ(Ask("ZSCORE zset no"), "_\r\n");
  EXPECT_EQ(Ask("ZRANGE zset 0 0 WITHSCORES"), "*1\r\n*2\r\n$3\r\none\r\n,1\r\n");
}

TEST_F(DataCommandsTest, SortedSetsAnswerByBytes) {
  EXPECT_EQ(Ask("ZRANGE lex [b (d BYLEX"), "*2\r\n$1\r\nb\r\n$1\r\nc\r\n");
  EXPECT_EQ(Ask("ZRANGE lex + - BYLEX REV LIMIT 0 2"), "*2\r\n$1\r\nd\r\n$1\r\nc\r\n");
  EXPECT_EQ(Ask("ZRANGE lex - + BYLEX LIMIT 3 -1"), "*1\r\n$1\r\nd\r\n");
  EXPECT_EQ(Ask("ZRANGE lex - + BYLEX LIMIT -1 5"), "*0\r\n");
  EXPECT_EQ(Ask("ZRANGE lex + - BYLEX"), "*0\r\n");
  EXPECT_EQ(Ask("ZRANGE lex a b BYLEX"), "-ERR min or max not valid string range item\r\n");
}

TEST_F(DataCommandsTest, RangeOptionsThatDoNotFitAreRefused) {
  EXPECT_EQ(Ask("ZRANGE zset 0 1 LIMIT 0 1"),
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or "
            "BYLEX\r\n");
  EXPECT_EQ(Ask("ZRANGE lex - + BYLEX WITHSCORES"),
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX\r\n");
  EXPECT_EQ(Ask("ZRANGE zset a b BYSCORE"), "-ERR min or max is not a float\r\n");
  EXPECT_EQ(Ask("ZRANGE zset 0 1 REV REV"), "-ERR syntax error\r\n");
}

TEST_F(DataCommandsTest, ScanReturnsEveryKeyOnce) {
  const auto keys = Walk("SCAN", "COUNT 3");
  EXPECT_EQ(keys.size(), 65U);
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 65U);
}

TEST_F(DataCommandsTest, ScanGoesOnInTheVersionThatWasSwitchedTo) {
  std::string reply = Ask("SCAN 0 COUNT 5");
  const size_t line = reply.find("\r\n", 5);
  const std::string cursor = reply.substr(line + 2, reply.find("\r\n", line + 2) - line - 2);
  ASSERT_NE(cursor, "0");
  const std::string before = Ask("SCAN " + cursor);
  ASSERT_TRUE(stores_.catalogue().view().ByDatabase(0)->Rollback(1));
  EXPECT_EQ(Ask("SCAN " + cursor), before);
}

TEST_F(DataCommandsTest, ScanOptionsAreTakenInEitherCase) {
  EXPECT_EQ(Walk("SCAN", "match artist/* count 7").size(), 20U);
  EXPECT_EQ(Walk("SCAN", "MATCH artist/1* COUNT 2").size(), 11U);
  EXPECT_EQ(Walk("SCAN", "TYPE ZSET").size(), 2U);
  EXPECT_EQ(Walk("SCAN", "TYPE rejson-rl").size(), 3U);
  EXPECT_EQ(Walk("SCAN", "TYPE nonsense").size(), 0U);
  EXPECT_EQ(Walk("SSCAN bigset", "MATCH *99 COUNT 10").size(), 3U);
}

TEST_F(DataCommandsTest, ScanErrorsAreRedis) {
  EXPECT_EQ(Ask("SCAN x"), "-ERR invalid cursor\r\n");
  EXPECT_EQ(Ask("SCAN 0 COUNT 0"), "-ERR syntax error\r\n");
  EXPECT_EQ(Ask("SCAN 0 COUNT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Ask("SCAN 0 MATCH"), "-ERR syntax error\r\n");
  EXPECT_EQ(Ask("HSCAN hash 0 TYPE hash"), "-ERR syntax error\r\n");
}

// A walk with COUNT went on to a part and cursor 0 in an ancestor.
TEST_F(DataCommandsTest, MemberScansReturnEveryMemberOnce) {
  EXPECT_EQ(Walk("SSCAN bigset", "COUNT 10").size(), 300U);
  EXPECT_EQ(Walk("HSCAN hash", "COUNT 1").size(), 6U);
  EXPECT_EQ(Walk("ZSCAN zset", "COUNT 1").size(), 8U);
  EXPECT_EQ(Ask("ZSCAN zset 0 MATCH o*"), "*2\r\n$1\r\n0\r\n*2\r\n$3\r\none\r\n$1\r\n1\r\n");
}

TEST_F(DataCommandsTest, KeysAreListedByPattern) {
  EXPECT_EQ(CountReplies(Ask("KEYS *"), 2), 1U);
  // All but the one that has expired.
  const uint64_t keys = std::stoull(Ask("DBSIZE").substr(1));
  EXPECT_THAT(Ask("KEYS *"), StartsWith(fmt::format("*{}\r\n", keys - 1)));
  EXPECT_THAT(Ask("KEYS album/1*"), StartsWith("*11\r\n"));
  EXPECT_EQ(Ask("KEYS nothing/*"), "*0\r\n");
  EXPECT_EQ(Ask("KEYS ?set"), "*1\r\n$4\r\nzset\r\n");
  EXPECT_THAT(Ask("KEYS a*/5"), HasSubstr("artist/5"));
}

TEST_F(DataCommandsTest, RandomKeyIsOneThatIsThere) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(Ask("RANDOMKEY"));
  EXPECT_GT(seen.size(), 10U);
  EXPECT_FALSE(seen.contains("$7\r\nexpired\r\n"));
  EXPECT_FALSE(seen.contains("$-1\r\n"));
}

}  // namespace
}  // namespace larder::command

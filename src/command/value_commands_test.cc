// Commands about keys, bits, hashes, lists and what Redis tells of values. That they answer as
// Redis does is shown by tests/conformance; these tests say what they are for, and what chance may
// do.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/random.h"
#include "command/reply_checker.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ValueCommandsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(ValueCommandsTest, ExpiryIsToldAsATimeRoundedToSeconds) {
  EXPECT_EQ(Ask("PEXPIRETIME expiring"), ":1700000010500\r\n");
  EXPECT_EQ(Ask("EXPIRETIME expiring"), ":1700000011\r\n");
  EXPECT_EQ(Ask("EXPIRETIME string"), ":-1\r\n");
  EXPECT_EQ(Ask("PEXPIRETIME nothing"), ":-2\r\n");
  EXPECT_EQ(Ask("EXPIRETIME expired"), ":-2\r\n");
}

TEST_F(ValueCommandsTest, TouchCountsWhatIsThere) {
  EXPECT_EQ(Ask("TOUCH string hash nothing string expired"), ":3\r\n");
}

TEST_F(ValueCommandsTest, ObjectTellsHowRedisWouldHoldTheValue) {
  EXPECT_EQ(Ask("OBJECT ENCODING string"), "$6\r\nembstr\r\n");
  EXPECT_EQ(Ask("OBJECT ENCODING large"), "$3\r\nraw\r\n");
  EXPECT_EQ(Ask("OBJECT ENCODING weight_1"), "$3\r\nint\r\n");
  EXPECT_EQ(Ask("OBJECT ENCODING json"), "$3\r\nraw\r\n");
  EXPECT_EQ(Ask("OBJECT ENCODING bigset"), "$9\r\nhashtable\r\n");
  EXPECT_EQ(Ask("OBJECT ENCODING list"), "$9\r\nquicklist\r\n");
  EXPECT_EQ(Ask("OBJECT REFCOUNT weight_1"), ":2147483647\r\n");
  EXPECT_EQ(Ask("OBJECT REFCOUNT string"), ":1\r\n");
  EXPECT_EQ(Ask("OBJECT IDLETIME string"), ":0\r\n");
  EXPECT_THAT(Ask("OBJECT FREQ string"), StartsWith("-ERR An LFU maxmemory policy"));
  EXPECT_EQ(Ask("OBJECT FREQ nothing"), "$-1\r\n");
  EXPECT_THAT(Ask("OBJECT HELP"), HasSubstr("ENCODING key"));
}

TEST_F(ValueCommandsTest, DumpIsAPayloadAndNotOfJson) {
  EXPECT_THAT(Ask("DUMP string"), StartsWith(std::string("$23\r\n\0\x0bHello World\x0a\0", 20)));
  EXPECT_EQ(Ask("DUMP nothing"), "$-1\r\n");
  EXPECT_THAT(Ask("DUMP json"), StartsWith("-ERR a JSON value has no payload here"));
  EXPECT_EQ(Ask("DUMP set").substr(0, 14), std::string("$18\r\n\x02\x03\x01x\x01y\x01z\x0a", 14));
}

TEST_F(ValueCommandsTest, BitsAreCountedFromTheHighestOfTheFirstByte) {
  EXPECT_EQ(Ask("GETBIT bits 8"), ":1\r\n");
  EXPECT_EQ(Ask("GETBIT bits 7"), ":0\r\n");
  EXPECT_EQ(Ask("GETBIT bits 48"), ":0\r\n");
  EXPECT_EQ(Ask("BITCOUNT bits"), ":18\r\n");
  EXPECT_EQ(Ask("BITCOUNT bits 10 13 BIT"), ":4\r\n");
  EXPECT_EQ(Ask("BITPOS bits 1"), ":8\r\n");
  EXPECT_EQ(Ask("BITPOS bits 0 8 19 BIT"), ":-1\r\n");
  EXPECT_EQ(Ask("BITPOS bits 0 1 1"), ":-1\r\n");
  EXPECT_EQ(Ask("BITFIELD_RO bits GET u8 #1 GET i4 16 GET u16 44"),
            "*3\r\n:255\r\n:-1\r\n:4096\r\n");
  EXPECT_EQ(Ask("BITFIELD_RO bits SET u8 0 1"),
            "-ERR BITFIELD_RO only supports the GET subcommand\r\n");
}

// Every part of a string that crosses words, bytes and edges, against counting one by one.
TEST_F(ValueCommandsTest, BitsOfEveryRangeAreThoseCountedOneByOne) {
  const std::string text = "Hello World";
  const auto bit = [&text](int at) {
    return text[static_cast<size_t>(at / 8)] >> (7 - at % 8) & 1;
  };
  for (int first = 0; first < 88; ++first) {
    int count = 0;
    int found = -1;
    for (int last = first; last < 88; ++last) {
      count += bit(last);
      if (found < 0 && bit(last) == 1) found = last;
      const std::string range = fmt::format("{} {} BIT", first, last);
      ASSERT_EQ(Ask("BITCOUNT string " + range), fmt::format(":{}\r\n", count)) << range;
      ASSERT_EQ(Ask("BITPOS string 1 " + range), fmt::format(":{}\r\n", found)) << range;
    }
  }
}

TEST_F(ValueCommandsTest, HyperLogLogsAreCountedAloneAndMerged) {
  EXPECT_EQ(Ask("PFCOUNT hll"), ":1\r\n");
  EXPECT_EQ(Ask("PFCOUNT hll hll0 nothing"), ":1\r\n");
  EXPECT_EQ(Ask("PFCOUNT nothing"), ":0\r\n");
  EXPECT_EQ(Ask("PFCOUNT string"), "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n");
  EXPECT_EQ(Ask("PFCOUNT hll hash"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
}

TEST_F(ValueCommandsTest, TheCommonSubsequenceIsToldAsTextLengthOrRuns) {
  EXPECT_EQ(Ask("LCS string string LEN"), ":11\r\n");
  EXPECT_EQ(Ask("LCS string nothing"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("LCS string string IDX WITHMATCHLEN"),
            "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:0\r\n:10\r\n*2\r\n:0\r\n:10\r\n:11\r\n"
            "$3\r\nlen\r\n:11\r\n");
  EXPECT_EQ(Ask("LCS large large"),
            "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n");
  EXPECT_EQ(Ask("LCS string json"), "-ERR The specified keys must contain string values\r\n");
}

TEST_F(ValueCommandsTest, PositionsInAListAreFoundFromEitherEnd) {
  EXPECT_EQ(Ask("LPOS duplicates x"), ":0\r\n");
  EXPECT_EQ(Ask("LPOS duplicates x RANK -1"), ":3\r\n");
  EXPECT_EQ(Ask("LPOS duplicates x RANK 2 COUNT 0"), "*2\r\n:2\r\n:3\r\n");
  EXPECT_EQ(Ask("LPOS duplicates x RANK -1 COUNT 0 MAXLEN 2"), "*2\r\n:3\r\n:2\r\n");
  EXPECT_EQ(Ask("LPOS duplicates z"), "$-1\r\n");
}

TEST_F(ValueCommandsTest, FieldsAndTheirValuesAreMeasured) {
  EXPECT_EQ(Ask("HSTRLEN hash f1"), ":2\r\n");
  EXPECT_EQ(Ask("HSTRLEN hash f9"), ":0\r\n");
}

TEST_F(ValueCommandsTest, RandomFieldsAreNestedWithTheirValuesInResp3) {
  EXPECT_EQ(Ask("HRANDFIELD hash 9 WITHVALUES"),
            "*6\r\n$2\r\nf1\r\n$2\r\nv1\r\n$2\r\nf2\r\n$2\r\nv2\r\n$2\r\nf3\r\n$2\r\nv3\r\n");
  EXPECT_THAT(Ask("HRANDFIELD hash -7"), StartsWith("*7\r\n"));
  EXPECT_EQ(Ask("HRANDFIELD nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("HRANDFIELD nothing 3"), "*0\r\n");
  EXPECT_EQ(Ask("HRANDFIELD hash -16777217"), "-ERR value is out of range\r\n");
  Ask("HELLO 3");
  EXPECT_THAT(Ask("HRANDFIELD hash 2 WITHVALUES"), StartsWith("*2\r\n*2\r\n$2\r\nf"));
}

TEST_F(ValueCommandsTest, RandomFieldsAreDistinctUnlessTheCountIsNegative) {
  for (int i = 0; i < 50; ++i) {
    const std::string reply = Ask("HRANDFIELD hash 2");
    EXPECT_NE(reply.substr(4, 8), reply.substr(12, 8));
  }
}

// Chi-square with 9 degrees of freedom: 27.9 is passed by one of a thousand fair sources; this one
// has a fixed seed.
TEST(RandomFields, AreChosenEvenly) {
  RandomSource random(42);
  constexpr int kRounds = 10'000;
  std::map<uint64_t, int> seen;
  for (int i = 0; i < kRounds; ++i) {
    for (const uint64_t number : ChooseDistinct(random, 3, 10)) ++seen[number];
  }
  double chi_square = 0;
  for (uint64_t number = 0; number < 10; ++number) {
    const double expected = kRounds * 3 / 10.0;
    chi_square += (seen[number] - expected) * (seen[number] - expected) / expected;
  }
  EXPECT_LT(chi_square, 27.9);
}

}  // namespace
}  // namespace larder::command

// Streams, of which there are none. What is refused, and how, is compared by tests/conformance.
#include <gtest/gtest.h>

#include "command/test_stores.h"

namespace larder::command {
namespace {

class StreamCommandsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(StreamCommandsTest, AreMissingOrOfAnotherType) {
  const std::string wrong_type =
      "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
  EXPECT_EQ(Ask("XLEN nothing"), ":0\r\n");
  EXPECT_EQ(Ask("XLEN string"), wrong_type);
  EXPECT_EQ(Ask("XRANGE nothing - +"), "*0\r\n");
  EXPECT_EQ(Ask("XREVRANGE hash + -"), wrong_type);
  EXPECT_EQ(Ask("XREAD STREAMS nothing 0"), "*-1\r\n");
  EXPECT_EQ(Ask("XREAD STREAMS nothing list 0 0"), wrong_type);
  EXPECT_EQ(Ask("XINFO STREAM nothing"), "-ERR no such key\r\n");
  EXPECT_EQ(Ask("XPENDING nothing g"), "-NOGROUP No such key 'nothing' or consumer group 'g'\r\n");
}

TEST_F(StreamCommandsTest, AReadThatWaitsGetsItsNullInTheEnd) {
  EXPECT_EQ(Ask("XREAD BLOCK 250 STREAMS nothing $"), "*-1\r\n");
  EXPECT_EQ(stores_.host().blocked_for_ms, 250U);
  Ask("HELLO 3");
  EXPECT_EQ(Ask("XREAD BLOCK 0 STREAMS nothing $"), "_\r\n");
  EXPECT_EQ(stores_.host().blocked_for_ms, 0U);
}

TEST_F(StreamCommandsTest, NoTimeIsTooLongToWait) {
  EXPECT_EQ(Ask("XREAD BLOCK 9223372036854775807 STREAMS nothing $"), "*-1\r\n");
  EXPECT_EQ(stores_.host().blocked_for_ms, 9223372036854775807U);
  EXPECT_EQ(Ask("XREAD BLOCK 9223372036854775808 STREAMS nothing $"),
            "-ERR timeout is not an integer or out of range\r\n");
}

TEST_F(StreamCommandsTest, NoTransactionWaits) {
  stores_.host().blocked_for_ms = 7;
  Ask("MULTI");
  Ask("XREAD BLOCK 250 STREAMS nothing $");
  EXPECT_EQ(Ask("EXEC"), "*1\r\n*-1\r\n");
  EXPECT_EQ(stores_.host().blocked_for_ms, 7U);
}

TEST_F(StreamCommandsTest, IdsAreCheckedBeforeTheKey) {
  const std::string invalid = "-ERR Invalid stream ID specified as stream command argument\r\n";
  for (const auto* id : {"x", "1-x", "1-", "-1", "18446744073709551616", "(-", "("}) {
    EXPECT_EQ(Ask(fmt::format("XRANGE string {} +", id)), invalid) << id;
  }
  EXPECT_EQ(Ask("XRANGE string (18446744073709551615-18446744073709551615 +"),
            "-ERR invalid start ID for the interval\r\n");
  EXPECT_EQ(Ask("XRANGE string - (0-0"), "-ERR invalid end ID for the interval\r\n");
}

}  // namespace
}  // namespace larder::command

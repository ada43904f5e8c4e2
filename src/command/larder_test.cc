#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "command/reply_checker.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LarderTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(LarderTest, DatasetsAreListedWithWhatTheyServe) {
  const std::string reply = Ask("LARDER DATASETS");
  EXPECT_THAT(reply, StartsWith("*2\r\n*40\r\n$4\r\nname\r\n$8\r\nfeatures\r\n"));
  EXPECT_THAT(reply, HasSubstr("$7\r\ncurrent\r\n:2\r\n"));
  EXPECT_THAT(reply, HasSubstr("$6\r\npinned\r\n:0\r\n"));
  EXPECT_EQ(CountReplies(reply, 2), 1U);
  Ask("HELLO 3");
  const std::string map = Ask("LARDER DATASETS");
  EXPECT_THAT(map, StartsWith("*2\r\n%20\r\n$4\r\nname\r\n"));
  EXPECT_THAT(map, HasSubstr("$6\r\npinned\r\n#f\r\n"));
  EXPECT_EQ(CountReplies(map, 3), 1U);
}

TEST_F(LarderTest, VersionsAreListedOldestFirst) {
  const std::string reply = Ask("LARDER VERSIONS features");
  EXPECT_THAT(reply, StartsWith("*2\r\n*20\r\n$6\r\nnumber\r\n:1\r\n$7\r\ncurrent\r\n:0\r\n"));
  EXPECT_THAT(reply, HasSubstr("$6\r\nnumber\r\n:2\r\n$7\r\ncurrent\r\n:1\r\n"));
  EXPECT_EQ(Ask("LARDER VERSIONS later"), "*0\r\n");
}

TEST_F(LarderTest, RollbackServesThePreviousVersionAndHoldsIt) {
  EXPECT_EQ(Ask("LARDER ROLLBACK features"),
            "*8\r\n$8\r\nprevious\r\n:2\r\n$7\r\ncurrent\r\n:1\r\n$6\r\npinned\r\n:1\r\n"
            "$8\r\ncompiled\r\n:0\r\n");
  EXPECT_EQ(Ask("GET version"), "$3\r\none\r\n");
  EXPECT_THAT(Ask("LARDER ROLLBACK features"), StartsWith("-ERR "));
  EXPECT_EQ(Ask("GET version"), "$3\r\none\r\n");
}

TEST_F(LarderTest, PinAndUnpinChooseTheVersion) {
  EXPECT_THAT(Ask("LARDER PIN features 1"), HasSubstr("$6\r\npinned\r\n:1\r\n"));
  EXPECT_EQ(Ask("GET version"), "$3\r\none\r\n");
  EXPECT_THAT(Ask("LARDER UNPIN features"), HasSubstr("$6\r\npinned\r\n:0\r\n"));
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
  EXPECT_THAT(Ask("LARDER ROLLBACK features 1"), HasSubstr("$7\r\ncurrent\r\n:1\r\n"));
}

TEST_F(LarderTest, ErrorsSayWhatIsThere) {
  EXPECT_EQ(Ask("LARDER VERSIONS nothing"),
            "-ERR there is no dataset 'nothing'; there are: features, later\r\n");
  EXPECT_EQ(Ask("LARDER RELOAD nothing"),
            "-ERR there is no dataset 'nothing'; there are: features, later\r\n");
  EXPECT_EQ(Ask("LARDER PIN features x"),
            "-ERR 'x' is not a version number; LARDER VERSIONS lists them\r\n");
  EXPECT_THAT(Ask("LARDER PIN features 99"), StartsWith("-ERR "));
  EXPECT_THAT(Ask("LARDER ROLLBACK features 1 2"), StartsWith("-ERR wrong number"));
}

TEST_F(LarderTest, TheLogLevelIsToldAndSet) {
  const LogLevel before = CurrentLogLevel();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(Ask("LARDER LOGLEVEL"), "$4\r\ninfo\r\n");
  EXPECT_EQ(Ask("LARDER LOGLEVEL Error"), "+OK\r\n");
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
  EXPECT_EQ(Ask("LARDER LOGLEVEL loud"),
            "-ERR 'loud' is none of the levels debug, info, warning, error\r\n");
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
  EXPECT_THAT(Ask("LARDER LOGLEVEL error now"), StartsWith("-ERR wrong number"));
  SetLogLevel(before);
}

TEST_F(LarderTest, AChangeEndsTheBatch) {
  connection_.AskAll({{"LARDER", "UNPIN", "features"}, {"PING"}});
  EXPECT_EQ(connection_.executed, 1U);
}

TEST_F(LarderTest, AnswersWhileAStoreIsLoading) {
  Ask("SELECT 1");
  EXPECT_THAT(Ask("LARDER DATASETS"), StartsWith("*2\r\n"));
  EXPECT_THAT(Ask("LARDER HELP"), StartsWith("*19\r\n+LARDER <subcommand>"));
}

}  // namespace
}  // namespace larder::command

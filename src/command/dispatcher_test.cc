#include "command/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/reply_checker.h"
#include "command/spec.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::StartsWith;

class DispatcherTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(DispatcherTest, NamesAreFoundInEitherCase) {
  EXPECT_EQ(Ask("get version"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("GeT version"), "$3\r\ntwo\r\n");
}

TEST_F(DispatcherTest, UnknownCommandsAreRefusedAsRedisDoes) {
  EXPECT_EQ(Ask("foo"), "-ERR unknown command 'foo', with args beginning with: \r\n");
  EXPECT_EQ(Ask("foo a b"), "-ERR unknown command 'foo', with args beginning with: 'a' 'b' \r\n");
  EXPECT_EQ(connection_.AskWords({"f\r\no", "a\nb"}),
            "-ERR unknown command 'f  o', with args beginning with: 'a b' \r\n");
}

TEST_F(DispatcherTest, UnknownCommandsAreRepeatedOnlySoFar) {
  const std::string name(200, 'n');
  const std::string argument(100, 'a');
  EXPECT_EQ(connection_.AskWords({name, argument, argument, argument}),
            "-ERR unknown command '" + std::string(128, 'n') + "', with args beginning with: '" +
                argument + "' '" + std::string(25, 'a') + "' \r\n");
}

TEST_F(DispatcherTest, ArityIsCheckedBeforeWriting) {
  EXPECT_EQ(Ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Ask("set a"), "-ERR wrong number of arguments for 'set' command\r\n");
  EXPECT_EQ(Ask("CLIENT SETNAME"),
            "-ERR wrong number of arguments for 'client|setname' command\r\n");
  EXPECT_EQ(Ask("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_EQ(Ask("XGROUP CREATE a b"),
            "-ERR wrong number of arguments for 'xgroup|create' command\r\n");
}

TEST_F(DispatcherTest, WritesAreRefused) {
  const std::string refused = "-READONLY You can't write against a read only replica.\r\n";
  for (const auto line : {"SET a b", "del a", "SORT a", "GETEX a", "XGROUP DESTROY a b",
                          "FUNCTION FLUSH", "FLUSHALL", "MSET a b"}) {
    EXPECT_EQ(Ask(line), refused) << line;
  }
}

TEST_F(DispatcherTest, UnknownSubcommandsPointToHelp) {
  EXPECT_EQ(Ask("client foo"), "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n");
  EXPECT_EQ(Ask("LARDER foo"), "-ERR unknown subcommand 'foo'. Try LARDER HELP.\r\n");
}

TEST_F(DispatcherTest, AStoreWithNothingToServeYetIsLoading) {
  const std::string loading = "-LOADING Larder is loading the dataset in memory\r\n";
  EXPECT_EQ(Ask("SELECT 1"), "+OK\r\n");
  EXPECT_EQ(Ask("GET a"), loading);
  EXPECT_EQ(Ask("DBSIZE"), loading);
  EXPECT_EQ(Ask("SCAN 0"), loading);
  EXPECT_EQ(Ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_THAT(Ask("SET a b"), StartsWith("-READONLY"));
  EXPECT_EQ(Ask("ECHO a"), "$1\r\na\r\n");
  EXPECT_THAT(Ask("INFO persistence"), testing::HasSubstr("loading:1\r\n"));
  EXPECT_EQ(Ask("SELECT 0"), "+OK\r\n");
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
}

TEST_F(DispatcherTest, ADatabaseWithoutAStoreIsEmpty) {
  EXPECT_EQ(Ask("SELECT 15"), "+OK\r\n");
  EXPECT_EQ(Ask("GET version"), "$-1\r\n");
  EXPECT_EQ(Ask("DBSIZE"), ":0\r\n");
  EXPECT_EQ(Ask("KEYS *"), "*0\r\n");
  EXPECT_EQ(Ask("SCAN 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
  EXPECT_EQ(Ask("RANDOMKEY"), "$-1\r\n");
  EXPECT_EQ(Ask("MGET a b"), "*2\r\n$-1\r\n$-1\r\n");
}

TEST_F(DispatcherTest, SelectHoldsForTheRestOfTheBatch) {
  EXPECT_EQ(connection_.AskAll({{"GET", "version"},
                                {"SELECT", "15"},
                                {"GET", "version"},
                                {"SELECT", "0"},
                                {"GET", "version"}}),
            "$3\r\ntwo\r\n+OK\r\n$-1\r\n+OK\r\n$3\r\ntwo\r\n");
}

TEST_F(DispatcherTest, BatchesOfEverySizeAnswerEveryRequest) {
  for (const size_t size : {1U, 2U, 31U, 32U, 33U, 64U, 100U}) {
    const std::vector<std::vector<std::string_view>> requests(size, {"GET", "version"});
    const std::string reply = connection_.AskAll(requests);
    EXPECT_EQ(CountReplies(reply, 2), size);
    EXPECT_EQ(connection_.executed, size);
  }
}

TEST_F(DispatcherTest, NothingIsExecutedAfterQuit) {
  EXPECT_EQ(connection_.AskAll({{"QUIT"}, {"PING"}}), "+OK\r\n");
  EXPECT_EQ(connection_.executed, 1U);
  EXPECT_TRUE(connection_.session.closes_after_reply());
}

TEST_F(DispatcherTest, RequestsOfAnotherProtocolEndTheConnection) {
  EXPECT_EQ(connection_.AskAll({{"POST", "/", "HTTP/1.1"}, {"GET", "version"}}), "");
  EXPECT_TRUE(connection_.session.closes_after_reply());
}

TEST_F(DispatcherTest, ABatchStopsWhenItsReplyHasGrownLarge) {
  connection_.max_reply_bytes = 150'000;
  const std::vector<std::vector<std::string_view>> requests(5, {"GET", "large"});
  connection_.AskAll(requests);
  EXPECT_EQ(connection_.executed, 2U);
}

TEST_F(DispatcherTest, LargeValuesAreBorrowedAndSmallOnesCopied) {
  connection_.Ask("GET large");
  EXPECT_EQ(CountReplies(Ask("GET large"), 2), 1U);
  EXPECT_EQ(Ask("GET large").size(), 100'000 + 11U);
}

TEST_F(DispatcherTest, ASwitchShowsInTheNextRequest) {
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
  ASSERT_TRUE(stores_.catalogue().view().ByDatabase(0)->Rollback(1));
  EXPECT_EQ(Ask("GET version"), "$3\r\none\r\n");
}

TEST_F(DispatcherTest, ADamagedVersionIsToldOnce) {
  EXPECT_EQ(connection_.dispatcher().TakeDamage().dataset, nullptr);
  stores_.files().DamageMappings(TestStores::VersionPath(2));
  Ask("GET version");
  const auto damage = connection_.dispatcher().TakeDamage();
  EXPECT_EQ(damage.dataset.get(), stores_.catalogue().view().ByDatabase(0));
  EXPECT_EQ(damage.version, 2U);
  EXPECT_EQ(connection_.dispatcher().TakeDamage().dataset, nullptr);
}

TEST_F(DispatcherTest, DamageIsToldThoughAnotherDatabaseWasSelectedAfterIt) {
  stores_.files().DamageMappings(TestStores::VersionPath(2));
  connection_.AskAll({{"GET", "version"}, {"SELECT", "15"}, {"GET", "version"}});
  EXPECT_EQ(connection_.dispatcher().TakeDamage().version, 2U);
}

TEST_F(DispatcherTest, RequestsHitsAndMissesAreCounted) {
  connection_.AskAll({{"GET", "version"}, {"GET", "nothing"}, {"MGET", "string", "no"}, {"foo"}});
  EXPECT_EQ(stores_.counters().commands, 3U);  // as Redis, not what was refused
  EXPECT_EQ(stores_.counters().keyspace_hits, 2U);
  EXPECT_EQ(stores_.counters().keyspace_misses, 2U);
}

TEST_F(DispatcherTest, TheLastCommandIsRemembered) {
  Ask("CLIENT ID");
  ASSERT_NE(connection_.session.last_command, nullptr);
  EXPECT_EQ(connection_.session.last_command->name, "client");
  EXPECT_EQ(connection_.session.last_subcommand->name, "client|id");
}

}  // namespace
}  // namespace larder::command

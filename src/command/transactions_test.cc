// MULTI, EXEC, DISCARD, WATCH, UNWATCH: what is queued, refused, and seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/reply_checker.h"
#include "command/test_stores.h"
#include "command/transaction.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kAborted =
    "-EXECABORT Transaction discarded because of previous errors.\r\n";

class TransactionsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }
  // The last of the replies.
  std::string AskAll(const std::vector<std::string_view>& lines) {
    std::string reply;
    for (const auto line : lines) reply = Ask(line);
    return reply;
  }
  void Serve(uint64_t version) {
    ASSERT_TRUE(stores_.catalogue().view().ByDatabase(0)->Rollback(version));
  }
  Session& session() { return connection_.session; }
  uint64_t Calls(std::string_view name) {
    return stores_.statistics()[FindCommand(name)->number].calls.load();
  }
  uint64_t Failed(std::string_view name) {
    return stores_.statistics()[FindCommand(name)->number].failed.load();
  }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(TransactionsTest, CommandsAreQueuedAndExecutedTogether) {
  EXPECT_EQ(Ask("MULTI"), "+OK\r\n");
  EXPECT_EQ(Ask("GET version"), "+QUEUED\r\n");
  EXPECT_EQ(Ask("HGET hash f1"), "+QUEUED\r\n");
  EXPECT_EQ(Ask("LLEN string"), "+QUEUED\r\n");
  EXPECT_EQ(Ask("EXEC"),
            "*3\r\n$3\r\ntwo\r\n$2\r\nv1\r\n-WRONGTYPE Operation against a key holding the wrong "
            "kind of value\r\n");
  EXPECT_EQ(Ask("EXEC"), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(session().unusual, 0U);
}

TEST_F(TransactionsTest, WhatIsQueuedIsCountedWhenItIsExecuted) {
  AskAll({"MULTI", "GET version", "GET"});
  EXPECT_EQ(stores_.counters().commands, 1U);
  AskAll({"EXEC", "MULTI", "GET version", "EXEC"});
  EXPECT_EQ(stores_.counters().commands, 5U);
}

TEST_F(TransactionsTest, ATransactionOfNothingAnswersNothing) {
  EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "*0\r\n");
}

TEST_F(TransactionsTest, OneBatchHoldsAnyNumberOfTransactions) {
  const std::vector<std::vector<std::string_view>> requests = {
      {"MULTI"}, {"GET", "version"}, {"EXEC"}, {"MULTI"},   {"PING"},
      {"PING"},  {"EXEC"},           {"PING"}, {"DISCARD"}, {"GET", "empty"}};
  std::string replies;
  for (size_t done = 0; done < requests.size(); done += connection_.executed) {
    replies +=
        connection_.AskAll({requests.begin() + static_cast<ptrdiff_t>(done), requests.end()});
    ASSERT_GT(connection_.executed, 0U);
  }
  EXPECT_EQ(replies,
            "+OK\r\n+QUEUED\r\n*1\r\n$3\r\ntwo\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n"
            "*2\r\n+PONG\r\n+PONG\r\n+PONG\r\n-ERR DISCARD without MULTI\r\n$0\r\n\r\n");
}

TEST_F(TransactionsTest, ArgumentsOutliveTheirRequest) {
  Ask("MULTI");
  {
    std::string key = "version";
    connection_.AskWords({"GET", key});
    key = "nothing";
  }
  EXPECT_EQ(Ask("EXEC"), "*1\r\n$3\r\ntwo\r\n");
}

TEST_F(TransactionsTest, MultiDoesNotNestAndWatchComesBeforeIt) {
  Ask("MULTI");
  EXPECT_EQ(Ask("MULTI"), "-ERR MULTI calls can not be nested\r\n");
  EXPECT_EQ(Ask("WATCH a"), "-ERR WATCH inside MULTI is not allowed\r\n");
  // Neither spoils it.
  EXPECT_EQ(AskAll({"GET version", "EXEC"}), "*1\r\n$3\r\ntwo\r\n");
}

TEST_F(TransactionsTest, DiscardForgetsEverything) {
  EXPECT_EQ(AskAll({"MULTI", "GET version", "DISCARD"}), "+OK\r\n");
  EXPECT_EQ(Ask("DISCARD"), "-ERR DISCARD without MULTI\r\n");
  EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "*0\r\n");
}

TEST_F(TransactionsTest, WhateverIsRefusedSpoilsIt) {
  for (const auto line : {"foo", "GET", "CLIENT foo", "SET a b", "DISCARD x", "WATCH", "MULTI x",
                          "LARDER ROLLBACK features", "LARDER RELOAD features", "SHUTDOWN"}) {
    Ask("MULTI");
    EXPECT_THAT(Ask(line), StartsWith("-")) << line;
    EXPECT_EQ(Ask("GET version"), "+QUEUED\r\n");
    EXPECT_EQ(Ask("EXEC"), kAborted) << line;
    EXPECT_EQ(session().unusual, 0U);
  }
  EXPECT_EQ(AskAll({"MULTI", "LARDER PIN features 1"}),
            "-ERR Command not allowed inside a transaction\r\n");
}

TEST_F(TransactionsTest, AnExecThatIsRefusedEndsIt) {
  const std::string_view refused =
      "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' "
      "command\r\n";
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC x"}), refused);
  EXPECT_EQ(Ask("EXEC"), "-ERR EXEC without MULTI\r\n");
  EXPECT_EQ(Ask("EXEC x"), refused);
}

TEST_F(TransactionsTest, SelectHoldsInsideAndAfterIt) {
  EXPECT_EQ(AskAll({"MULTI", "GET version", "SELECT 15", "GET version", "SELECT 0", "GET version",
                    "SELECT 15", "EXEC"}),
            "*6\r\n$3\r\ntwo\r\n+OK\r\n$-1\r\n+OK\r\n$3\r\ntwo\r\n+OK\r\n");
  EXPECT_EQ(session().database, 15U);
}

TEST_F(TransactionsTest, WhatIsNotLoadedIsToldWhenQueuedOrWhenExecuted) {
  const std::string loading = "-LOADING Larder is loading the dataset in memory\r\n";
  EXPECT_EQ(AskAll({"SELECT 1", "MULTI", "GET a"}), loading);
  EXPECT_EQ(Ask("EXEC"), kAborted);
  EXPECT_EQ(AskAll({"MULTI", "SELECT 0", "GET version", "SELECT 1", "GET a", "EXEC"}),
            "*4\r\n+OK\r\n$3\r\ntwo\r\n+OK\r\n" + loading);
}

TEST_F(TransactionsTest, ItsRepliesSpeakTheProtocolOfTheMoment) {
  Ask("HELLO 3");
  EXPECT_EQ(AskAll({"MULTI", "GET nothing", "EXEC"}), "*1\r\n_\r\n");
  Ask("MULTI");
  Ask("HELLO 2");
  Ask("GET nothing");
  const std::string reply = Ask("EXEC");
  EXPECT_THAT(reply, StartsWith("*2\r\n*14\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("$-1\r\n"));
}

TEST_F(TransactionsTest, AWatchedKeyThatChangedLeavesItUnexecuted) {
  EXPECT_EQ(Ask("WATCH version string"), "+OK\r\n");
  Serve(1);
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*-1\r\n");
  // And is forgotten.
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*1\r\n$3\r\none\r\n");
  Ask("HELLO 3");
  Ask("WATCH version");
  Serve(2);
  EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "_\r\n");
}

TEST_F(TransactionsTest, AWatchedKeyThatIsTheSameInANewVersionIsNoReason) {
  Ask("WATCH string hash zset json nothing expired expiring");
  Serve(1);
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*1\r\n$3\r\none\r\n");
}

TEST_F(TransactionsTest, AWatchedLargeValueIsNotReadAndChangesWithItsVersion) {
  EXPECT_EQ(AskAll({"WATCH large", "MULTI", "GET version", "EXEC"}), "*1\r\n$3\r\ntwo\r\n");
  Ask("WATCH large");
  Serve(1);
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*-1\r\n");
}

TEST_F(TransactionsTest, AWatchedKeyThatExpiredHasChanged) {
  Ask("WATCH expiring");
  connection_.now_ms += 20'000;
  EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "*-1\r\n");
}

TEST_F(TransactionsTest, KeysAreWatchedInTheirDatabase) {
  Ask("WATCH version");
  Ask("SELECT 15");
  Serve(1);
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*-1\r\n");
  Ask("WATCH version");
  Serve(2);
  EXPECT_EQ(AskAll({"MULTI", "GET version", "EXEC"}), "*1\r\n$-1\r\n");
}

TEST_F(TransactionsTest, UnwatchDiscardAndExecForgetWhatWasWatched) {
  for (const auto line : {"UNWATCH", "DISCARD", "EXEC", "RESET"}) {
    Serve(2);
    Ask("WATCH version");
    if (std::string_view(line) != "UNWATCH") Ask("MULTI");
    Ask(line);
    Serve(1);
    EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "*0\r\n") << line;
  }
}

TEST_F(TransactionsTest, ErrorsGoBeforeWatchedKeys) {
  Ask("WATCH version");
  Serve(1);
  EXPECT_EQ(AskAll({"MULTI", "foo", "EXEC"}), kAborted);
}

TEST_F(TransactionsTest, UnwatchInsideIsQueued) {
  EXPECT_EQ(AskAll({"MULTI", "UNWATCH"}), "+QUEUED\r\n");
  EXPECT_EQ(Ask("EXEC"), "*1\r\n+OK\r\n");
}

TEST_F(TransactionsTest, WhatItHoldsIsLimited) {
  session().max_transaction_bytes = 1000;
  const std::string value(600, 'x');
  Ask("MULTI");
  EXPECT_EQ(connection_.AskWords({"ECHO", value}), "+QUEUED\r\n");
  EXPECT_EQ(connection_.AskWords({"ECHO", value}),
            "-ERR the transaction takes more than the 1000 bytes that one may\r\n");
  EXPECT_EQ(Ask("EXEC"), kAborted);
  EXPECT_EQ(connection_.AskWords({"WATCH", value, value}),
            "-ERR the watched keys take more than the 1000 bytes that a transaction may\r\n");
}

TEST_F(TransactionsTest, ATransactionThatIsSpoiledGrowsNoMore) {
  Ask("MULTI");
  Ask("GET version");
  Ask("foo");
  Ask("GET version");
  EXPECT_EQ(session().queued, 1U);
}

TEST_F(TransactionsTest, RepliesBeyondTheConnectionsLimitEndIt) {
  session().max_reply_bytes = 250'000;
  Ask("MULTI");
  for (int i = 0; i < 10; ++i) Ask("GET large");
  EXPECT_LT(Ask("EXEC").size(), 400'000U);
  EXPECT_TRUE(session().closes_after_reply());
}

TEST_F(TransactionsTest, ARepeatedBatchFindsItsQueueAsItWas) {
  Ask("MULTI");
  Ask("GET version");
  const SessionState before = session();
  connection_.AskAll({{"GET", "string"}, {"GET", "empty"}});
  session().state() = before;
  EXPECT_EQ(Ask("GET string"), "+QUEUED\r\n");
  const SessionState before_exec = session();
  const std::string executed = "*2\r\n$3\r\ntwo\r\n$11\r\nHello World\r\n";
  EXPECT_EQ(Ask("EXEC"), executed);
  session().state() = before_exec;
  EXPECT_EQ(Ask("EXEC"), executed);
  EXPECT_EQ(AskAll({"MULTI", "EXEC"}), "*0\r\n");
}

TEST_F(TransactionsTest, ADamagedVersionInItIsTold) {
  stores_.files().DamageMappings(TestStores::VersionPath(2));
  AskAll({"MULTI", "GET version", "SELECT 15", "GET version", "EXEC"});
  EXPECT_EQ(connection_.dispatcher().TakeDamage().version, 2U);
  AskAll({"SELECT 0", "WATCH version", "SELECT 15"});
  connection_.dispatcher().TakeDamage();
  AskAll({"MULTI", "EXEC"});
  EXPECT_EQ(connection_.dispatcher().TakeDamage().version, 2U);
}

TEST_F(TransactionsTest, CallsInsideAreCountedAsTheirOwn) {
  AskAll({"MULTI", "GET version", "LLEN string", "EXEC"});
  EXPECT_EQ(Calls("get"), 1U);
  EXPECT_EQ(Calls("llen"), 1U);
  EXPECT_EQ(Calls("exec"), 1U);
  EXPECT_EQ(Failed("llen"), 1U);
  EXPECT_EQ(Failed("exec"), 0U);
  AskAll({"MULTI", "foo", "EXEC"});
  EXPECT_EQ(Failed("exec"), 1U);
}

}  // namespace
}  // namespace larder::command

// Commands about the connection and the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/reply_checker.h"
#include "command/table.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ServerCommandsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(ServerCommandsTest, PingAndEchoAnswer) {
  EXPECT_EQ(Ask("PING"), "+PONG\r\n");
  EXPECT_EQ(Ask("ping hello"), "$5\r\nhello\r\n");
  EXPECT_EQ(Ask("PING a b"), "-ERR wrong number of arguments for 'ping' command\r\n");
  EXPECT_EQ(Ask("ECHO hello"), "$5\r\nhello\r\n");
}

TEST_F(ServerCommandsTest, HelloSwitchesTheProtocol) {
  EXPECT_THAT(Ask("HELLO"), StartsWith("*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n"));
  EXPECT_THAT(Ask("HELLO 3"), StartsWith("%7\r\n"));
  EXPECT_EQ(Ask("GET nothing"), "_\r\n");
  EXPECT_THAT(Ask("HELLO 2"), StartsWith("*14\r\n"));
  EXPECT_EQ(Ask("GET nothing"), "$-1\r\n");
}

TEST_F(ServerCommandsTest, HelloRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Ask("HELLO x"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(Ask("HELLO 3 FOO"), "-ERR Syntax error in HELLO option 'FOO'\r\n");
  EXPECT_THAT(Ask("HELLO 3 AUTH somebody x"), StartsWith("-WRONGPASS "));
  EXPECT_EQ(connection_.session.protocol, 2);
  EXPECT_THAT(Ask("HELLO 3 AUTH default x SETNAME me"), StartsWith("%7\r\n"));
  EXPECT_EQ(Ask("CLIENT GETNAME"), "$2\r\nme\r\n");
}

TEST_F(ServerCommandsTest, ResetGivesTheStateOfTheBeginning) {
  Ask("HELLO 3 SETNAME me");
  Ask("SELECT 1");
  EXPECT_EQ(Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(Ask("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
}

TEST_F(ServerCommandsTest, SelectTakesTheNumbersOfDatabases) {
  EXPECT_EQ(Ask("SELECT 16"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Ask("SELECT -1"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(Ask("SELECT x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_THAT(Ask("SELECT 99999999999"), StartsWith("-ERR value is out of range, value must"));
}

TEST_F(ServerCommandsTest, ClientsHaveNamesAndNumbers) {
  EXPECT_EQ(Ask("CLIENT ID"), ":7\r\n");
  EXPECT_EQ(Ask("CLIENT GETNAME"), "$-1\r\n");
  EXPECT_EQ(Ask("CLIENT SETNAME me"), "+OK\r\n");
  EXPECT_EQ(Ask("CLIENT GETNAME"), "$2\r\nme\r\n");
  EXPECT_EQ(connection_.AskWords({"CLIENT", "SETNAME", "a b"}),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
  EXPECT_EQ(Ask("CLIENT SETINFO lib-name redis-py"), "+OK\r\n");
  EXPECT_EQ(Ask("CLIENT SETINFO LIB-VER 5.0"), "+OK\r\n");
  EXPECT_EQ(Ask("CLIENT SETINFO foo 5.0"), "-ERR Unrecognized option 'foo'\r\n");
  EXPECT_THAT(Ask("CLIENT INFO"), HasSubstr(" resp=2 lib-name=redis-py lib-ver=5.0\n\r\n"));
}

TEST_F(ServerCommandsTest, ClientListIsFiltered) {
  EXPECT_THAT(Ask("CLIENT LIST"), HasSubstr("id=8 "));
  EXPECT_THAT(Ask("CLIENT LIST ID 7"), Not(HasSubstr("id=8 ")));
  EXPECT_EQ(Ask("CLIENT LIST ID 99"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("CLIENT LIST ID x"), "-ERR Invalid client ID\r\n");
  EXPECT_EQ(Ask("CLIENT LIST TYPE pubsub"), "$0\r\n\r\n");
  EXPECT_EQ(Ask("CLIENT LIST TYPE x"), "-ERR Unknown client type 'x'\r\n");
  EXPECT_EQ(Ask("CLIENT LIST x"), "-ERR syntax error\r\n");
}

TEST_F(ServerCommandsTest, InfoShowsTheSectionsAskedFor) {
  EXPECT_THAT(Ask("INFO"), HasSubstr("# Server\r\nredis_version:7.0.15\r\nlarder_version:0.1.0"));
  EXPECT_THAT(Ask("INFO"), Not(HasSubstr("# Commandstats")));
  EXPECT_THAT(Ask("INFO everything"), HasSubstr("# Commandstats"));
  EXPECT_THAT(Ask("INFO keyspace"),
              HasSubstr("\r\n# Keyspace\r\ndb0:keys=66,expires=2,avg_ttl=5250\r\n"));
  EXPECT_THAT(Ask("INFO REPLICATION cpu"), HasSubstr("role:master\r\n"));
  EXPECT_EQ(Ask("INFO nonsense"), "$0\r\n\r\n");
}

TEST_F(ServerCommandsTest, InfoTellsAboutDatasets) {
  const std::string info = Ask("INFO datasets");
  EXPECT_THAT(info, HasSubstr("# Datasets\r\ndataset_features:database=0,current=2,pinned=0,"));
  EXPECT_THAT(info, HasSubstr("dataset_later:database=1,current=0,"));
}

TEST_F(ServerCommandsTest, ConfigGetTakesSeveralPatterns) {
  EXPECT_EQ(Ask("CONFIG GET maxclients"), "*2\r\n$10\r\nmaxclients\r\n$3\r\n100\r\n");
  EXPECT_EQ(Ask("CONFIG GET MaxClients MAXCLIENTS"), "*2\r\n$10\r\nMaxClients\r\n$3\r\n100\r\n");
  EXPECT_THAT(Ask("CONFIG GET MAX* databases"), StartsWith("*6\r\n"));
  EXPECT_EQ(Ask("CONFIG GET slowlog-max-len"), "*2\r\n$15\r\nslowlog-max-len\r\n$3\r\n128\r\n");
  EXPECT_EQ(Ask("CONFIG GET nothing"), "*0\r\n");
}

TEST_F(ServerCommandsTest, CommandDescribesTheTables) {
  EXPECT_EQ(Ask("COMMAND COUNT"), fmt::format(":{}\r\n", CommandCount()));
  EXPECT_THAT(Ask("COMMAND"), StartsWith(fmt::format("*{}\r\n", CommandCount())));
  EXPECT_THAT(Ask("COMMAND INFO get"),
              StartsWith("*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n"));
  EXPECT_THAT(Ask("COMMAND INFO set nonsense"), StartsWith("*2\r\n*10\r\n$3\r\nset\r\n"));
  EXPECT_EQ(Ask("COMMAND INFO nonsense"), "*1\r\n$-1\r\n");
  EXPECT_THAT(Ask("COMMAND INFO client|id"), StartsWith("*1\r\n*10\r\n$9\r\nclient|id\r\n"));
  EXPECT_THAT(Ask("COMMAND DOCS get"), StartsWith("*2\r\n$3\r\nget\r\n*8\r\n$7\r\nsummary\r\n"));
  EXPECT_EQ(Ask("COMMAND DOCS nonsense"), "*0\r\n");
}

TEST_F(ServerCommandsTest, CommandListIsFiltered) {
  EXPECT_THAT(Ask("COMMAND LIST"), StartsWith(fmt::format("*{}\r\n", CommandCount())));
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY PATTERN lr*"), "*2\r\n$6\r\nlrange\r\n$4\r\nlrem\r\n");
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY ACLCAT hyperloglog"),
            "*5\r\n$5\r\npfadd\r\n$7\r\npfcount\r\n$7\r\npfdebug\r\n$7\r\npfmerge\r\n"
            "$10\r\npfselftest\r\n");
  EXPECT_EQ(Ask("COMMAND LIST x"), "-ERR syntax error\r\n");
}

TEST_F(ServerCommandsTest, EveryReplyOfCommandIsWellFormedInBothProtocols) {
  for (const auto line :
       {"COMMAND", "COMMAND DOCS", "COMMAND LIST", "COMMAND HELP", "LATENCY HISTOGRAM",
        "MEMORY STATS", "FUNCTION STATS", "SLOWLOG GET", "INFO everything", "CLIENT HELP",
        "CONFIG HELP", "INFO", "CLIENT LIST", "TIME", "CONFIG GET *"}) {
    connection_.session.protocol = 2;
    EXPECT_EQ(CountReplies(Ask(line), 2), 1U) << line;
    connection_.session.protocol = 3;
    EXPECT_EQ(CountReplies(Ask(line), 3), 1U) << line;
  }
}

}  // namespace
}  // namespace larder::command

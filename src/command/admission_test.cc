// Who may execute what, in which order it is asked, and what is not answered at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/secrets.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kNoAuthError = "-NOAUTH Authentication required.\r\n";
constexpr std::string_view kWrongPassword =
    "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

// The default user's password is "secret"; "reader" may read, "admin" may administer only, each
// with the own name as password.
Users SomeUsers() {
  std::vector<UserOptions> users(4);
  users[0].name = "default";
  users[0].password_hashes = {PasswordHash("secret")};
  users[0].may_admin = true;
  users[1].name = "reader";
  users[1].password_hashes = {PasswordHash("reader")};
  users[2].name = "admin";
  users[2].password_hashes = {PasswordHash("admin")};
  users[2].may_read = false;
  users[2].may_admin = true;
  users[3].name = "retired";
  users[3].password_hashes = {PasswordHash("retired")};
  users[3].enabled = false;
  return *Users::Make(std::move(users));
}

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() { stores_.host().users_now = SomeUsers(); }

  void Connect() { connection_.emplace(stores_); }
  void ConnectAs(const std::string& name) {
    Connect();
    ASSERT_EQ(Ask("AUTH " + name + " " + name), "+OK\r\n");
  }
  void ConnectFreely() {
    stores_.host().users_now = Users();
    Connect();
  }
  std::string Ask(std::string_view line) { return connection_->Ask(line); }
  Session& session() { return connection_->session; }
  uint64_t Rejected(std::string_view name) {
    return stores_.statistics()[FindCommand(name)->number].rejected.load();
  }

  TestStores stores_;
  std::optional<TestConnection> connection_;
};

TEST_F(AdmissionTest, NothingButTheHandshakeWithoutAPassword) {
  Connect();
  for (const auto line : {"GET version", "PING", "MULTI", "SUBSCRIBE a", "CLIENT ID", "SET a b",
                          "ACL WHOAMI", "SHUTDOWN"}) {
    EXPECT_EQ(Ask(line), kNoAuthError) << line;
  }
  EXPECT_EQ(Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(Ask("QUIT"), "+OK\r\n");
}

TEST_F(AdmissionTest, WhatIsUnknownOrOfWrongArityIsToldToAnybody) {
  Connect();
  EXPECT_THAT(Ask("foo"), StartsWith("-ERR unknown command 'foo'"));
  EXPECT_THAT(Ask("CLIENT foo"), StartsWith("-ERR unknown subcommand 'foo'"));
  EXPECT_EQ(Ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Ask("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
}

TEST_F(AdmissionTest, AuthMakesTheConnectionAUsers) {
  Connect();
  EXPECT_EQ(Ask("AUTH wrong"), kWrongPassword);
  EXPECT_EQ(Ask("AUTH default wrong"), kWrongPassword);
  EXPECT_EQ(Ask("AUTH nobody secret"), kWrongPassword);
  EXPECT_EQ(Ask("AUTH retired retired"), kWrongPassword);
  EXPECT_EQ(Ask("GET version"), kNoAuthError);
  EXPECT_EQ(Ask("AUTH a b c"), "-ERR syntax error\r\n");
  EXPECT_EQ(Ask("AUTH"), "-ERR wrong number of arguments for 'auth' command\r\n");
  EXPECT_EQ(Ask("AUTH secret"), "+OK\r\n");
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("AUTH reader reader"), "+OK\r\n");
  EXPECT_EQ(Ask("ACL WHOAMI"), "$6\r\nreader\r\n");
  // A failure leaves the user as it was.
  EXPECT_EQ(Ask("AUTH default wrong"), kWrongPassword);
  EXPECT_EQ(Ask("ACL WHOAMI"), "$6\r\nreader\r\n");
}

TEST_F(AdmissionTest, APasswordWhereNoneIsConfiguredIsPointedOut) {
  ConnectFreely();
  EXPECT_EQ(Ask("AUTH secret"),
            "-ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?\r\n");
  EXPECT_EQ(Ask("AUTH default anything"), "+OK\r\n");
}

TEST_F(AdmissionTest, HelloDoesEverythingOrNothing) {
  Connect();
  EXPECT_THAT(Ask("HELLO"), StartsWith("-NOAUTH HELLO must be called with the client already "
                                       "authenticated, otherwise the HELLO AUTH <user> <pass>"));
  EXPECT_THAT(Ask("HELLO 3 SETNAME me"), StartsWith("-NOAUTH HELLO"));
  EXPECT_EQ(Ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Ask("HELLO 3 AUTH default wrong SETNAME me"), kWrongPassword);
  EXPECT_EQ(session().protocol, 2);
  EXPECT_EQ(session().name, "");
  EXPECT_THAT(Ask("HELLO 3 AUTH default secret SETNAME me"), StartsWith("%7\r\n"));
  EXPECT_EQ(session().protocol, 3);
  EXPECT_EQ(session().name, "me");
  EXPECT_EQ(Ask("HELLO 2 AUTH reader wrong SETNAME other"), kWrongPassword);
  EXPECT_EQ(session().protocol, 3);
  EXPECT_EQ(Ask("CLIENT GETNAME"), "$2\r\nme\r\n");
}

TEST_F(AdmissionTest, ReadersMayNotAdministerAndAdministratorsMayNotRead) {
  ConnectAs("reader");
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("CLIENT LIST"),
            "-NOPERM this user has no permissions to run the 'client|list' command\r\n");
  EXPECT_THAT(Ask("LARDER ROLLBACK features"), StartsWith("-NOPERM"));
  EXPECT_THAT(Ask("MONITOR"), StartsWith("-NOPERM"));
  EXPECT_THAT(Ask("SHUTDOWN"), StartsWith("-NOPERM"));
  EXPECT_THAT(Ask("SET a b"), StartsWith("-READONLY"));
  EXPECT_EQ(Ask("CLIENT LIST x y z w"),
            "-NOPERM this user has no permissions to run the 'client|list' command\r\n");
  ConnectAs("admin");
  EXPECT_EQ(Ask("GET version"),
            "-NOPERM this user has no permissions to run the 'get' command\r\n");
  EXPECT_EQ(Ask("AUTH reader reader"), "+OK\r\n");
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
}

TEST_F(AdmissionTest, ATransactionIsNoWayAround) {
  ConnectAs("reader");
  EXPECT_EQ(Ask("MULTI"), "+OK\r\n");
  EXPECT_THAT(Ask("CLIENT LIST"), StartsWith("-NOPERM"));
  EXPECT_EQ(Ask("EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
  // Nor is becoming another in the middle of it.
  ASSERT_EQ(Ask("AUTH secret"), "+OK\r\n");
  for (const auto line : {"MULTI", "AUTH reader reader", "CLIENT LIST"}) Ask(line);
  EXPECT_THAT(Ask("EXEC"),
              StartsWith("*2\r\n+OK\r\n-NOPERM ACLs rules changed between the moment"));
}

TEST_F(AdmissionTest, ResetGoesBackToTheDefaultUser) {
  ConnectAs("reader");
  Ask("HELLO 3 SETNAME me");
  Ask("SELECT 1");
  EXPECT_EQ(Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(session().protocol, 2);
  EXPECT_EQ(session().name, "");
  EXPECT_EQ(session().database, 0U);
  EXPECT_EQ(Ask("PING"), kNoAuthError);
  ConnectFreely();
  Ask("MULTI");
  EXPECT_EQ(Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(session().unusual, 0U);
  EXPECT_EQ(Ask("EXEC"), "-ERR EXEC without MULTI\r\n");
}

TEST_F(AdmissionTest, WritesAreRefusedWithNoPermWhereTheListenerSaysSo) {
  ConnectFreely();
  session().read_only_is_noperm = true;
  EXPECT_EQ(Ask("SET a b"), "-NOPERM this server only reads: it has no 'set' command\r\n");
  EXPECT_EQ(Ask("XGROUP DESTROY a b"),
            "-NOPERM this server only reads: it has no 'xgroup|destroy' command\r\n");
}

TEST_F(AdmissionTest, WhoSubscribedInResp2MayDoLittleElse) {
  ConnectFreely();
  session().Set(kSubscribed);
  EXPECT_EQ(Ask("CLIENT ID"),
            "-ERR Can't execute 'client|id': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT "
            "/ RESET are allowed in this context\r\n");
  EXPECT_THAT(Ask("HELLO 3"), StartsWith("-ERR Can't execute 'hello'"));
  EXPECT_EQ(Ask("GET"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_THAT(Ask("SET a b"), StartsWith("-READONLY"));
  EXPECT_EQ(Ask("PING"), "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  EXPECT_EQ(Ask("PING x"), "*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
  session().protocol = 3;
  EXPECT_EQ(Ask("GET version"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("PING"), "+PONG\r\n");
}

TEST_F(AdmissionTest, WhoMonitorsDoesNotTouchTheKeyspace) {
  ConnectFreely();
  session().Set(kMonitoring);
  EXPECT_EQ(Ask("GET version"), "-ERR Replica can't interact with the keyspace\r\n");
  EXPECT_EQ(Ask("PING"), "+PONG\r\n");
}

TEST_F(AdmissionTest, WhatIsRefusedCountsAsRejected) {
  Connect();
  Ask("GET version");
  Ask("GET");
  EXPECT_EQ(Rejected("get"), 2U);
  ConnectAs("admin");
  Ask("GET version");
  Ask("SET a b");
  EXPECT_EQ(Rejected("get"), 3U);
  EXPECT_EQ(Rejected("set"), 1U);
  EXPECT_EQ(stores_.statistics()[FindCommand("get")->number].calls.load(), 0U);
}

TEST_F(AdmissionTest, RepliesThatAreOffAreNotWritten) {
  ConnectFreely();
  session().Set(kRepliesOff);
  EXPECT_EQ(Ask("GET version"), "");
  EXPECT_EQ(Ask("foo"), "");
  EXPECT_EQ(Ask("MULTI"), "");
  EXPECT_EQ(Ask("SET a b"), "");
  EXPECT_EQ(Ask("EXEC"), "");
  EXPECT_EQ(Ask("RESET"), "+RESET\r\n");
  EXPECT_EQ(Ask("PING"), "+PONG\r\n");
}

TEST_F(AdmissionTest, OneReplyIsSkipped) {
  ConnectFreely();
  session().Set(kSkipsNextReply);
  EXPECT_EQ(connection_->AskAll({{"PING"}, {"GET", "version"}}), "$3\r\ntwo\r\n");
  session().Set(kSkipsNextReply);
  EXPECT_EQ(connection_->AskAll({{"foo"}, {"PING"}}), "+PONG\r\n");
  session().Set(kSkipsNextReply);
  EXPECT_EQ(Ask("RESET"), "");
  EXPECT_EQ(session().unusual, 0U);
}

TEST_F(AdmissionTest, MonitorsAreToldOfWhatWasExecuted) {
  ConnectFreely();
  stores_.instruments().monitors = 1;
  Ask("GET version");
  Ask("GET");
  Ask("foo");
  Ask("SET a b");
  Ask("CLIENT LIST");
  Ask("SELECT 3");
  ASSERT_EQ(stores_.host().monitored.size(), 2U);
  EXPECT_THAT(stores_.host().monitored[0], HasSubstr(" [0 "));
  EXPECT_THAT(stores_.host().monitored[0], HasSubstr("] \"GET\" \"version\""));
  EXPECT_THAT(stores_.host().monitored[1], AllOf(HasSubstr(" [3 "), HasSubstr("\"SELECT\" \"3\"")));
}

TEST_F(AdmissionTest, MonitorsSeeATransactionBeforeItsExec) {
  ConnectFreely();
  stores_.instruments().monitors = 1;
  for (const auto line : {"MULTI", "GET version", "CONFIG GET port", "EXEC"}) Ask(line);
  ASSERT_EQ(stores_.host().monitored.size(), 3U);
  EXPECT_THAT(stores_.host().monitored[0], HasSubstr("\"MULTI\""));
  EXPECT_THAT(stores_.host().monitored[1], HasSubstr("\"GET\" \"version\""));
  EXPECT_THAT(stores_.host().monitored[2], HasSubstr("\"EXEC\""));
}

TEST_F(AdmissionTest, MonitorsSeeNoPassword) {
  Connect();
  stores_.instruments().monitors = 1;
  for (const auto line : {"AUTH secret", "AUTH reader hunter2", "HELLO 3 AUTH reader hunter2",
                          "HELLO nonsense AUTH reader hunter2", "HELLO 3 AUTH hunter2",
                          "hello 2 SETNAME auth AUTH reader hunter2 SETNAME me"}) {
    Ask(line);
  }
  ASSERT_EQ(stores_.host().monitored.size(), 6U);
  EXPECT_THAT(stores_.host().monitored[1], HasSubstr("\"AUTH\" \"(redacted)\" \"(redacted)\""));
  for (const std::string& line : stores_.host().monitored) {
    EXPECT_THAT(line, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("secret"))));
  }
}

TEST_F(AdmissionTest, WhatFollowsThePasswordOfHelloIsShown) {
  const std::string_view args[] = {"HELLO", "3", "AUTH", "u", "p", "SETNAME", "me"};
  EXPECT_THAT(WithoutSecrets(*FindCommand("hello"), args),
              ElementsAre("HELLO", "3", "AUTH", "(redacted)", "(redacted)", "SETNAME", "me"));
}

TEST_F(AdmissionTest, SettingsThatAreSecretsAreNotShown) {
  const std::string_view args[] = {"CONFIG", "SET", "timeout", "1", "RequirePass", "hunter2"};
  EXPECT_THAT(WithoutSecrets(*FindSubcommand(*FindCommand("config"), "set"), args),
              ElementsAre("CONFIG", "SET", "timeout", "1", "RequirePass", "(redacted)"));
}

TEST_F(AdmissionTest, TheNameThatStrangersTryIsNotKeptWhole) {
  const std::string name(1 << 20, 'x');
  TestConnection connection(stores_);
  connection.AskWords({"AUTH", name, "x"});
  const auto denials = stores_.instruments().access_log.Latest(1);
  ASSERT_EQ(denials.size(), 1U);
  EXPECT_EQ(denials[0].user, name.substr(0, 1024));
}

}  // namespace
}  // namespace larder::command

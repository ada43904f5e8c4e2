#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/access_log.h"
#include "command/reply_checker.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kHashOfPw =
    "30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4";

class AclTest : public ::testing::Test {
 protected:
  AclTest() {
    std::vector<UserOptions> users(3);
    users[0].name = "reader";
    users[0].password_hashes = {std::string(kHashOfPw)};
    users[1].name = "admin";
    users[1].any_password = true;
    users[1].may_read = false;
    users[1].may_admin = true;
    users[2].name = "nobody";
    users[2].enabled = false;
    users[2].may_read = false;
    stores_.host().users_now = *Users::Make(std::move(users));
    connection_.emplace(stores_);
  }

  std::string Ask(std::string_view line) { return connection_->Ask(line); }

  TestStores stores_;
  std::optional<TestConnection> connection_;
};

TEST_F(AclTest, ListDescribesUsersInRedissRules) {
  EXPECT_EQ(Ask("ACL LIST"),
            "*4\r\n"
            "$40\r\nuser admin on nopass ~* &* -@all +@admin\r\n"
            "$34\r\nuser default on nopass ~* &* +@all\r\n"
            "$27\r\nuser nobody off ~* &* -@all\r\n"
            "$100\r\nuser reader on #" +
                std::string(kHashOfPw) + " ~* &* +@all -@admin\r\n");
  EXPECT_EQ(Ask("ACL USERS"),
            "*4\r\n$5\r\nadmin\r\n$7\r\ndefault\r\n$6\r\nnobody\r\n$6\r\nreader\r\n");
}

TEST_F(AclTest, GetUserTellsTheSame) {
  EXPECT_EQ(Ask("ACL GETUSER default"),
            "*12\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$6\r\nnopass\r\n$9\r\npasswords\r\n*0\r\n"
            "$8\r\ncommands\r\n$5\r\n+@all\r\n$4\r\nkeys\r\n$2\r\n~*\r\n$8\r\nchannels\r\n$2\r\n&*"
            "\r\n$9\r\nselectors\r\n*0\r\n");
  EXPECT_THAT(Ask("ACL GETUSER reader"),
              AllOf(HasSubstr("$13\r\n+@all -@admin\r\n"), HasSubstr(kHashOfPw)));
  EXPECT_EQ(Ask("ACL GETUSER eve"), "$-1\r\n");
  Ask("HELLO 3");
  EXPECT_THAT(Ask("ACL GETUSER reader"), StartsWith("%6\r\n$5\r\nflags\r\n~1\r\n$2\r\non\r\n"));
}

TEST_F(AclTest, WhoAmITellsTheUser) {
  EXPECT_EQ(Ask("ACL WHOAMI"), "$7\r\ndefault\r\n");
  Ask("AUTH reader pw");
  EXPECT_EQ(Ask("ACL WHOAMI"), "$6\r\nreader\r\n");
}

TEST_F(AclTest, CatListsCategoriesAndTheirCommands) {
  EXPECT_THAT(Ask("ACL CAT"), StartsWith("*21\r\n$8\r\nkeyspace\r\n$4\r\nread\r\n"));
  EXPECT_EQ(Ask("ACL CAT Transaction"),
            "*5\r\n$7\r\ndiscard\r\n$4\r\nexec\r\n$5\r\nmulti\r\n$7\r\nunwatch\r\n$5\r\nwatch\r\n");
  EXPECT_THAT(Ask("ACL CAT admin"), AllOf(HasSubstr("acl|list"), HasSubstr("larder|rollback")));
  EXPECT_EQ(Ask("ACL CAT foo"), "-ERR Unknown category 'foo'\r\n");
  EXPECT_EQ(Ask("ACL CAT foo bar"),
            "-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.\r\n");
}

TEST_F(AclTest, DryRunTellsWhatAUserMay) {
  EXPECT_EQ(Ask("ACL DRYRUN reader GET a"), "+OK\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN reader CLIENT LIST"),
            "$61\r\nThis user has no permissions to run the 'client|list' command\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN nobody AUTH x"), "+OK\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN reader get"), "-ERR wrong number of arguments for 'get' command\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN reader client"),
            "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN reader foo"), "-ERR Command 'foo' not found\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN reader client foo"), "-ERR Command 'client' not found\r\n");
  EXPECT_EQ(Ask("ACL DRYRUN eve GET a"), "-ERR User 'eve' not found\r\n");
}

TEST_F(AclTest, GenPassMakesAsManyDigitsAsBitsNeed) {
  EXPECT_THAT(Ask("ACL GENPASS"), StartsWith("$64\r\n"));
  EXPECT_THAT(Ask("ACL GENPASS 5"), StartsWith("$2\r\n"));
  EXPECT_THAT(Ask("ACL GENPASS 4096"), StartsWith("$1024\r\n"));
  EXPECT_NE(Ask("ACL GENPASS"), Ask("ACL GENPASS"));
  for (const auto line : {"ACL GENPASS 0", "ACL GENPASS 4097", "ACL GENPASS -1"}) {
    EXPECT_EQ(Ask(line),
              "-ERR ACL GENPASS argument must be the number of bits for the output password, a "
              "positive number up to 4096\r\n");
  }
  EXPECT_EQ(Ask("ACL GENPASS x"), "-ERR value is not an integer or out of range\r\n");
}

TEST_F(AclTest, UsersAreNotChangedByCommands) {
  for (const auto line : {"ACL SETUSER eve on", "ACL DELUSER reader", "ACL LOAD", "ACL SAVE"}) {
    EXPECT_EQ(
        Ask(line),
        "-ERR users stand in Larder's configuration: change [[user]] there and reload it\r\n");
  }
}

TEST_F(AclTest, TheLogTellsWhoWasDeniedWhat) {
  EXPECT_EQ(Ask("ACL LOG"), "*0\r\n");
  Ask("AUTH reader wrong");
  Ask("AUTH reader wrong");
  Ask("AUTH reader pw");
  Ask("MULTI");
  Ask("CONFIG GET port");
  Ask("DISCARD");
  Ask("AUTH default x");
  connection_->now_ms += 1500;
  const std::string log = Ask("ACL LOG");
  EXPECT_THAT(log, StartsWith("*2\r\n*14\r\n$5\r\ncount\r\n:1\r\n$6\r\nreason\r\n$7\r\ncommand\r\n"
                              "$7\r\ncontext\r\n$5\r\nmulti\r\n$6\r\nobject\r\n$10\r\nconfig|get"
                              "\r\n$8\r\nusername\r\n$6\r\nreader\r\n$11\r\nage-seconds\r\n$3\r\n"
                              "1.5\r\n$11\r\nclient-info\r\n"));
  EXPECT_THAT(log, HasSubstr("*14\r\n$5\r\ncount\r\n:2\r\n$6\r\nreason\r\n$4\r\nauth\r\n$7\r\n"
                             "context\r\n$8\r\ntoplevel\r\n$6\r\nobject\r\n$4\r\nAUTH\r\n"));
  EXPECT_THAT(log, Not(HasSubstr("wrong")));
  EXPECT_EQ(CountReplies(log, 2), 1U);
  EXPECT_THAT(Ask("ACL LOG 1"), StartsWith("*1\r\n"));
  EXPECT_EQ(Ask("ACL LOG -5"), "*0\r\n");
  EXPECT_EQ(Ask("ACL LOG x"), "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(Ask("ACL LOG RESET"), "+OK\r\n");
  EXPECT_EQ(Ask("ACL LOG"), "*0\r\n");
}

TEST(AccessLogTest, KeepsTheLatestAndCountsWhatIsAlikeWithinAMinute) {
  AccessLog log;
  const auto denial = [](const std::string& object, int64_t at_ms) {
    Denial made;
    made.object = object;
    made.at_ms = at_ms;
    return made;
  };
  log.Add(denial("get", 0));
  log.Add(denial("get", 60'000));
  log.Add(denial("get", 120'001));
  ASSERT_EQ(log.Latest(10).size(), 2U);
  EXPECT_EQ(log.Latest(10)[0].count, 1U);
  EXPECT_EQ(log.Latest(10)[1].count, 2U);
  for (int i = 0; i < 200; ++i) log.Add(denial(std::to_string(i), 120'001));
  EXPECT_EQ(log.Latest(1000).size(), AccessLog::kMaxEntries);
  EXPECT_EQ(log.Latest(1)[0].object, "199");
}

}  // namespace
}  // namespace larder::command

#include "command/users.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/session.h"
#include "command/table.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

UserOptions Reader(const std::string& name, const std::string& password) {
  UserOptions options;
  options.name = name;
  options.password_hashes = {PasswordHash(password)};
  return options;
}

UserOptions ProtectedDefault() {
  UserOptions options = Reader("default", "secret");
  options.may_admin = true;
  return options;
}

Users Make(std::vector<UserOptions> users) { return *Users::Make(std::move(users)); }

std::string ErrorOf(std::vector<UserOptions> users) {
  const auto made = Users::Make(std::move(users));
  return made ? "" : made.error().message();
}

TEST(UsersTest, WithoutOthersTheDefaultUserMayAllWithoutAPassword) {
  const Users users;
  EXPECT_FALSE(users.needs_authentication());
  EXPECT_TRUE(users.default_user().MayAll());
  EXPECT_EQ(users.Authenticate("default", "anything"), &users.default_user());
}

TEST(UsersTest, UsersStandByNameAndTheDefaultOneIsAdded) {
  const Users users = Make({Reader("zoe", "z"), Reader("adam", "a")});
  ASSERT_EQ(users.all().size(), 3U);
  EXPECT_EQ(users.all()[0].name(), "adam");
  EXPECT_EQ(users.all()[1].name(), "default");
  EXPECT_EQ(users.all()[2].name(), "zoe");
  EXPECT_EQ(users.Find("eve"), nullptr);
}

TEST(UsersTest, PasswordsAreKnownBySha256InEitherCase) {
  EXPECT_EQ(PasswordHash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  UserOptions options = Reader("adam", "abc");
  for (char& c : options.password_hashes[0])
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const Users users = Make({options});
  EXPECT_NE(users.Authenticate("adam", "abc"), nullptr);
  EXPECT_EQ(users.Authenticate("adam", "abd"), nullptr);
  EXPECT_EQ(users.Authenticate("adam", ""), nullptr);
}

TEST(UsersTest, EveryPasswordOfAUserIsGoodAndNobodyElses) {
  UserOptions two = Reader("adam", "old");
  two.password_hashes.push_back(PasswordHash("new"));
  const Users users = Make({two, Reader("zoe", "zoe's")});
  EXPECT_EQ(users.Authenticate("adam", "old"), users.Find("adam"));
  EXPECT_EQ(users.Authenticate("adam", "new"), users.Find("adam"));
  EXPECT_EQ(users.Authenticate("adam", "zoe's"), nullptr);
  EXPECT_EQ(users.Authenticate("eve", "zoe's"), nullptr);
}

TEST(UsersTest, NobodyBecomesAUserThatIsDisabledOrHasNoPassword) {
  UserOptions disabled = Reader("adam", "a");
  disabled.enabled = false;
  UserOptions without;
  without.name = "zoe";
  const Users users = Make({disabled, without});
  EXPECT_EQ(users.Authenticate("adam", "a"), nullptr);
  EXPECT_EQ(users.Authenticate("zoe", ""), nullptr);
}

TEST(UsersTest, WhatIsWrongIsToldAndNoHashRepeated) {
  EXPECT_THAT(ErrorOf({Reader("a b", "x")}), HasSubstr("blanks"));
  EXPECT_THAT(ErrorOf({Reader("", "x")}), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf({Reader("a\nb", "x")}), HasSubstr("\"a\\x0ab\""));
  EXPECT_THAT(ErrorOf({Reader("adam", "x"), Reader("adam", "y")}), HasSubstr("two users adam"));
  UserOptions plain = Reader("adam", "x");
  plain.password_hashes.emplace_back("hunter2");
  const std::string error = ErrorOf({plain});
  EXPECT_THAT(error, HasSubstr("password hash 2 of user adam"));
  EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  UserOptions both = Reader("adam", "x");
  both.any_password = true;
  EXPECT_THAT(ErrorOf({both}), HasSubstr("one of the two"));
}

TEST(UsersTest, CategoriesDecideWhatAUserMayExecute) {
  UserOptions reader = Reader("adam", "x");
  UserOptions admin = reader;
  admin.may_read = false;
  admin.may_admin = true;
  const CommandSpec& get = *FindCommand("get");
  const CommandSpec& list = *FindSubcommand(*FindCommand("client"), "list");
  const CommandSpec& auth = *FindCommand("auth");
  EXPECT_TRUE(User(reader).MayExecute(get));
  EXPECT_FALSE(User(reader).MayExecute(list));
  EXPECT_FALSE(User(admin).MayExecute(get));
  EXPECT_TRUE(User(admin).MayExecute(list));
  EXPECT_TRUE(User(reader).MayExecute(auth));
  EXPECT_TRUE(User(admin).MayExecute(auth));
}

TEST(AdoptTest, NewConnectionsAreTheDefaultUsers) {
  Session open;
  const Users users;
  EXPECT_TRUE(Adopt(open, users));
  EXPECT_EQ(open.user, &users.default_user());
  EXPECT_EQ(open.unusual, 0U);
  Session guarded;
  const Users protected_users = Make({ProtectedDefault()});
  EXPECT_TRUE(Adopt(guarded, protected_users));
  EXPECT_TRUE(guarded.Is(kNotAuthenticated));
}

TEST(AdoptTest, WhoIsGoneOrDisabledMustClose) {
  const Users before = Make({Reader("adam", "a"), Reader("zoe", "z")});
  UserOptions disabled = Reader("zoe", "z");
  disabled.enabled = false;
  const Users after = Make({disabled});
  for (const auto name : {"adam", "zoe"}) {
    Session session;
    BecomeUser(session, *before.Find(name));
    EXPECT_FALSE(Adopt(session, after)) << name;
  }
}

TEST(AdoptTest, WhoseUserLostAPasswordMustCloseAndOneMoreIsNoReason) {
  UserOptions two = Reader("adam", "old");
  two.password_hashes.push_back(PasswordHash("new"));
  const Users before = Make({Reader("adam", "old")});
  const Users both = Make({two});
  const Users after = Make({Reader("adam", "new")});
  Session session;
  BecomeUser(session, *before.Find("adam"));
  EXPECT_TRUE(Adopt(session, both));
  EXPECT_FALSE(Adopt(session, after));
}

TEST(AdoptTest, ChangedCategoriesHoldAtOnce) {
  const Users before = Make({Reader("adam", "a")});
  UserOptions admin = Reader("adam", "a");
  admin.may_admin = true;
  const Users after = Make({admin});
  Session session;
  BecomeUser(session, *before.Find("adam"));
  EXPECT_TRUE(session.Is(kMayNotAll));
  EXPECT_TRUE(Adopt(session, after));
  EXPECT_EQ(session.user, after.Find("adam"));
  EXPECT_FALSE(session.Is(kMayNotAll));
}

TEST(AdoptTest, WhoListensToWhatIsNoLongerTheirsMustClose) {
  UserOptions both = Reader("adam", "a");
  both.may_admin = true;
  UserOptions admin = both;
  admin.may_read = false;
  const Users before = Make({both});
  const Users readers = Make({Reader("adam", "a")});
  const Users admins = Make({admin});
  const auto adopted = [&before](Unusual listens, const Users& after) {
    Session session;
    BecomeUser(session, *before.Find("adam"));
    session.Set(listens);
    return Adopt(session, after);
  };
  EXPECT_FALSE(adopted(kMonitoring, readers));
  EXPECT_TRUE(adopted(kMonitoring, admins));
  EXPECT_TRUE(adopted(kSubscribed, readers));
  EXPECT_FALSE(adopted(kSubscribed, admins));
  Session silent;
  const Users open;
  ASSERT_TRUE(Adopt(silent, open));
  silent.Set(kSubscribed);
  EXPECT_FALSE(Adopt(silent, Make({ProtectedDefault()})));
}

TEST(AdoptTest, AConnectionWithoutAPasswordNeedsOneOnceTheDefaultUserHasOne) {
  const Users before;
  const Users after = Make({ProtectedDefault()});
  Session silent;
  ASSERT_TRUE(Adopt(silent, before));
  EXPECT_TRUE(Adopt(silent, after));
  EXPECT_TRUE(silent.Is(kNotAuthenticated));
  Session authenticated;
  BecomeUser(authenticated, after.default_user());
  const Users again = Make({ProtectedDefault()});
  EXPECT_TRUE(Adopt(authenticated, again));
  EXPECT_FALSE(authenticated.Is(kNotAuthenticated));
  EXPECT_TRUE(Adopt(silent, before));
  EXPECT_FALSE(silent.Is(kNotAuthenticated));
}

}  // namespace
}  // namespace larder::command

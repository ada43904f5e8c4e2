// Users that change while connections are open.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/users.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using command::PasswordHash;
using command::UserOptions;
using testing::EndsWith;
using testing::StartsWith;

constexpr std::string_view kPing = "PING\r\n";
constexpr std::string_view kPong = "+PONG\r\n";

UserOptions Named(const std::string& name, const std::vector<std::string>& passwords) {
  UserOptions options;
  options.name = name;
  for (const std::string& password : passwords)
    options.password_hashes.push_back(PasswordHash(password));
  return options;
}

// Nobody gets in without a password.
UserOptions ClosedDefault() {
  UserOptions options;
  options.name = "default";
  options.enabled = false;
  return options;
}

command::Users Made(std::vector<UserOptions> users) {
  auto made = command::Users::Make(std::move(users));
  EXPECT_TRUE(made) << made.error().message();
  return *std::move(made);
}

TestServer::Setup With(command::Users users) {
  TestServer::Setup setup;
  setup.options.users = std::move(users);
  return setup;
}

void Change(TestServer& server, command::Users users) {
  ServerOptions options;
  options.listeners = {{.address = server.address()}};
  options.users = std::move(users);
  auto change = server.server().Prepare(std::move(options));
  ASSERT_TRUE(change) << change.error().message();
  server.server().Commit(*std::move(change));
}

// Several, so that every worker has one.
std::vector<TestClient> LoggedIn(TestServer& server, std::string_view name,
                                 std::string_view password) {
  std::vector<TestClient> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(server.Connect());
    EXPECT_EQ(clients.back().Call(Request({"AUTH", name, password}), 5), "+OK\r\n");
  }
  return clients;
}

TEST(UsersChangeTest, AConnectionBeginsAsTheDefaultUser) {
  TestServer closed(With(Made({ClosedDefault(), Named("a", {"1"})})));
  TestClient client = closed.Connect();
  client.Send(kPing);
  EXPECT_THAT(client.ReceiveLine(), StartsWith("-NOAUTH "));
  TestServer open;
  EXPECT_EQ(open.Connect().Call(kPing, kPong.size()), kPong);
}

TEST(UsersChangeTest, BeforeAuthThereIsRoomForAuthAndBehindItForAnything) {
  TestServer server(With(Made({ClosedDefault(), Named("a", {"1"})})));
  std::string many = "*12\r\n$3\r\nDEL\r\n";
  for (int i = 0; i < 11; ++i) many += "$1\r\nk\r\n";
  TestClient stranger = server.Connect();
  stranger.Send(Request({"AUTH", "a", "2"}) + many);
  EXPECT_THAT(stranger.ReceiveUntilClosed(),
              EndsWith("-ERR Protocol error: unauthenticated multibulk length\r\n"));
  TestClient user = server.Connect();
  user.Send(Request({"AUTH", "a", "1"}) + many);
  EXPECT_EQ(user.ReceiveLine(), "+OK\r\n");
  EXPECT_THAT(user.ReceiveLine(), StartsWith("-READONLY "));
}

TEST(UsersChangeTest, WhoFollowsOthersAndMayNoLongerIsClosed) {
  UserOptions watcher = Named("a", {"1"});
  watcher.may_admin = true;
  TestServer server(With(Made({ClosedDefault(), watcher})));
  std::vector<TestClient> followers = LoggedIn(server, "a", "1");
  for (TestClient& follower : followers) EXPECT_EQ(follower.Call("MONITOR\r\n", 5), "+OK\r\n");
  watcher.may_admin = false;
  Change(server, Made({ClosedDefault(), watcher}));
  for (TestClient& follower : followers) EXPECT_EQ(follower.ReceiveUntilClosed(), "");
}

TEST(UsersChangeTest, OnlyTheConnectionsOfTheUnwelcomeAreClosed) {
  TestServer server(With(Made({Named("gone", {"1"}), Named("disabled", {"2"}),
                               Named("changed", {"3"}), Named("stays", {"4"})})));
  std::vector<std::vector<TestClient>> unwelcome;
  unwelcome.push_back(LoggedIn(server, "gone", "1"));
  unwelcome.push_back(LoggedIn(server, "disabled", "2"));
  unwelcome.push_back(LoggedIn(server, "changed", "3"));
  std::vector<TestClient> stay = LoggedIn(server, "stays", "4");
  TestClient by_default = server.Connect();
  ASSERT_EQ(by_default.Call(kPing, kPong.size()), kPong);

  UserOptions disabled = Named("disabled", {"2"});
  disabled.enabled = false;
  Change(server, Made({disabled, Named("changed", {"other"}), Named("stays", {"4", "more"})}));
  for (std::vector<TestClient>& clients : unwelcome) {
    for (TestClient& client : clients) EXPECT_TRUE(client.ClosedByServer());
  }
  for (TestClient& client : stay) EXPECT_EQ(client.Call(kPing, kPong.size()), kPong);
  EXPECT_EQ(by_default.Call(kPing, kPong.size()), kPong);
}

TEST(UsersChangeTest, WhoNeverGaveAPasswordMustGiveOneWhenThereIsOne) {
  TestServer server;
  TestClient client = server.Connect();
  ASSERT_EQ(client.Call(kPing, kPong.size()), kPong);
  UserOptions guarded = Named("default", {"secret"});
  guarded.may_admin = true;
  Change(server, Made({guarded}));
  client.Send(kPing);
  EXPECT_THAT(client.ReceiveLine(), StartsWith("-NOAUTH "));
  EXPECT_EQ(client.Call(Request({"AUTH", "secret"}), 5), "+OK\r\n");
  EXPECT_EQ(client.Call(kPing, kPong.size()), kPong);
}

TEST(UsersChangeTest, AWriteIsRefusedAsItsListenerSays) {
  TestServer::Setup setup;
  setup.options.listeners.push_back({.address = "127.0.0.1:0", .read_only_is_noperm = true});
  TestServer server(std::move(setup));
  for (const auto& [listener, code] : {std::pair{size_t{0}, "-READONLY "}, {1, "-NOPERM "}}) {
    TestClient client = server.Connect(listener);
    client.Send(Request({"SET", "a", "b"}));
    EXPECT_THAT(client.ReceiveLine(), StartsWith(code));
  }
}

}  // namespace
}  // namespace larder::server

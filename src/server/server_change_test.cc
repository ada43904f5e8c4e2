// Listeners and limits that change while the server runs.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPing = "PING\r\n";
constexpr std::string_view kPong = "+PONG\r\n";

ServerOptions Listening(const std::vector<std::string>& addresses) {
  ServerOptions options;
  for (const std::string& address : addresses) options.listeners.push_back({address});
  return options;
}

// The message of the error; empty when it went well.
std::string Change(TestServer& server, ServerOptions options) {
  auto change = server.server().Prepare(std::move(options));
  if (!change) return change.error().message();
  server.server().Commit(*std::move(change));
  return "";
}

TEST(ServerChangeTest, AListenerIsAddedAndOthersStay) {
  TestServer server;
  const std::string first = server.address();
  TestClient before = server.Connect();
  ASSERT_EQ(Change(server, Listening({first, "127.0.0.1:0"})), "");
  EXPECT_EQ(server.address(0), first);
  EXPECT_NE(server.address(1), first);
  EXPECT_EQ(before.Call(kPing, kPong.size()), kPong);
  EXPECT_EQ(server.Connect(0).Call(kPing, kPong.size()), kPong);
  EXPECT_EQ(server.Connect(1).Call(kPing, kPong.size()), kPong);
}

TEST(ServerChangeTest, AListenerIsKnownByTheAddressItWasAskedFor) {
  TestServer server;  // port 0
  const std::string bound = server.address();
  ASSERT_EQ(Change(server, Listening({"127.0.0.1:0"})), "");
  EXPECT_EQ(server.address(), bound);
}

TEST(ServerChangeTest, ConnectionsOutliveTheirListener) {
  TestServer server;
  const std::string gone = server.address();
  TestClient lasting = server.Connect();
  ASSERT_EQ(lasting.Call(kPing, kPong.size()), kPong);
  ASSERT_EQ(Change(server, Listening({"127.0.0.2:0"})), "");
  EXPECT_EQ(lasting.Call(kPing, kPong.size()), kPong);
  EXPECT_FALSE(TestClient(gone).connected());
}

TEST(ServerChangeTest, WhoHasConnectedIsServedAlthoughTheListenerGoes) {
  for (const bool unix_socket : {false, true}) {
    TestServer server;
    const std::string address =
        unix_socket ? "unix:" + server.File("larder.sock") : std::string("127.0.0.1:0");
    ASSERT_EQ(Change(server, Listening({server.address(), address})), "");
    // Most of them still stand in the backlog when the change comes.
    std::vector<TestClient> clients;
    for (int i = 0; i < 100; ++i) clients.push_back(server.Connect(1));
    ASSERT_EQ(Change(server, Listening({server.address()})), "");
    for (TestClient& client : clients) ASSERT_EQ(client.Call(kPing, kPong.size()), kPong);
  }
}

TEST(ServerChangeTest, AUnixSocketIsRemovedAndMadeAgain) {
  TestServer server;
  const std::string address = "unix:" + server.File("larder.sock");
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(Change(server, Listening({server.address(), address})), "");
    EXPECT_EQ(TestClient(address).Call(kPing, kPong.size()), kPong);
    ASSERT_EQ(Change(server, Listening({server.address()})), "");
    EXPECT_FALSE(TestClient(address).connected());
  }
}

TEST(ServerChangeTest, AnAddressThatIsTakenChangesNothing) {
  TestServer server;
  const TestServer other;
  const std::string first = server.address();
  const std::string error = Change(server, Listening({"127.0.0.1:0", other.address()}));
  EXPECT_THAT(error, HasSubstr(other.address()));
  EXPECT_EQ(server.address(), first);
  EXPECT_EQ(server.Connect().Call(kPing, kPong.size()), kPong);
}

TEST(ServerChangeTest, ProtectedModeIsAskedAgain) {
  TestServer server;
  EXPECT_THAT(Change(server, Listening({server.address(), "0.0.0.0:0"})),
              HasSubstr("protected_mode"));
  ServerOptions open = Listening({server.address(), "0.0.0.0:0"});
  open.protected_mode = false;
  EXPECT_EQ(Change(server, open), "");
  open.protected_mode = true;
  EXPECT_THAT(Change(server, open), HasSubstr("protected_mode"));
}

TEST(ServerChangeTest, ConfigGetTellsWhatIsInForce) {
  TestServer server;
  ServerOptions options = Listening({"127.0.0.2:0", server.address()});
  options.max_clients = 77;
  ASSERT_EQ(Change(server, options), "");
  TestClient client = server.Connect();
  const auto setting = [&client](const std::string& name) {
    client.Send("CONFIG GET " + name + "\r\n");
    EXPECT_EQ(client.ReceiveLine(), "*2\r\n");
    EXPECT_EQ(client.ReceiveBulk(), name);
    return client.ReceiveBulk();
  };
  EXPECT_EQ(setting("port"), server.address().substr(server.address().rfind(':') + 1));
  EXPECT_EQ(setting("maxclients"), "77");
  EXPECT_EQ(setting("bind"), "127.0.0.2 127.0.0.1");
}

TEST(ServerChangeTest, LimitsHoldForConnectionsThatAreThere) {
  TestServer server;
  TestClient first = server.Connect();
  TestClient second = server.Connect();
  ASSERT_EQ(first.Call(kPing, kPong.size()), kPong);
  ASSERT_EQ(second.Call(kPing, kPong.size()), kPong);
  ServerOptions options = Listening({server.address()});
  options.max_clients = 1;
  options.request.query_bytes = 100;
  ASSERT_EQ(Change(server, options), "");
  EXPECT_EQ(first.Call(kPing, kPong.size()), kPong);  // those above the limit stay
  EXPECT_EQ(server.Connect().ReceiveUntilClosed(), "-ERR max number of clients reached\r\n");
  second.Send("*2\r\n$4\r\nECHO\r\n$200\r\n");
  EXPECT_EQ(second.ReceiveUntilClosed(), "-ERR Protocol error: too big request\r\n");
}

TEST(ServerChangeTest, AnIdleTimeoutThatIsSetLaterHolds) {
  TestServer server;
  TestClient client = server.Connect();
  ASSERT_EQ(client.Call(kPing, kPong.size()), kPong);
  ServerOptions options = Listening({server.address()});
  options.idle_timeout = std::chrono::seconds(1);
  ASSERT_EQ(Change(server, options), "");
  EXPECT_TRUE(client.ClosedByServer());
}

TEST(ServerChangeTest, AChangeAfterTheStopReturns) {
  TestServer server;
  const std::string address = server.address();
  auto change = server.server().Prepare(Listening({address, "127.0.0.1:0"}));
  ASSERT_TRUE(change);
  server.server().RequestStop();
  server.server().Wait();
  server.server().Commit(*std::move(change));
}

TEST(ServerChangeTest, NoRequestIsLostWhileListenersComeAndGo) {
  TestServer server;
  const std::string stays = server.address();
  const std::string socket = "unix:" + server.File("larder.sock");
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> answered{0};
  std::vector<std::jthread> clients;
  // One that stays connected, two that come and go where the listener comes and goes too.
  clients.emplace_back([&] {
    TestClient client(stays);
    while (!stop.load()) {
      ASSERT_EQ(client.Call(kPing, kPong.size()), kPong);
      ++answered;
      answered.notify_all();
    }
  });
  for (const std::string& address : {stays, socket}) {
    clients.emplace_back([&stop, address] {
      while (!stop.load()) {
        TestClient client(address);
        if (!client.connected()) continue;
        ASSERT_EQ(client.Call(kPing, kPong.size()), kPong) << address;
      }
    });
  }
  answered.wait(0);
  for (uint64_t i = 0; i < ScaledCount(60); ++i) {
    std::vector<std::string> addresses = {stays};
    if (i % 2 == 0) addresses.push_back(socket);
    if (i % 3 == 0) addresses.emplace_back("127.0.0.1:0");
    ASSERT_EQ(Change(server, Listening(addresses)), "");
  }
  stop.store(true);
}

}  // namespace
}  // namespace larder::server

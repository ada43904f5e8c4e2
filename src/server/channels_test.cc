// Messages between connections of a real server with two workers.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/users.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Bulk(std::string_view text) { return fmt::format("${}\r\n{}\r\n", text.size(), text); }

std::string Message(std::string_view channel, std::string_view text) {
  return "*3\r\n" + Bulk("message") + Bulk(channel) + Bulk(text);
}

std::string Subscribed(std::string_view channel, int count) {
  return fmt::format("*3\r\n{}{}:{}\r\n", Bulk("subscribe"), Bulk(channel), count);
}

// Sends, and reads exactly what is expected.
void Expect(TestClient& client, const std::vector<std::string_view>& request,
            std::string_view reply) {
  EXPECT_EQ(client.Call(Request(request), reply.size()), reply);
}

void Subscribe(TestClient& client, std::string_view channel) {
  Expect(client, {"SUBSCRIBE", channel}, Subscribed(channel, 1));
}

void SayHello3(TestClient& client) {
  ASSERT_TRUE(client.Send(Request({"HELLO", "3"}) + Request({"ECHO", "ready"})));
  std::string line;
  while (line != "ready\r\n") {
    line = client.ReceiveLine();
    ASSERT_FALSE(line.empty());
  }
}

std::string InfoField(TestClient& client, std::string_view section, const std::string& field) {
  EXPECT_TRUE(client.Send(Request({"INFO", section})));
  const std::string info = client.ReceiveBulk();
  const size_t at = info.find("\r\n" + field + ":");
  if (at == std::string::npos) return "none";
  const size_t begin = at + field.size() + 3;
  return info.substr(begin, info.find("\r\n", begin) - begin);
}

// Asks until the answer is as wanted, as long as a test may wait.
bool Becomes(TestClient& client, const std::vector<std::string_view>& request,
             std::string_view wanted) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (client.Call(Request(request), wanted.size()) == wanted) return true;
  }
  return false;
}

// Enough connections for both workers to have some.
constexpr int kManyClients = 16;

TEST(Channels, SubscribersOfAllWorkersGetEveryMessageInOrder) {
  const TestServer server;
  std::vector<TestClient> subscribers;
  for (int i = 0; i < kManyClients; ++i) {
    subscribers.push_back(server.Connect());
    Subscribe(subscribers.back(), "news");
  }
  TestClient publisher = server.Connect();
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string text = fmt::format("message {}", i);
    Expect(publisher, {"PUBLISH", "news", text}, fmt::format(":{}\r\n", kManyClients));
    expected += Message("news", text);
  }
  for (TestClient& subscriber : subscribers)
    EXPECT_EQ(subscriber.Receive(expected.size()), expected);
}

TEST(Channels, AMessageFollowsTheSubscriptionsThatMatchIt) {
  const TestServer server;
  TestClient subscriber = server.Connect();
  SayHello3(subscriber);
  subscriber.Send(Request({"PSUBSCRIBE", "n*"}) + Request({"SUBSCRIBE", "news"}) +
                  Request({"SSUBSCRIBE", "news"}));
  const std::string told = ">3\r\n" + Bulk("psubscribe") + Bulk("n*") + ":1\r\n" + ">3\r\n" +
                           Bulk("subscribe") + Bulk("news") + ":2\r\n" + ">3\r\n" +
                           Bulk("ssubscribe") + Bulk("news") + ":1\r\n";
  EXPECT_EQ(subscriber.Receive(told.size()), told);
  TestClient publisher = server.Connect();
  Expect(publisher, {"PUBLISH", "news", "a"}, ":2\r\n");
  Expect(publisher, {"PUBLISH", "nothing", "b"}, ":1\r\n");
  Expect(publisher, {"SPUBLISH", "news", "c"}, ":1\r\n");
  const std::string messages = ">3\r\n" + Bulk("message") + Bulk("news") + Bulk("a") + ">4\r\n" +
                               Bulk("pmessage") + Bulk("n*") + Bulk("news") + Bulk("a") + ">4\r\n" +
                               Bulk("pmessage") + Bulk("n*") + Bulk("nothing") + Bulk("b") +
                               ">3\r\n" + Bulk("smessage") + Bulk("news") + Bulk("c");
  EXPECT_EQ(subscriber.Receive(messages.size()), messages);
}

TEST(Channels, APublisherThatSubscribesGetsItsMessageBeforeTheReplyAndOnce) {
  const TestServer server;
  TestClient client = server.Connect();
  SayHello3(client);
  Expect(client, {"SUBSCRIBE", "me"}, ">3\r\n" + Bulk("subscribe") + Bulk("me") + ":1\r\n");
  const std::string message = ">3\r\n" + Bulk("message") + Bulk("me") + Bulk("x");
  Expect(client, {"PUBLISH", "me", "x"}, message + ":1\r\n");
  Expect(client, {"PUBLISH", "me", "x"}, message + ":1\r\n");
  Expect(client, {"PING"}, "+PONG\r\n");
}

TEST(Channels, AThousandChannelsOfOneConnectionGoWithIt) {
  const TestServer server;
  TestClient publisher = server.Connect();
  {
    TestClient subscriber = server.Connect();
    std::string requests;
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
      const std::string channel = fmt::format("channel/{}", i);
      requests += Request({"SUBSCRIBE", channel});
      expected += Subscribed(channel, i + 1);
    }
    ASSERT_TRUE(subscriber.Send(requests));
    EXPECT_EQ(subscriber.Receive(expected.size()), expected);
    Expect(publisher, {"PUBLISH", "channel/999", "x"}, ":1\r\n");
    EXPECT_EQ(subscriber.ReceiveLine(), "*3\r\n");
  }
  // The last of them by name, and the last that goes.
  EXPECT_TRUE(Becomes(publisher, {"PUBSUB", "NUMSUB", "channel/999"},
                      "*2\r\n" + Bulk("channel/999") + ":0\r\n"));
  Expect(publisher, {"PUBSUB", "CHANNELS"}, "*0\r\n");
  Expect(publisher, {"PUBLISH", "channel/999", "x"}, ":0\r\n");
}

TEST(Channels, WhoHasUnsubscribedGetsNothingMore) {
  const TestServer server;
  TestClient subscriber = server.Connect();
  TestClient publisher = server.Connect();
  for (int i = 0; i < 50; ++i) {
    Subscribe(subscriber, "news");
    ASSERT_TRUE(publisher.Send(Request({"PUBLISH", "news", "x"})));
    ASSERT_TRUE(subscriber.Send(Request({"UNSUBSCRIBE", "news"}) + Request({"PING"})));
    const std::string last = "*3\r\n" + Bulk("unsubscribe") + Bulk("news") + ":0\r\n+PONG\r\n";
    std::string received = subscriber.Receive(last.size());
    if (received.starts_with(Message("news", "x").substr(0, 20))) {
      received += subscriber.Receive(Message("news", "x").size());
      EXPECT_EQ(received, Message("news", "x") + last);
    } else {
      EXPECT_EQ(received, last);
    }
    EXPECT_THAT(publisher.ReceiveLine(), StartsWith(":"));
  }
}

TEST(Channels, ASubscriberThatDoesNotReadIsClosedAndHoldsUpNobody) {
  TestServer::Setup setup;
  setup.options.max_subscriber_bytes = 1 << 20;
  const TestServer server(std::move(setup));
  testing::internal::CaptureStderr();
  SetLogLevel(LogLevel::kWarning);
  TestClient slow = server.Connect();
  TestClient fast = server.Connect();
  Subscribe(slow, "news");
  Subscribe(fast, "news");
  TestClient publisher = server.Connect();
  const std::string text(100'000, 'x');
  const std::string message = Message("news", text);
  // Far more than a socket takes.
  int published = 0;
  for (std::string count = ":2\r\n"; count == ":2\r\n" && published < 1000; ++published) {
    ASSERT_TRUE(publisher.Send(Request({"PUBLISH", "news", text})));
    count = publisher.ReceiveLine();
    EXPECT_EQ(fast.Receive(message.size()), message);
  }
  EXPECT_LT(published, 1000);
  EXPECT_TRUE(Becomes(publisher, {"PUBSUB", "NUMSUB", "news"}, "*2\r\n" + Bulk("news") + ":1\r\n"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("closed: it reads too slowly"));
  SetLogLevel(LogLevel::kOff);
}

TEST(Channels, AnnouncementsComeAfterTheSwitchAndSayWhatHappened) {
  TestServer server;
  TestClient subscriber = server.Connect();
  Subscribe(subscriber, "__larder__:features");
  TestClient reader = server.Connect();
  server.Take("two");
  for (const std::string_view part : {"*3\r\n", "$7\r\n", "message\r\n", "$19\r\n"})
    EXPECT_EQ(subscriber.ReceiveLine(), part);
  EXPECT_EQ(subscriber.ReceiveLine(), "__larder__:features\r\n");
  EXPECT_EQ(subscriber.ReceiveBulk(),
            R"({"event":"switched","store":"features","previous":1,"current":2,"version":2})");
  Expect(reader, {"GET", "key/1"}, Bulk("two"));
}

TEST(Tracking, AnInvalidationStandsBetweenOldAndNewReplies) {
  TestServer server;
  TestClient tracker = server.Connect();
  SayHello3(tracker);
  Expect(tracker, {"CLIENT", "TRACKING", "ON"}, "+OK\r\n");
  constexpr std::string_view kInvalidation = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
  for (int i = 0; i < 5; ++i) {
    const std::string word = fmt::format("word-{}", i);
    // The reader asks all the while; what it gets before the invalidation may be either.
    std::thread switching([&] { server.Take(word); });
    bool invalidated = false;
    while (!invalidated) {
      ASSERT_TRUE(tracker.Send(Request({"GET", "key/7"})));
      std::string line = tracker.ReceiveLine();
      if (line == ">2\r\n") {
        EXPECT_EQ(line + tracker.Receive(kInvalidation.size() - line.size()), kInvalidation);
        invalidated = true;
        line = tracker.ReceiveLine();
        EXPECT_EQ(line, fmt::format("${}\r\n", word.size()));
        EXPECT_EQ(tracker.ReceiveLine(), word + "\r\n");
      } else {
        tracker.ReceiveLine();
      }
    }
    switching.join();
    Expect(tracker, {"GET", "key/7"}, Bulk(word));
  }
}

TEST(Tracking, AnInvalidationGoesWhereItIsRedirected) {
  TestServer server;
  TestClient tracker = server.Connect();
  TestClient target = server.Connect();
  ASSERT_TRUE(target.Send(Request({"CLIENT", "ID"})));
  const std::string id = target.ReceiveLine().substr(1);
  Subscribe(target, "__redis__:invalidate");
  Expect(tracker, {"CLIENT", "TRACKING", "ON", "REDIRECT", id.substr(0, id.size() - 2)}, "+OK\r\n");
  server.Take("two");
  const std::string message = "*3\r\n" + Bulk("message") + Bulk("__redis__:invalidate") + "$-1\r\n";
  EXPECT_EQ(target.Receive(message.size()), message);
  Expect(tracker, {"GET", "key/1"}, Bulk("two"));
}

TEST(Tracking, AClientIsToldThatItsRedirectIsGone) {
  TestServer server;
  TestClient tracker = server.Connect();
  SayHello3(tracker);
  std::string id;
  {
    TestClient target = server.Connect();
    ASSERT_TRUE(target.Send(Request({"CLIENT", "ID"})));
    id = target.ReceiveLine().substr(1);
    id.resize(id.size() - 2);
    Expect(tracker, {"CLIENT", "TRACKING", "ON", "REDIRECT", id}, "+OK\r\n");
    Expect(tracker, {"CLIENT", "KILL", "ID", id}, ":1\r\n");
    EXPECT_TRUE(target.ClosedByServer());
  }
  server.Take("two");
  const std::string broken = ">2\r\n" + Bulk("tracking-redir-broken") + ":" + id + "\r\n";
  EXPECT_EQ(tracker.Receive(broken.size()), broken);
}

TEST(Monitors, SeeWhatClientsOfAllWorkersExecute) {
  const TestServer server;
  TestClient monitor = server.Connect();
  Expect(monitor, {"MONITOR"}, "+OK\r\n");
  for (int i = 0; i < kManyClients; ++i) {
    TestClient client = server.Connect();
    Expect(client, {"ECHO", "x"}, Bulk("x"));
    EXPECT_THAT(monitor.ReceiveLine(), HasSubstr(R"("ECHO" "x")"));
  }
  Expect(monitor, {"RESET"}, "+RESET\r\n");
  TestClient client = server.Connect();
  Expect(client, {"ECHO", "x"}, Bulk("x"));
  Expect(monitor, {"PING"}, "+PONG\r\n");
}

TEST(Pause, HoldsEveryConnectionUntilItEndsByItself) {
  const TestServer server;
  TestClient client = server.Connect();
  TestClient other = server.Connect();
  Expect(client, {"CLIENT", "PAUSE", "50"}, "+OK\r\n");
  Expect(other, {"PING"}, "+PONG\r\n");
  Expect(client, {"PING"}, "+PONG\r\n");
}

TEST(Pause, OfWritesHoldsMessagesUntilUnpaused) {
  const TestServer server;
  TestClient client = server.Connect();
  TestClient other = server.Connect();
  Expect(client, {"CLIENT", "PAUSE", "100000000", "WRITE"}, "+OK\r\n");
  ASSERT_TRUE(other.Send(Request({"PING"}) + Request({"PUBLISH", "a", "b"}) + Request({"PING"})));
  EXPECT_EQ(other.ReceiveLine(), "+PONG\r\n");
  EXPECT_TRUE(Becomes(client, {"CLIENT", "KILL", "TYPE", "pubsub"}, ":0\r\n"));
  while (InfoField(client, "clients", "blocked_clients") != "1") {
  }
  Expect(client, {"CLIENT", "UNPAUSE"}, "+OK\r\n");
  EXPECT_EQ(other.Receive(11), ":0\r\n+PONG\r\n");
}

TEST(Pause, DoesNotHoldWhatIsNoCommand) {
  TestServer server;
  TestClient client = server.Connect();
  TestClient other = server.Connect();
  Expect(client, {"CLIENT", "PAUSE", "100000000"}, "+OK\r\n");
  ASSERT_TRUE(other.Send(Request({"NOSUCH"}) + Request({"GET"}) + Request({"ECHO", "x"}) +
                         Request({"CLIENT", "NOSUCH"})));
  EXPECT_EQ(other.ReceiveLine(), "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
  EXPECT_EQ(other.ReceiveLine(), "-ERR wrong number of arguments for 'get' command\r\n");
  server.server().RequestStop();
  EXPECT_EQ(other.ReceiveUntilClosed(),
            Bulk("x") + "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n");
  server.server().Wait();
}

TEST(Pause, DoesNotHoldRefusals) {
  constexpr std::string_view kRefusal =
      "-READONLY You can't write against a read only replica.\r\n";
  const TestServer server;
  TestClient client = server.Connect();
  TestClient subscriber = server.Connect();
  Subscribe(subscriber, "x");
  TestClient monitor = server.Connect();
  Expect(monitor, {"MONITOR"}, "+OK\r\n");
  TestClient in_multi = server.Connect();
  Expect(in_multi, {"MULTI"}, "+OK\r\n");
  EXPECT_THAT(monitor.ReceiveLine(), HasSubstr("MULTI"));
  Expect(client, {"CLIENT", "PAUSE", "100000000"}, "+OK\r\n");

  TestClient writer = server.Connect();
  Expect(writer, {"SET", "a", "b"}, kRefusal);
  EXPECT_TRUE(subscriber.Send(Request({"GET", "a"})));
  EXPECT_THAT(subscriber.ReceiveLine(), StartsWith("-ERR Can't execute 'get'"));
  EXPECT_TRUE(monitor.Send(Request({"GET", "a"}) + Request({"PING"})));
  EXPECT_EQ(monitor.ReceiveLine(), "-ERR Replica can't interact with the keyspace\r\n");
  EXPECT_EQ(monitor.ReceiveLine(), "+PONG\r\n") << "a monitor is not paused";
  // What EXEC has ended is no transaction any more, for what comes behind it either.
  EXPECT_TRUE(in_multi.Send(Request({"EXEC", "x"}) + Request({"LARDER", "PIN", "features", "1"})));
  EXPECT_THAT(in_multi.ReceiveLine(), StartsWith("-EXECABORT"));
  TestClient stranger = server.Connect();
  Expect(stranger, {"SET", "a", "b"}, kRefusal);
  EXPECT_FALSE(in_multi.Readable(0));
}

TEST(Pause, DoesNotHoldWhoMayNot) {
  TestServer::Setup setup;
  command::UserOptions user;
  user.name = "default";
  user.password_hashes = {command::PasswordHash("secret")};
  user.may_admin = true;
  auto users = command::Users::Make({user});
  ASSERT_TRUE(users);
  setup.options.users = *std::move(users);
  const TestServer server(std::move(setup));
  TestClient client = server.Connect();
  Expect(client, {"AUTH", "secret"}, "+OK\r\n");
  for (const std::string_view kind : {"WRITE", "ALL"}) {
    Expect(client, {"CLIENT", "PAUSE", "100000000", kind}, "+OK\r\n");
    TestClient stranger = server.Connect();
    Expect(stranger, {"PUBLISH", "a", "b"}, "-NOAUTH Authentication required.\r\n");
    Expect(stranger, {"GET", "a"}, "-NOAUTH Authentication required.\r\n");
  }
}

TEST(Pause, EndsWithTheServer) {
  TestServer server;
  TestClient client = server.Connect();
  TestClient other = server.Connect();
  Expect(client, {"CLIENT", "PAUSE", "100000000"}, "+OK\r\n");
  ASSERT_TRUE(other.Send(Request({"ECHO", "x"})));
  TestClient monitor = server.Connect();
  ASSERT_TRUE(monitor.Send(Request({"SUBSCRIBE", "x"})));
  server.server().RequestStop();
  EXPECT_EQ(other.ReceiveUntilClosed(), Bulk("x"));
  server.server().Wait();
}

TEST(Kill, ClosesThoseThatTheFilterTakes) {
  const TestServer server;
  TestClient killer = server.Connect();
  std::vector<TestClient> subscribers;
  for (int i = 0; i < kManyClients; ++i) {
    subscribers.push_back(server.Connect());
    Subscribe(subscribers.back(), "news");
  }
  Expect(killer, {"CLIENT", "KILL", "TYPE", "pubsub"}, fmt::format(":{}\r\n", kManyClients));
  for (TestClient& subscriber : subscribers) EXPECT_TRUE(subscriber.ClosedByServer());
  Expect(killer, {"CLIENT", "KILL", "TYPE", "pubsub"}, ":0\r\n");
  Expect(killer, {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"}, ":1\r\n");
  EXPECT_TRUE(killer.ClosedByServer());
}

}  // namespace
}  // namespace larder::server

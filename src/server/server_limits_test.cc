// Each limit on both sides, and what large and slow clients cost.
#include <algorithm>
#include <cerrno>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/server.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

uint64_t InfoNumber(TestClient& client, std::string_view name) {
  EXPECT_TRUE(client.Send(Request({"INFO"})));
  const std::string info = client.ReceiveBulk();
  const std::string field = fmt::format("\r\n{}:", name);
  const size_t at = info.find(field);
  EXPECT_NE(at, std::string::npos) << name;
  return at == std::string::npos ? 0 : std::stoull(info.substr(at + field.size()));
}

TEST(ServerLimitsTest, OneClientMoreThanAllowedIsToldAndClosed) {
  TestServer::Setup setup;
  setup.options.max_clients = 3;
  TestServer server(std::move(setup));
  std::vector<TestClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(server.Connect());
    ASSERT_EQ(clients.back().Call("PING\r\n", 7), "+PONG\r\n");
  }
  TestClient refused = server.Connect();
  EXPECT_EQ(refused.ReceiveUntilClosed(), "-ERR max number of clients reached\r\n");
  EXPECT_EQ(InfoNumber(clients[0], "rejected_connections"), 1U);
  EXPECT_EQ(InfoNumber(clients[0], "connected_clients"), 3U);
}

TEST(ServerLimitsTest, ConfigGetShowsTheLimitsInForce) {
  TestServer::Setup setup;
  setup.options.max_clients = 3;
  setup.options.idle_timeout = std::chrono::seconds(77);
  setup.options.request.bulk_bytes = 1234;
  setup.options.threads = 2;
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  const auto expect = [&client](std::string_view name, std::string_view value) {
    const std::string reply = "*2\r\n" + Request({name, value}).substr(4);
    EXPECT_EQ(client.Call(Request({"CONFIG", "GET", name}), reply.size()), reply);
  };
  expect("maxclients", "3");
  expect("timeout", "77");
  expect("proto-max-bulk-len", "1234");
  expect("io-threads", "2");
  expect("port", server.address().substr(server.address().rfind(':') + 1));
}

TEST(ServerLimitsTest, AClientThatLeavesMakesRoom) {
  TestServer::Setup setup;
  setup.options.max_clients = 1;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  {
    TestClient first = server.Connect();
    ASSERT_TRUE(first.Send("QUIT\r\n"));
    ASSERT_EQ(first.ReceiveUntilClosed(), "+OK\r\n");
  }
  EXPECT_EQ(server.Connect().Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerLimitsTest, AQueryOverTheLimitEndsTheConnectionOnly) {
  TestServer::Setup setup;
  setup.options.request.query_bytes = size_t{100} << 10;
  TestServer server(std::move(setup));
  const auto echo = [](size_t bytes) {
    const std::string text(bytes, 'x');
    return Request({"ECHO", text});
  };
  TestClient within = server.Connect();
  const std::string fits = echo(size_t{99} << 10);
  ASSERT_TRUE(within.Send(fits));
  EXPECT_EQ(within.ReceiveBulk().size(), size_t{99} << 10);
  TestClient over = server.Connect();
  ASSERT_TRUE(over.Send("*2\r\n$4\r\nECHO\r\n$102400\r\n"));
  EXPECT_EQ(over.ReceiveUntilClosed(), "-ERR Protocol error: too big request\r\n");
  EXPECT_EQ(within.Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerLimitsTest, MoreUnsentRepliesThanAllowedEndTheConnection) {
  TestServer::Setup setup;
  setup.big_bytes = size_t{4} << 20;
  setup.options.max_output_bytes = size_t{6} << 20;
  TestServer server(std::move(setup));
  TestClient within = server.Connect();
  ASSERT_TRUE(within.Send(Request({"GET", "big"})));
  EXPECT_EQ(within.ReceiveBulk().size(), size_t{4} << 20);
  TestClient over = server.Connect();
  ASSERT_TRUE(over.Send(Request({"MGET", "big", "big"})));
  EXPECT_TRUE(over.ClosedByServer());
  EXPECT_EQ(within.Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerLimitsTest, AnIdleConnectionIsClosedAndABusyOneIsNot) {
  TestServer::Setup setup;
  setup.options.idle_timeout = std::chrono::seconds(1);
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  TestClient busy = server.Connect();
  TestClient idle = server.Connect();
  ASSERT_EQ(idle.Call("PING\r\n", 7), "+PONG\r\n");
  // The busy one speaks every 50 ms or so until the idle one is gone.
  int spoken = 0;
  while (!idle.Readable(50) && spoken < 1000) {
    ASSERT_EQ(busy.Call("PING\r\n", 7), "+PONG\r\n");
    ++spoken;
  }
  EXPECT_TRUE(idle.ClosedByServer());
  EXPECT_EQ(busy.Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerLimitsTest, ASubscriberThatMayStayIsShownAsIdleAsItIs) {
  TestServer::Setup setup;
  setup.options.idle_timeout = std::chrono::seconds(1);
  setup.options.threads = 1;
  const TestServer server(std::move(setup));
  TestClient subscriber = server.Connect();
  const std::string subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n";
  ASSERT_EQ(subscriber.Call(Request({"SUBSCRIBE", "x"}), subscribed.size()), subscribed);
  TestClient idle = server.Connect();
  ASSERT_EQ(idle.Call("PING\r\n", 7), "+PONG\r\n");
  // The subscriber has been idle for longer: it was looked at before.
  ASSERT_TRUE(idle.ClosedByServer());
  TestClient asking = server.Connect();
  ASSERT_TRUE(asking.Send(Request({"CLIENT", "LIST", "TYPE", "pubsub"})));
  EXPECT_THAT(asking.ReceiveBulk(),
              AllOf(HasSubstr(" cmd=subscribe "), Not(HasSubstr(" idle=0 "))));
}

TEST(ServerLimitsTest, AHundredMegabytesReachASlowReaderWithoutACopyEach) {
  constexpr size_t kBig = size_t{100} << 20;
  TestServer::Setup setup;
  setup.big_bytes = kBig;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  std::vector<TestClient> slow;
  for (int i = 0; i < 4; ++i) {
    slow.push_back(server.Connect());
    ASSERT_TRUE(slow.back().Send(Request({"GET", "big"}) + Request({"ECHO", "end"})));
    ASSERT_EQ(slow.back().Receive(12), "$104857600\r\n");
  }
  // Nobody waits for them, and nothing of 400 MB is copied.
  TestClient other = server.Connect();
  EXPECT_EQ(other.Call("PING\r\n", 7), "+PONG\r\n");
  ASSERT_TRUE(other.Send(Request({"CLIENT", "LIST"})));
  EXPECT_THAT(other.ReceiveBulk(), HasSubstr("cmd=get"));
  for (TestClient& client : slow) {
    const std::string value = client.Receive(kBig);
    ASSERT_EQ(value.size(), kBig);
    EXPECT_EQ(value.find_first_not_of('b'), std::string::npos);
    EXPECT_EQ(client.Receive(2 + 9), "\r\n$3\r\nend\r\n");
  }
}

TEST(ServerLimitsTest, AClientThatDoesNotReadIsNotReadFromForEver) {
  TestServer::Setup setup;
  setup.big_bytes = size_t{1} << 20;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  // 2,000 requests ask for 2 GB. The server holds back instead of producing them.
  constexpr int kRequests = 2000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += Request({"GET", "big"});
  ASSERT_TRUE(client.Send(requests));
  TestClient other = server.Connect();
  ASSERT_EQ(other.Call("PING\r\n", 7), "+PONG\r\n");
  EXPECT_LT(InfoNumber(other, "total_commands_processed"), kRequests / 2U);
  // It goes on where it stopped.
  const std::string first = client.Receive(10 + (size_t{1} << 20) + 2);
  EXPECT_TRUE(first.starts_with("$1048576\r\nbbb"));
  const std::string second = client.Receive(10);
  EXPECT_EQ(second, "$1048576\r\n");
}

// Takes every descriptor the process may still have, below a limit of its own.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit few = before_;
    few.rlim_cur = std::min<rlim_t>(before_.rlim_cur, 256);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    while (true) {
      io::Descriptor next(::dup(STDERR_FILENO));
      if (!next.open()) break;
      taken_.push_back(std::move(next));
    }
    EXPECT_EQ(errno, EMFILE);
  }
  ~NoDescriptorsLeft() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

  void GiveBack(size_t descriptors) { taken_.resize(taken_.size() - descriptors); }

 private:
  rlimit before_{};
  std::vector<io::Descriptor> taken_;
};

TEST(ServerLimitsTest, WithoutDescriptorsItServesOnAndAcceptsAgainLater) {
  TestServer::Setup setup;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  TestClient served = server.Connect();
  ASSERT_EQ(served.Call("PING\r\n", 7), "+PONG\r\n");
  NoDescriptorsLeft none;
  none.GiveBack(1);
  TestClient late = server.Connect();  // takes it, and waits in the kernel's queue
  ASSERT_TRUE(late.connected());
  ASSERT_TRUE(late.Send("PING\r\n"));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(served.Call("PING\r\n", 7), "+PONG\r\n");
  EXPECT_FALSE(late.Readable(0));
  none.GiveBack(1);
  EXPECT_EQ(late.Receive(7), "+PONG\r\n");
}

TEST(ServerLimitsTest, StopEndsAlthoughAClientDoesNotRead) {
  TestServer::Setup setup;
  setup.big_bytes = size_t{64} << 20;
  setup.options.stop_grace = std::chrono::milliseconds(100);
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  ASSERT_TRUE(client.Send(Request({"GET", "big"})));
  ASSERT_EQ(client.Receive(1), "$");
  server.server().RequestStop();
  server.server().Wait();
  EXPECT_LT(client.Receive(size_t{64} << 20).size(), size_t{64} << 20);
}

}  // namespace
}  // namespace larder::server

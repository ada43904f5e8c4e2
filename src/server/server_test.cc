#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <gmock/gmock.h>

#include "server/limits.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kGet = Request({"GET", "key/7"});

TEST(ServerTest, AnswersARequest) {
  TestServer server;
  TestClient client = server.Connect();
  EXPECT_EQ(client.Call(kGet, 9), "$3\r\none\r\n");
}

TEST(ServerTest, AnswersAPipelineInOrder) {
  TestServer server;
  TestClient client = server.Connect();
  std::string requests;
  std::string replies;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = fmt::format("{}", i);
    requests += Request({"ECHO", text}) + kGet;
    replies += fmt::format("${}\r\n{}\r\n$3\r\none\r\n", text.size(), text);
  }
  std::thread sender([&] { EXPECT_TRUE(client.Send(requests)); });
  EXPECT_EQ(client.Receive(replies.size()), replies);
  sender.join();
}

TEST(ServerTest, AnswersARequestThatComesInTwoPiecesCutAnywhere) {
  TestServer server;
  TestClient client = server.Connect();
  const std::string request = Request({"ECHO", "a\r\nb"}) + "PING\r\n" + kGet;
  const std::string reply = "$4\r\na\r\nb\r\n+PONG\r\n$3\r\none\r\n";
  // A second client's reply tells that the server has seen the first piece.
  TestClient witness = server.Connect();
  for (size_t cut = 1; cut < request.size(); ++cut) {
    ASSERT_TRUE(client.Send(request.substr(0, cut)));
    ASSERT_EQ(witness.Call("PING\r\n", 7), "+PONG\r\n");
    ASSERT_TRUE(client.Send(request.substr(cut)));
    ASSERT_EQ(client.Receive(reply.size()), reply) << "cut at " << cut;
  }
}

TEST(ServerTest, AnswersRequestsThatComeByteByByte) {
  TestServer server;
  TestClient client = server.Connect();
  for (const char byte : kGet) ASSERT_TRUE(client.Send({&byte, 1}));
  EXPECT_EQ(client.Receive(9), "$3\r\none\r\n");
}

TEST(ServerTest, EmptyLinesAreNoRequests) {
  TestServer server;
  TestClient client = server.Connect();
  EXPECT_EQ(client.Call("\r\n", 0), "");
  EXPECT_EQ(client.Call("\r\n*0\r\nPING\r\n\r\n", 7), "+PONG\r\n");
  EXPECT_EQ(client.Call(kGet, 9), "$3\r\none\r\n");
}

TEST(ServerTest, ServesAThousandConnections) {
  TestServer server;
  std::vector<TestClient> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(server.Connect());
  for (TestClient& client : clients) ASSERT_TRUE(client.Send(kGet));
  for (TestClient& client : clients) ASSERT_EQ(client.Receive(9), "$3\r\none\r\n");
}

TEST(ServerTest, AnswersWhatCameBeforeTheClientStoppedSending) {
  TestServer server;
  TestClient client = server.Connect();
  ASSERT_TRUE(client.Send(kGet + kGet));
  client.FinishSending();
  EXPECT_EQ(client.ReceiveUntilClosed(), "$3\r\none\r\n$3\r\none\r\n");
}

TEST(ServerTest, QuitEndsTheConnectionAfterItsReply) {
  TestServer server;
  TestClient client = server.Connect();
  ASSERT_TRUE(client.Send("PING\r\nQUIT\r\nPING\r\n"));
  EXPECT_EQ(client.ReceiveUntilClosed(), "+PONG\r\n+OK\r\n");
}

TEST(ServerTest, AProtocolErrorIsToldAndEndsTheConnection) {
  TestServer server;
  TestClient client = server.Connect();
  ASSERT_TRUE(client.Send("PING\r\n*1\r\n+5\r\n"));
  EXPECT_EQ(client.ReceiveUntilClosed(), "+PONG\r\n-ERR Protocol error: expected '$', got '+'\r\n");
}

TEST(ServerTest, ListensOnIpv6AndOnAUnixSocket) {
  TestDirectory directory;
  const std::string path = directory.File("larder.sock");
  {
    TestServer::Setup setup;
    setup.options.listeners = {{"[::1]:0"}, {"unix:" + path}};
    TestServer server(std::move(setup));
    TestClient over_ipv6 = server.Connect(1);
    EXPECT_EQ(over_ipv6.Call(kGet, 9), "$3\r\none\r\n");
    TestClient over_unix = server.Connect(2);
    EXPECT_EQ(over_unix.Call(kGet, 9), "$3\r\none\r\n");
  }
  EXPECT_FALSE(std::filesystem::exists(path)) << "the socket's file stays behind";
}

TEST(ServerTest, ReplacesTheSocketFileOfADeadServer) {
  TestDirectory directory;
  const std::string address = "unix:" + directory.File("larder.sock");
  {
    const auto parsed = ParseAddress(address);
    const io::Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.number(), parsed->raw(), parsed->length), 0);
  }
  TestServer::Setup setup;
  setup.options.listeners = {{address}};
  setup.resp_on_loopback = false;
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  EXPECT_EQ(client.Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerTest, RefusesTheUnixSocketOfALiveServer) {
  TestDirectory directory;
  TestServer::Setup setup;
  setup.options.listeners = {{"unix:" + directory.File("larder.sock")}};
  TestServer first(std::move(setup));
  ServerOptions options;
  options.listeners = {{"unix:" + directory.File("larder.sock")}};
  const auto second = Server::Create(first.catalogue(), options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
  EXPECT_EQ(first.Connect(1).Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerTest, LeavesAFileThatIsNoSocketAlone) {
  TestDirectory directory;
  std::ofstream(directory.File("data")) << "precious";
  TestServer first;
  ServerOptions options;
  options.listeners = {{"unix:" + directory.File("data")}};
  EXPECT_FALSE(Server::Create(first.catalogue(), options));
  EXPECT_EQ(std::filesystem::file_size(directory.File("data")), 8U);
}

TEST(ServerTest, RefusesAPortThatIsListenedOn) {
  TestServer first;
  for (const unsigned threads : {1U, 2U}) {
    ServerOptions options;
    options.listeners = {{first.address()}};
    options.threads = threads;
    const auto second = Server::Create(first.catalogue(), options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
    EXPECT_THAT(second.error().message(), HasSubstr(first.address()));
  }
}

TEST(ServerTest, RefusesAForeignAddressInProtectedMode) {
  TestServer first;
  ServerOptions options;
  options.listeners = {{"0.0.0.0:0"}};
  const auto refused = Server::Create(first.catalogue(), options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("protected_mode = false"));
  options.protected_mode = false;
  EXPECT_TRUE(Server::Create(first.catalogue(), options));
}

TEST(ServerTest, SaysLoadingUntilThereIsAVersion) {
  TestServer::Setup setup;
  setup.loaded = false;
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReceiveLine(), "-LOADING Larder is loading the dataset in memory\r\n");
  server.Refresh();
  EXPECT_EQ(client.Call(kGet, 9), "$3\r\none\r\n");
}

TEST(ServerTest, ASwitchReachesEveryConnection) {
  TestServer server;
  TestClient waiting = server.Connect();
  ASSERT_EQ(waiting.Call(kGet, 9), "$3\r\none\r\n");
  server.Take("two");
  EXPECT_EQ(waiting.Call(kGet, 9), "$3\r\ntwo\r\n");
}

TEST(ServerTest, ADeferredCommandHoldsUpOnlyItsOwnConnection) {
  TestServer::Setup setup;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  server.Take("two");
  TestClient admin = server.Connect();
  TestClient other = server.Connect();
  // What stands behind the rollback is answered by the version it leads to.
  ASSERT_TRUE(admin.Send(kGet + Request({"LARDER", "ROLLBACK", "features"}) + kGet));
  EXPECT_EQ(other.Call("PING\r\n", 7), "+PONG\r\n");
  EXPECT_EQ(admin.Receive(9), "$3\r\ntwo\r\n");
  const std::string report =
      "*8\r\n$8\r\nprevious\r\n:2\r\n$7\r\ncurrent\r\n:1\r\n$6\r\npinned\r\n:1\r\n"
      "$8\r\ncompiled\r\n:0\r\n";
  EXPECT_EQ(admin.Receive(report.size()), report);
  EXPECT_EQ(admin.Receive(9), "$3\r\none\r\n");
  EXPECT_EQ(other.Call(kGet, 9), "$3\r\none\r\n");
}

TEST(ServerTest, ARollbackAnswersWhileAnyNumberOfReloadsCompile) {
  std::promise<void> compiling;
  std::promise<void> may_go_on;
  std::atomic<bool> held{false};
  std::atomic<bool> armed{false};
  TestServer::Setup setup;
  setup.options.threads = 1;
  setup.progress = [&, go_on = may_go_on.get_future().share()](std::string_view, double) {
    if (!armed || held.exchange(true)) return;
    compiling.set_value();
    go_on.wait();
  };
  TestServer server(std::move(setup));
  server.Take("two");
  WriteSource(server.source(), "three", 0);
  armed = true;
  std::vector<TestClient> reloaders;
  for (unsigned i = 0; i < kAdminThreads + kReloadThreads + 1; ++i) {
    reloaders.push_back(server.Connect());
    ASSERT_TRUE(reloaders.back().Send(Request({"LARDER", "RELOAD", "features"})));
  }
  TestClient admin = server.Connect();
  ASSERT_EQ(admin.Call("PING\r\n", 7), "+PONG\r\n");  // behind them: they are under way
  compiling.get_future().wait();
  EXPECT_EQ(admin.Call(Request({"LARDER", "ROLLBACK", "features"}), 4), "*8\r\n");
  EXPECT_EQ(server.Connect().Call(kGet, 9), "$3\r\none\r\n");
  EXPECT_FALSE(reloaders[0].Readable(0));
  may_go_on.set_value();
  for (TestClient& reloader : reloaders) EXPECT_EQ(reloader.Receive(4), "*8\r\n");
}

TEST(ServerTest, AClientThatLeavesDuringADeferredCommandHarmsNobody) {
  TestServer server;
  server.Take("two");
  for (int i = 0; i < 20; ++i) {
    TestClient leaver = server.Connect();
    ASSERT_TRUE(leaver.Send(Request({"LARDER", "ROLLBACK", "features"}) +
                            Request({"LARDER", "UNPIN", "features"})));
  }
  EXPECT_EQ(server.Connect().Call("PING\r\n", 7), "+PONG\r\n");
}

TEST(ServerTest, ListsTheClientsOfAllWorkers) {
  TestServer::Setup setup;
  setup.options.threads = 3;
  TestServer server(std::move(setup));
  std::vector<TestClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(server.Connect());
    const std::string name = fmt::format("client-{}", i);
    ASSERT_EQ(clients.back().Call(Request({"CLIENT", "SETNAME", name}), 5), "+OK\r\n");
  }
  // A name is published after its reply: one more round on the same connection.
  for (TestClient& client : clients) ASSERT_EQ(client.Call("PING\r\n", 7), "+PONG\r\n");
  ASSERT_TRUE(clients[3].Send(Request({"CLIENT", "LIST"})));
  const std::string list = clients[3].ReceiveBulk();
  for (int i = 0; i < 8; ++i) EXPECT_THAT(list, HasSubstr(fmt::format("name=client-{} ", i)));
  EXPECT_THAT(list, HasSubstr("cmd=client|list"));
}

TEST(ServerTest, ListsClientsWhileTheyComeGoAndWork) {
  TestServer::Setup setup;
  setup.options.threads = 3;
  TestServer server(std::move(setup));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&server, t] {
      for (int i = 0; i < 30; ++i) {
        TestClient client = server.Connect();
        const std::string name = fmt::format("t{}-{}", t, i);
        EXPECT_EQ(client.Call(Request({"CLIENT", "SETNAME", name}) + kGet, 14),
                  "+OK\r\n$3\r\none\r\n");
        EXPECT_TRUE(client.Send(Request({"CLIENT", "LIST"}) + Request({"INFO"})));
        EXPECT_THAT(client.ReceiveBulk(), HasSubstr("name=" + name + " "));
        EXPECT_THAT(client.ReceiveBulk(), HasSubstr("connected_clients:"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ServerTest, AnswersWhatItHasReceivedWhenItStops) {
  TestServer::Setup setup;
  setup.options.threads = 1;
  TestServer server(std::move(setup));
  TestClient client = server.Connect();
  ASSERT_EQ(client.Call("PING\r\n", 7), "+PONG\r\n");
  std::string requests;
  std::string replies;
  for (int i = 0; i < 1000; ++i) {
    requests += kGet;
    replies += "$3\r\none\r\n";
  }
  ASSERT_TRUE(client.Send(requests));  // on loopback: in the server's socket when send returns
  server.server().RequestStop();
  EXPECT_EQ(client.ReceiveUntilClosed(), replies);
  server.server().Wait();
  EXPECT_FALSE(server.Connect().connected()) << "still listening";
}

TEST(ServerTest, StopsWithIdleConnectionsAtOnce) {
  TestServer server;
  TestClient idle = server.Connect();
  ASSERT_EQ(idle.Call("PING\r\n", 7), "+PONG\r\n");
  server.server().RequestStop();
  server.server().Wait();
  EXPECT_TRUE(idle.ClosedByServer());
}

TEST(ServerTest, ADamagedVersionIsLeftBeforeItsZerosAreSent) {
  TestServer::Setup setup;
  setup.big_bytes = size_t{4} << 20;
  TestServer server(std::move(setup));
  // Version 2 has its records at the end of a file that is then cut off under the server.
  WriteSource(server.source(), "two", size_t{4} << 20);
  server.Refresh();
  TestClient client = server.Connect();
  ASSERT_EQ(client.Call(kGet, 9), "$3\r\ntwo\r\n");
  const std::string path = server.dataset().PinCurrent()->snapshot->path();
  std::filesystem::resize_file(path, 4096);
  for (int i = 0; i < 100; ++i) {
    const std::string key = fmt::format("key/{}", i);
    ASSERT_EQ(client.Call(Request({"GET", key}), 9), "$3\r\none\r\n") << key;
  }
  EXPECT_EQ(server.dataset().Current()->number, 1U);
}

TEST(ServerTest, ABatchThatIsRepeatedFindsItsSessionAsItWas) {
  TestServer server;
  server.Take("two");
  TestClient client = server.Connect();
  ASSERT_EQ(client.Call(kGet, 9), "$3\r\ntwo\r\n");
  std::filesystem::resize_file(server.dataset().PinCurrent()->snapshot->path(), 4096);
  const std::string reply = "$-1\r\n+OK\r\n$3\r\none\r\n$3\r\nnew\r\n";
  EXPECT_EQ(client.Call(Request({"CLIENT", "GETNAME"}) + Request({"CLIENT", "SETNAME", "new"}) +
                            kGet + Request({"CLIENT", "GETNAME"}),
                        reply.size()),
            reply);
}

class ServerUnreadableReplyTest : public testing::Test {
 protected:
  static constexpr size_t kBig = size_t{64} << 20;

  static TestServer::Setup BigRecord() {
    TestServer::Setup setup;
    setup.big_bytes = kBig;
    setup.options.threads = 1;
    return setup;
  }
  // A reply that is on its way when its file is cut off.
  ServerUnreadableReplyTest() : version_(server_.dataset().PinCurrent()) {
    EXPECT_TRUE(client_.Send(Request({"GET", "big"})));
    EXPECT_EQ(client_.Receive(11), "$67108864\r\n");
    std::filesystem::resize_file(version_->snapshot->path(), 4096);
  }
  void ExpectTheReplyBreaksOff() {
    const std::string received = client_.Receive(kBig);
    EXPECT_LT(received.size(), kBig);
    EXPECT_EQ(received.find_first_not_of('b'), std::string::npos);
    EXPECT_TRUE(client_.ClosedByServer());
  }

  TestServer server_{BigRecord()};
  TestClient client_ = server_.Connect();
  std::shared_ptr<const dataset::Version> version_;
};

TEST_F(ServerUnreadableReplyTest, BreaksOffAndItsVersionIsKnownToBeDamaged) {
  ExpectTheReplyBreaksOff();
  EXPECT_TRUE(version_->snapshot->damaged());
  EXPECT_EQ(server_.Connect().Call(kGet, 8), "-LOADING") << "there is no other version";
}

TEST_F(ServerUnreadableReplyTest, IsNotContinuedWithZerosWhenAnotherReaderHasMetThePage) {
  const std::string_view bytes = version_->snapshot->mapping().bytes();
  EXPECT_NE(std::count(bytes.begin(), bytes.end(), '\0'), 0);
  EXPECT_TRUE(version_->snapshot->damaged());
  ExpectTheReplyBreaksOff();
}

TEST(ServerTest, ADamagedOnlyVersionMeansLoading) {
  TestServer server;
  TestClient client = server.Connect();
  std::filesystem::resize_file(server.dataset().PinCurrent()->snapshot->path(), 0);
  ASSERT_TRUE(client.Send(kGet));
  EXPECT_EQ(client.ReceiveLine(), "-LOADING Larder is loading the dataset in memory\r\n");
}

}  // namespace
}  // namespace larder::server

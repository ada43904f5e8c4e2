// Many connections in one round of the event loop, so that each is received from before its turn.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/test_server.h"

namespace larder::server {
namespace {

constexpr int kClients = 60;

class LookAhead : public ::testing::Test {
 protected:
  LookAhead() : server_(OneWorker()) {
    for (int i = 0; i < kClients; ++i) clients_.push_back(server_.Connect());
    for (TestClient& client : clients_) EXPECT_EQ(client.Call("PING\r\n", 7), "+PONG\r\n");
  }

  static TestServer::Setup OneWorker() {
    TestServer::Setup setup;
    setup.options.threads = 1;
    return setup;
  }
  // Keeps the worker busy while the others send, so that it finds all of them afterwards.
  void SendWork(TestClient& client) {
    std::string work;
    for (int i = 0; i < 20'000; ++i) work += Request({"GET", "key/1"});
    EXPECT_TRUE(client.Send(work));
  }

  TestServer server_;
  std::vector<TestClient> clients_;
};

TEST_F(LookAhead, EveryConnectionGetsItsOwnReply) {
  TestClient busy = server_.Connect();
  for (int round = 0; round < 20; ++round) {
    SendWork(busy);
    for (size_t i = 0; i < clients_.size(); ++i) {
      const std::string other = std::to_string(i);
      // A key, a key that is not there, something that is no key, half a request.
      const std::vector<std::string> requests = {
          Request({"GET", "key/7"}), Request({"GET", "absent/" + other}),
          Request({"ECHO", other}) + Request({"GET", "key/7"}), "*2\r\n$3\r\nGET\r\n$5\r\nke"};
      ASSERT_TRUE(clients_[i].Send(requests[i % 4]));
    }
    for (size_t i = 0; i < clients_.size(); ++i) {
      const std::string other = std::to_string(i);
      if (i % 4 == 3) {
        ASSERT_TRUE(clients_[i].Send("y/7\r\n"));
      }
      const std::vector<std::string> replies = {
          "$3\r\none\r\n", "$-1\r\n",
          fmt::format("${}\r\n{}\r\n$3\r\none\r\n", other.size(), other), "$3\r\none\r\n"};
      const std::string& reply = replies[i % 4];
      ASSERT_EQ(clients_[i].Receive(reply.size()), reply) << "client " << i;
    }
    ASSERT_EQ(busy.Receive(20'000 * 9).size(), 20'000U * 9);
  }
}

TEST_F(LookAhead, WhoSendsNoMoreStillGetsItsReply) {
  TestClient busy = server_.Connect();
  SendWork(busy);
  for (TestClient& client : clients_) {
    ASSERT_TRUE(client.Send(Request({"GET", "key/7"})));
    client.FinishSending();
  }
  for (TestClient& client : clients_) {
    EXPECT_EQ(client.Receive(9), "$3\r\none\r\n");
    EXPECT_TRUE(client.ClosedByServer());
  }
}

TEST_F(LookAhead, WhoIsKilledByOneBeforeItIsNotServed) {
  TestClient busy = server_.Connect();
  ASSERT_EQ(clients_[0].Call(Request({"CLIENT", "SETNAME", "killer"}), 5), "+OK\r\n");
  SendWork(busy);
  ASSERT_TRUE(clients_[0].Send(Request({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"})));
  for (size_t i = 1; i < clients_.size(); ++i) clients_[i].Send(Request({"GET", "key/7"}));
  // Each was served before, or not at all.
  for (size_t i = 1; i < clients_.size(); ++i) {
    const std::string reply = clients_[i].ReceiveUntilClosed();
    EXPECT_TRUE(reply.empty() || reply == "$3\r\none\r\n") << reply;
  }
  EXPECT_TRUE(clients_[0].ReceiveLine().starts_with(":"));
  EXPECT_EQ(clients_[0].Call("PING\r\n", 7), "+PONG\r\n");
}

TEST_F(LookAhead, EveryReplyIsOfOneOfTheVersionsAndNoneGoesBack) {
  std::vector<std::string> seen(clients_.size(), "one");
  for (int round = 0; round < 6; ++round) {
    TestClient busy = server_.Connect();
    SendWork(busy);
    for (TestClient& client : clients_) ASSERT_TRUE(client.Send(Request({"GET", "key/7"})));
    if (round == 2) server_.Take("two");
    for (size_t i = 0; i < clients_.size(); ++i) {
      const std::string reply = clients_[i].ReceiveBulk();
      ASSERT_TRUE(reply == seen[i] || reply == "two") << reply;
      if (round > 2) {
        ASSERT_EQ(reply, "two");
      }
      seen[i] = reply;
    }
  }
}

}  // namespace
}  // namespace larder::server

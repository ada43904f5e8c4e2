#include "larder/server.h"

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/test_program.h"
#include "server/test_server.h"

namespace larder {
namespace {

using server::Request;
using server::TestClient;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Server Create() {
  auto server = Server::Create({.listeners = {"127.0.0.1:0"}, .threads = 1});
  EXPECT_TRUE(server) << server.error().message();
  return *std::move(server);
}

std::string Get(TestClient& client, std::string_view key) {
  EXPECT_TRUE(client.Send(Request({"GET", key})));
  return client.ReceiveBulk();
}

// A server with the program's words as database 0.
struct Serving {
  explicit Serving(TestProgram& program) : server(Create()) {
    program.PublishWord("one");
    auto added = server.AddDataset(0, program.Options());
    EXPECT_TRUE(added) << added.error().message();
    words = *std::move(added);
    const auto started = server.Start();
    EXPECT_TRUE(started) << started.error().message();
    EXPECT_TRUE(words->WaitForVersion(kLongEnough));
  }
  TestClient Connect() const { return TestClient(server.addresses().front()); }

  Server server;
  std::optional<Dataset> words;
};

TEST(LibraryServerTest, ClientsReadWhatTheProgramReads) {
  TestProgram program;
  const Serving serving(program);
  TestClient client = serving.Connect();
  EXPECT_EQ(Get(client, "key/1"), "one");
  EXPECT_EQ(WordIn(*serving.words), "one");
  program.Load(*serving.words, "two");
  EXPECT_EQ(Get(client, "key/1"), "two");
  EXPECT_EQ(WordIn(*serving.words), "two");
}

TEST(LibraryServerTest, RollbackOfAClientIsToldToTheProgram) {
  TestProgram program;
  Serving serving(program);
  program.Load(*serving.words, "two");
  std::string told;
  const Subscription subscription =
      serving.words->OnSwitch([&told](const SwitchEvent& event) { told = WordIn(event.snapshot); });
  auto reader = serving.words->NewReader();
  ASSERT_TRUE(reader);
  TestClient client = serving.Connect();
  ASSERT_TRUE(client.Send(Request({"LARDER", "ROLLBACK", "words"})));
  EXPECT_THAT(client.ReceiveLine(), Not(HasSubstr("ERR")));
  serving.server.Stop();
  EXPECT_EQ(told, "one");
  EXPECT_EQ(WordIn(reader->Enter()), "one");
  EXPECT_TRUE(serving.words->status().pinned);
}

TEST(LibraryServerTest, DatasetsComeAndGoWhileServing) {
  TestProgram program;
  Serving serving(program);
  DatasetOptions more = program.Options();
  more.name = "more";
  more.directory = program / "more";
  const auto added = serving.server.AddDataset(3, more);
  ASSERT_TRUE(added) << added.error().message();
  ASSERT_TRUE(added->WaitForVersion(kLongEnough)) << "it is watched at once";
  TestClient client = serving.Connect();
  ASSERT_TRUE(client.Send(Request({"SELECT", "3"})));
  EXPECT_EQ(client.ReceiveLine(), "+OK\r\n");
  EXPECT_EQ(Get(client, "key/1"), "one");
  ASSERT_TRUE(serving.server.RemoveDataset("more"));
  EXPECT_EQ(Get(client, "key/1"), "$-1\r\n");
  // Who holds it goes on.
  EXPECT_EQ(WordIn(*added), "one");
  EXPECT_EQ(serving.server.RemoveDataset("more").error().code(), ErrorCode::kNotFound);
}

TEST(LibraryServerTest, TakenNumberNameAndDirectoryAreRefused) {
  TestProgram program;
  Serving serving(program);
  DatasetOptions other = program.Options();
  EXPECT_EQ(serving.server.AddDataset(1, other).error().code(), ErrorCode::kAlreadyExists);
  other.name = "other";
  EXPECT_EQ(serving.server.AddDataset(1, other).error().code(), ErrorCode::kAlreadyExists);
  other.directory = program / "other";
  EXPECT_EQ(serving.server.AddDataset(0, other).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_TRUE(serving.server.AddDataset(1, other));
}

TEST(LibraryServerTest, AddressInUseIsBusyAndTheServerCanBeDropped) {
  TestProgram program;
  const Serving serving(program);
  auto second = Server::Create({.listeners = serving.server.addresses(), .threads = 1});
  ASSERT_TRUE(second);
  const auto started = second->Start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kBusy);
  EXPECT_THAT(second->addresses(), IsEmpty());
}

TEST(LibraryServerTest, NoReaderLeftForItsThreadsIsAnError) {
  TestProgram program;
  program.PublishWord("one");
  Server server = Create();
  const auto words = server.AddDataset(0, program.Options());
  ASSERT_TRUE(words);
  std::vector<Reader> readers;
  for (auto reader = words->NewReader(); reader; reader = words->NewReader())
    readers.push_back(*std::move(reader));
  EXPECT_EQ(server.Start().error().code(), ErrorCode::kLimit);
  readers.pop_back();
  const auto started = server.Start();
  EXPECT_TRUE(started) << started.error().message();
}

TEST(LibraryServerTest, DatasetThatIsAddedAgainTellsOldAndNewHandles) {
  TestProgram program;
  Serving serving(program);
  std::vector<std::string> told;
  const auto tell = [&told](const SwitchEvent& event) { told.push_back(WordIn(event.snapshot)); };
  const Subscription before = serving.words->OnSwitch(tell);
  ASSERT_TRUE(serving.server.RemoveDataset("words"));
  for (const unsigned keep : {3U, 4U}) {  // the same settings, others
    DatasetOptions options = program.Options();
    options.keep = keep;
    const auto again = serving.server.AddDataset(0, options);
    ASSERT_TRUE(again) << again.error().message();
    const Subscription after = again->OnSwitch(tell);
    program.Load(*again, fmt::format("with {}", keep));
    ASSERT_TRUE(serving.server.RemoveDataset("words"));
  }
  EXPECT_THAT(told, ElementsAre("with 3", "with 3", "with 4", "with 4"));
}

TEST(LibraryServerTest, RequestsHaveALimit) {
  TestProgram program;
  auto server =
      Server::Create({.listeners = {"127.0.0.1:0"}, .threads = 1, .max_query_bytes = 4096});
  ASSERT_TRUE(server);
  ASSERT_TRUE(server->Start());
  TestClient client(server->addresses().front());
  ASSERT_TRUE(client.Send(Request({"ECHO", std::string(100, 'x')})));
  EXPECT_EQ(client.ReceiveBulk(), std::string(100, 'x'));
  ASSERT_TRUE(client.Send("*2\r\n$4\r\nECHO\r\n$4096\r\n"));
  EXPECT_EQ(client.ReceiveUntilClosed(), "-ERR Protocol error: too big request\r\n");
}

TEST(LibraryServerTest, OtherMachinesNeedProtectedModeOff) {
  auto server = Server::Create({.listeners = {"0.0.0.0:0"}, .threads = 1});
  ASSERT_TRUE(server);
  EXPECT_EQ(server->Start().error().code(), ErrorCode::kInvalidArgument);
}

TEST(LibraryServerTest, StoppingEndsConnectionsAndStartingAgainIsRefused) {
  TestProgram program;
  Serving serving(program);
  TestClient client = serving.Connect();
  EXPECT_EQ(Get(client, "key/1"), "one");
  serving.server.Stop();
  serving.server.Stop();
  EXPECT_TRUE(client.ClosedByServer());
  EXPECT_FALSE(serving.server.Start());
  EXPECT_EQ(WordIn(*serving.words), "one");
}

TEST(LibraryServerTest, DatasetOutlivesItsServer) {
  TestProgram program;
  std::optional<Serving> serving(std::in_place, program);
  const Dataset words = *serving->words;
  serving.reset();
  EXPECT_EQ(WordIn(words), "one");
  auto reader = words.NewReader();
  ASSERT_TRUE(reader);
  EXPECT_EQ(WordIn(reader->Enter()), "one");
  // Not watched any more, but it takes what it is told to.
  program.Load(words, "two");
  EXPECT_EQ(WordIn(words), "two");
}

TEST(LibraryServerTest, EndOfTheServerGivesDirectoriesBack) {
  TestProgram program;
  {
    const Serving serving(program);
  }
  const auto again = Dataset::Open(program.Options());
  EXPECT_TRUE(again) << again.error().message();
}

}  // namespace
}  // namespace larder

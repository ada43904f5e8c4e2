// Groups of consumers: each record to one of each group, and again when its time is over.
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "larder/log.h"
#include "log/small_files.h"
#include "queue/test_queue.h"

namespace larder::queue {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class GroupTest : public QueueTest {
 protected:
  static std::vector<std::string> Receive(FileQueue& queue, std::string_view consumer,
                                          size_t count = 9, std::string_view group = "g") {
    return TextsOf(queue.Receive(group, consumer, count, {}));
  }
  static uint64_t Acknowledge(FileQueue& queue, const std::vector<uint64_t>& numbers,
                              std::string_view group = "g") {
    const auto acknowledged = queue.Acknowledge(group, numbers);
    EXPECT_TRUE(acknowledged) << acknowledged.error().message();
    return acknowledged.value_or(0);
  }
  static void CreateGroup(FileQueue& queue, const QueueGroupOptions& options = {},
                          std::string_view name = "g") {
    const auto created = queue.CreateGroup(name, options);
    EXPECT_TRUE(created) << created.error().message();
  }

  static QueueGroupOptions DeadAfter(uint32_t deliveries) {
    return {.visibility_timeout = milliseconds(10),
            .max_deliveries = deliveries,
            .dead_letter_directory = "/dead"};
  }
  QueueOptions DeadLetters() const {
    QueueOptions options = options_;
    options.directory = "/dead";
    return options;
  }
  // A record of which group g has had enough.
  void AppendPoison(FileQueue& queue) {
    Append(queue, {"poison"});
    CreateGroup(queue, DeadAfter(1));
    EXPECT_THAT(Receive(queue, "a"), ElementsAre("poison"));
    now_ms_ += 10;
  }
};

TEST_F(GroupTest, EachRecordGoesToOneConsumer) {
  const auto queue = Open();
  const auto other = OpenConsumer();
  Append(*queue, {"1", "2", "3", "4", "5"});
  CreateGroup(*queue);
  EXPECT_THAT(Receive(*queue, "a", 2), ElementsAre("1", "2"));
  EXPECT_THAT(Receive(*other, "b", 2), ElementsAre("3", "4"));
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("5"));
  EXPECT_THAT(Receive(*other, "b"), IsEmpty());
}

TEST_F(GroupTest, WhatIsAcknowledgedIsDeleted) {
  const auto queue = Open();
  Append(*queue, {"1", "2", "3"});
  CreateGroup(*queue);
  Receive(*queue, "a");
  EXPECT_EQ(Acknowledge(*queue, {1, 3, 3, 9}), 2U);
  EXPECT_EQ(Acknowledge(*queue, {1}), 0U);
  EXPECT_THAT(TextsOf(queue->ReadMany(0, 9)), ElementsAre("2"));
}

TEST_F(GroupTest, AllGroupsMustAcknowledge) {
  const auto queue = Open();
  Append(*queue, {"1"});
  CreateGroup(*queue, {}, "g");
  CreateGroup(*queue, {}, "h");
  EXPECT_THAT(Receive(*queue, "a", 9, "g"), ElementsAre("1"));
  EXPECT_THAT(Receive(*queue, "a", 9, "h"), ElementsAre("1"));
  Acknowledge(*queue, {1}, "g");
  EXPECT_EQ(queue->Length(), 1U);
  Acknowledge(*queue, {1}, "h");
  EXPECT_EQ(queue->Length(), 0U);
}

TEST_F(GroupTest, AcknowledgedRecordsCanBeKept) {
  options_.keep_acknowledged = true;
  const auto queue = Open();
  Append(*queue, {"1"});
  CreateGroup(*queue);
  Receive(*queue, "a");
  EXPECT_EQ(Acknowledge(*queue, {1}), 1U);
  EXPECT_EQ(queue->Length(), 1U);
  EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
}

TEST_F(GroupTest, WhatIsNotAcknowledgedInTimeIsDeliveredAgain) {
  const auto queue = Open();
  Append(*queue, {"1", "2"});
  CreateGroup(*queue, {.visibility_timeout = milliseconds(1000)});
  Receive(*queue, "a", 1);
  now_ms_ += 999;
  EXPECT_THAT(Receive(*queue, "b", 1), ElementsAre("2"));
  now_ms_ += 1;
  const auto again = queue->Receive("g", "b", 9, {});
  EXPECT_THAT(NumbersOf(again), ElementsAre(1));
  EXPECT_EQ((*again)[0].deliveries, 2U);
  EXPECT_EQ(queue->Stats()->groups[0].redelivered, 1U);
  // Also the consumer that was too slow may acknowledge.
  EXPECT_EQ(Acknowledge(*queue, {1}), 1U);
}

TEST_F(GroupTest, AConsumerMayAskForMoreTime) {
  const auto queue = Open();
  Append(*queue, {"1"});
  CreateGroup(*queue, {.visibility_timeout = milliseconds(1000)});
  Receive(*queue, "a");
  now_ms_ += 900;
  EXPECT_EQ(queue->Extend("g", std::vector<uint64_t>{1, 2}, milliseconds(500)), 1U);
  now_ms_ += 499;
  EXPECT_THAT(Receive(*queue, "b"), IsEmpty());
  now_ms_ += 1;
  EXPECT_THAT(Receive(*queue, "b"), ElementsAre("1"));
}

TEST_F(GroupTest, AReleasedRecordComesAgainAfterItsDelay) {
  const auto queue = Open();
  Append(*queue, {"1", "2"});
  CreateGroup(*queue);
  Receive(*queue, "a");
  EXPECT_EQ(queue->Release("g", std::vector<uint64_t>{1}, milliseconds(100)), 1U);
  EXPECT_EQ(queue->Release("g", std::vector<uint64_t>{2}, {}), 1U);
  EXPECT_THAT(Receive(*queue, "b"), ElementsAre("2"));
  now_ms_ += 100;
  EXPECT_THAT(Receive(*queue, "b"), ElementsAre("1"));
}

TEST_F(GroupTest, ARecordThatIsDeliveredTooOftenGoesToTheDeadLetters) {
  const auto queue = Open();
  Append(*queue, {"poison", "good"});
  CreateGroup(*queue, DeadAfter(2));
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Receive(*queue, "a", 1), ElementsAre("poison"));
    now_ms_ += 10;
  }
  EXPECT_THAT(Receive(*queue, "a", 9), ElementsAre("good"));
  EXPECT_EQ(queue->Length(), 1U);
  QueueOptions dead = DeadLetters();
  dead.writers = QueueWriters::kShared;
  const auto letters = Open(dead)->ReadMany(0, 9);
  EXPECT_THAT(TextsOf(letters), ElementsAre("poison"));
  EXPECT_EQ((*letters)[0].origin->number, 1U);
}

TEST_F(GroupTest, DeadLettersThatCannotBeOpenedAreNoneToClose) {
  const auto queue = Open();
  const auto taken = Open(DeadLetters());
  AppendPoison(*queue);
  (void)queue->Receive("g", "a", 1, {});
  EXPECT_TRUE(queue->Close());
}

// Without locks of its own it would append beside the one who has it for himself.
TEST_F(GroupTest, DeadLettersAreLockedAlsoWhereTheQueueIsNot) {
  const auto taken = Open(DeadLetters());
  options_.locking = false;
  const auto queue = Open();
  AppendPoison(*queue);
  (void)queue->Receive("g", "a", 1, {});
  EXPECT_EQ(queue->Length(), 1U);
  EXPECT_EQ(taken->Length(), 0U);
}

TEST_F(GroupTest, WhatMovesAndStaysAfterAllIsDelivered) {
  SetLogLevel(LogLevel::kOff);
  QueueOptions other = options_;
  other.directory = "/other";
  const auto taken = Open(other);
  auto queue = Open();
  Append(*queue, {"1", "2", "3"});
  CreateGroup(*queue);
  {
    const auto positions = *PositionsLog::Open(files_, {.directory = "/queue"});
    auto step = *positions->Begin();
    ASSERT_TRUE(
        step.Commit(Moving{.number = 2, .to = {"/other", "queue"}, .destination_committed = 0}));
  }
  // What has arrived over there is not known then.
  files_.DenyReading("/other/" + log::NumbersName("queue.positions"));
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("1"));
  files_.ClearFaults();
  queue.reset();
  queue = Open();
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("2", "3"));
  SetLogLevel(LogLevel::kWarning);
}

TEST_F(GroupTest, DeadLettersThatAreBusyDoNotHoldUpGoodRecords) {
  SetLogLevel(LogLevel::kOff);
  const auto taken = Open(DeadLetters());
  auto queue = Open();
  AppendPoison(*queue);
  Append(*queue, {"good", "better"});
  EXPECT_THAT(Receive(*queue, "a", 1), ElementsAre("good"));
  EXPECT_THAT(Receive(*queue, "a", 1), ElementsAre("better"));
  ASSERT_TRUE(taken->Close());
  queue.reset();
  queue = Open();
  EXPECT_THAT(Receive(*queue, "a", 0), IsEmpty());
  EXPECT_EQ(queue->Length(), 3U);
  Acknowledge(*queue, {2, 3});
  EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
  EXPECT_EQ(queue->Length(), 0U);
  SetLogLevel(LogLevel::kWarning);
}

TEST_F(GroupTest, AfterAFailedSyncOfTheDeadLettersTheyAreOpenedAnew) {
  SetLogLevel(LogLevel::kOff);
  const auto queue = Open();
  AppendPoison(*queue);
  EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
  ASSERT_EQ(queue->Length(), 0U);
  Append(*queue, {"second"});
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("second"));
  now_ms_ += 10;
  files_.FailSync(1);
  EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
  files_.ClearFaults();
  Append(*queue, {"third"});
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("third"));
  now_ms_ += 10;
  // Until it is tried again.
  for (int i = 0; i < 30 && *queue->Length() != 0; ++i)
    EXPECT_THAT(TextsOf(queue->Receive("g", "a", 1, milliseconds(100))), IsEmpty());
  EXPECT_EQ(queue->Length(), 0U);
  QueueOptions dead = DeadLetters();
  dead.writers = QueueWriters::kShared;
  EXPECT_THAT(TextsOf(Open(dead)->ReadMany(0, 9)), ElementsAre("poison", "second", "third"));
  SetLogLevel(LogLevel::kWarning);
}

TEST_F(GroupTest, AStepBuriesAHundredAtMost) {
  const auto queue = Open();
  Append(*queue, std::vector<std::string_view>(250, "poison"));
  CreateGroup(*queue, DeadAfter(1));
  EXPECT_THAT(Receive(*queue, "a", 250), testing::SizeIs(250));
  now_ms_ += 10;
  for (const uint64_t left : {150U, 50U, 0U}) {
    EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
    EXPECT_EQ(queue->Length(), left);
  }
}

TEST_F(GroupTest, WithoutAQueueForDeadLettersItIsDeleted) {
  const auto queue = Open();
  Append(*queue, {"poison"});
  CreateGroup(*queue, {.visibility_timeout = milliseconds(10), .max_deliveries = 1});
  Receive(*queue, "a");
  now_ms_ += 10;
  EXPECT_THAT(Receive(*queue, "a"), IsEmpty());
  EXPECT_EQ(queue->Length(), 0U);
}

TEST_F(GroupTest, AGroupBeginsWhereItIsTold) {
  const auto queue = Open();
  Append(*queue, {"1", "2", "3"});
  CreateGroup(*queue, {.start = 2}, "from two");
  CreateGroup(*queue, {.start = kQueueNewest}, "new");
  Append(*queue, {"4"});
  EXPECT_THAT(Receive(*queue, "a", 9, "from two"), ElementsAre("2", "3", "4"));
  EXPECT_THAT(Receive(*queue, "a", 9, "new"), ElementsAre("4"));
}

TEST_F(GroupTest, GroupsSurviveARestart) {
  {
    const auto queue = Open();
    Append(*queue, {"1", "2", "3"});
    CreateGroup(*queue, {.visibility_timeout = milliseconds(1000)});
    Receive(*queue, "a", 2);
    Acknowledge(*queue, {1});
  }
  const auto queue = Open();
  EXPECT_THAT(Receive(*queue, "b"), ElementsAre("3"));
  now_ms_ += 1000;
  EXPECT_THAT(Receive(*queue, "b"), ElementsAre("2", "3"));
}

TEST_F(GroupTest, PoppedRecordsAreNotDelivered) {
  const auto queue = Open();
  Append(*queue, {"1", "2", "3"});
  CreateGroup(*queue);
  Receive(*queue, "a", 1);
  EXPECT_EQ(Pop(*queue), "1");
  EXPECT_EQ(Pop(*queue), "2");
  EXPECT_THAT(Receive(*queue, "a"), ElementsAre("3"));
  EXPECT_EQ(Acknowledge(*queue, {1}), 0U);
}

TEST_F(GroupTest, AWaitEndsWithARecordOrARelease) {
  const auto queue = Open();
  const auto other = OpenConsumer();
  CreateGroup(*queue);
  std::thread appended([&] {
    EXPECT_THAT(TextsOf(other->Receive("g", "b", 1, std::chrono::hours(9))), ElementsAre("1"));
  });
  Append(*queue, {"1"});
  appended.join();
  std::thread released([&] {
    EXPECT_THAT(TextsOf(queue->Receive("g", "a", 1, std::chrono::hours(9))), ElementsAre("1"));
  });
  EXPECT_EQ(other->Release("g", std::vector<uint64_t>{1}, {}), 1U);
  released.join();
}

TEST_F(GroupTest, GroupsThatCannotWorkAreRefused) {
  const auto queue = Open();
  for (const milliseconds timeout : {milliseconds(0), milliseconds(-1)}) {
    const auto refused = queue->CreateGroup("g", {.visibility_timeout = timeout});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  }
  const auto own = queue->CreateGroup(
      "g", {.dead_letter_directory = options_.directory, .dead_letter_prefix = options_.prefix});
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(GroupTest, MistakesAreToldApart) {
  const auto queue = Open();
  EXPECT_EQ(queue->Receive("g", "a", 1, {}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->Acknowledge("g", std::vector<uint64_t>{1}).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->DropGroup("g").error().code(), ErrorCode::kNotFound);
  CreateGroup(*queue);
  EXPECT_EQ(queue->CreateGroup("g", {}).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(queue->CreateGroup("", {}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(queue->Receive("g", "", 1, {}).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(queue->DropGroup("g"));
}

}  // namespace
}  // namespace larder::queue

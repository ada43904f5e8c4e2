// A queue, and what two processes see of it: each FileQueue stands for one.
#include "queue/file_queue.h"

#include <atomic>
#include <set>
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

constexpr milliseconds kForever = std::chrono::hours(1000);

TEST_F(QueueTest, GivesBackInTheOrderOfAppending) {
  const auto queue = Open();
  EXPECT_EQ(Append(*queue, {"one"}), 1U);
  EXPECT_EQ(Append(*queue, {"two", "three"}), 3U);
  EXPECT_EQ(queue->Length(), 3U);
  EXPECT_EQ(Pop(*queue), "one");
  EXPECT_THAT(TextsOf(queue->PopMany(5)), ElementsAre("two", "three"));
  EXPECT_EQ(Pop(*queue), "nothing");
  EXPECT_EQ(queue->Length(), 0U);
}

TEST_F(QueueTest, ReadsByNumberWithoutTaking) {
  const auto queue = Open();
  Append(*queue, {"one", "two", "three"});
  EXPECT_EQ(queue->Read(2)->data, "two");
  EXPECT_THAT(TextsOf(queue->ReadMany(0, 2)), ElementsAre("one", "two"));
  EXPECT_THAT(TextsOf(queue->ReadMany(3, 9)), ElementsAre("three"));
  EXPECT_EQ(queue->Read(4).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->Length(), 3U);
}

TEST_F(QueueTest, WhatIsDeletedIsPassedOver) {
  const auto queue = Open();
  Append(*queue, {"one", "two", "three", "four"});
  EXPECT_EQ(queue->Delete(std::vector<uint64_t>{3, 1, 1, 77}), 2U);
  EXPECT_EQ(queue->Delete(std::vector<uint64_t>{3}), 0U);
  const auto gone = queue->Read(3);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message(), HasSubstr("record 3 was deleted"));
  EXPECT_EQ(queue->Length(), 2U);
  EXPECT_EQ(Pop(*queue), "two");
  EXPECT_EQ(*queue->DeleteFront(), true);
  EXPECT_EQ(*queue->DeleteFront(), false);
}

TEST_F(QueueTest, ARecordStaysWhileItIsHeld) {
  options_.max_segment_bytes = 13'000;
  const auto queue = Open();
  Append(*queue, {"held"});
  const auto popped = queue->PopMany(1);
  Append(*queue, {std::string(8000, 'x')});
  Append(*queue, {std::string(8000, 'y')});
  queue->PopMany(2);
  EXPECT_THAT(Segments(), testing::SizeIs(1));
  EXPECT_EQ((*popped)[0].data, "held");
}

// For tests whose failures a log tells of.
struct Silence {
  Silence() { SetLogLevel(LogLevel::kOff); }
  ~Silence() { SetLogLevel(LogLevel::kWarning); }
};

// Another process sees the file of the successor before the segment stops being the last.
TEST_F(QueueTest, ADeadSegmentWhoseSuccessorIsBeingMadeIsNoError) {
  const Silence silence;
  options_.max_segment_bytes = 13'000;
  for (uint64_t n = 1;; ++n) {
    options_.directory = "/queue" + std::to_string(n);
    const auto queue = Open();
    Append(*queue, {std::string(8000, 'x')});
    EXPECT_EQ(Pop(*queue).size(), 8000U);
    const std::string record(8000, 'y');
    files_.FailOperation(n);
    const bool appended = queue->Append(std::vector<std::string_view>{record}).has_value();
    files_.ClearFaults();
    const auto consumer = OpenConsumer();
    ASSERT_NE(consumer, nullptr) << "operation " << n;
    EXPECT_EQ(Pop(*consumer), appended ? record : "nothing") << "operation " << n;
    if (appended) return;
  }
}

TEST_F(QueueTest, GoesOnAfterItWasClosed) {
  {
    const auto queue = Open();
    Append(*queue, {"one", "two", "three"});
    EXPECT_EQ(Pop(*queue), "one");
  }
  const auto queue = Open();
  EXPECT_EQ(queue->Length(), 2U);
  EXPECT_EQ(Pop(*queue), "two");
  EXPECT_EQ(Append(*queue, {"four"}), 4U);
}

TEST_F(QueueTest, TwoProcessesNeverPopTheSame) {
  const auto producer = Open();
  const auto a = OpenConsumer();
  const auto b = OpenConsumer();
  for (int i = 0; i < 30; ++i) Append(*producer, {std::to_string(i)});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Pop(i % 3 == 0 ? *a : *b), std::to_string(i));
  EXPECT_EQ(Pop(*a), "nothing");
  EXPECT_EQ(producer->Length(), 0U);
}

TEST_F(QueueTest, AConsumerMayComeFirst) {
  const auto consumer = OpenConsumer();
  EXPECT_EQ(Pop(*consumer), "nothing");
  EXPECT_EQ(consumer->Length(), 0U);
  const auto producer = Open();
  Append(*producer, {"one"});
  EXPECT_EQ(Pop(*consumer), "one");
}

TEST_F(QueueTest, OneProcessAppendsUnlessTheyShare) {
  const auto first = Open();
  const auto second = FileQueue::Open(files_, options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
  const auto consumer = OpenConsumer();
  const std::string_view record = "x";
  const auto appended = consumer->Append({&record, 1});
  ASSERT_FALSE(appended);
  EXPECT_THAT(appended.error().message(), HasSubstr("kNone"));
}

TEST_F(QueueTest, ProcessesThatShareAppendInTurns) {
  options_.writers = QueueWriters::kShared;
  const auto a = Open();
  const auto b = Open();
  EXPECT_EQ(Append(*a, {"one"}), 1U);
  EXPECT_EQ(Append(*b, {"two"}), 2U);
  EXPECT_EQ(Append(*a, {"three"}), 3U);
  EXPECT_THAT(TextsOf(b->PopMany(9)), ElementsAre("one", "two", "three"));
}

// ---- Space.

TEST_F(QueueTest, ADeadSegmentIsRemovedAlsoInTheMiddle) {
  options_.max_segment_bytes = 13'000;
  const auto queue = Open();
  for (int i = 0; i < 8; ++i) Append(*queue, {std::string(4000, 'x')});
  ASSERT_THAT(Segments(), testing::SizeIs(4));
  EXPECT_EQ(queue->Delete(std::vector<uint64_t>{3, 4}), 2U);
  EXPECT_THAT(Segments(), testing::SizeIs(3));
  EXPECT_EQ(queue->Length(), 6U);
  EXPECT_THAT(NumbersOf(queue->PopMany(9)), ElementsAre(1, 2, 5, 6, 7, 8));
  const auto again = OpenConsumer();
  EXPECT_EQ(again->Length(), 0U);
  EXPECT_THAT(Segments(), testing::SizeIs(1));
}

TEST_F(QueueTest, ADeadSegmentThatCouldNotBeRemovedGoesWithAnyLaterDelete) {
  const Silence silence;
  options_.max_segment_bytes = 13'000;
  size_t stayed = 0;
  for (uint64_t n = 1;; ++n) {
    options_.directory = "/queue" + std::to_string(n);
    const auto queue = Open();
    for (int i = 0; i < 3; ++i) Append(*queue, {std::string(8000, 'x')});
    const uint64_t before = files_.operations();
    files_.FailOperation(n);
    const auto deleted = queue->Delete(std::array<uint64_t, 1>{1});
    const bool failed = files_.operations() - before >= n;
    files_.ClearFaults();
    if (!failed) break;
    if (!deleted || Segments().size() != 3) continue;
    ++stayed;
    EXPECT_EQ(queue->Delete(std::array<uint64_t, 1>{99}), 0U);
    EXPECT_EQ(Segments().size(), 2U) << "operation " << n;
  }
  EXPECT_GT(stayed, 0U);
}

TEST_F(QueueTest, PruningTakesABeginning) {
  options_.max_segment_bytes = 13'000;
  const auto queue = Open();
  for (int i = 0; i < 8; ++i) Append(*queue, {std::string(4000, 'x')});
  EXPECT_EQ(queue->Prune(3), 3U);
  EXPECT_EQ(queue->Prune(3), 0U);
  EXPECT_THAT(Segments(), testing::SizeIs(3));
  EXPECT_EQ(queue->PruneSegment(kQueueOldest), 1U);
  EXPECT_THAT(Segments(), testing::SizeIs(2));
  EXPECT_EQ(queue->Prune(UINT64_MAX), 4U);
  EXPECT_EQ(queue->Length(), 0U);
  EXPECT_THAT(Segments(), testing::SizeIs(1));
  EXPECT_EQ(Append(*queue, {"next"}), 9U);
}

TEST_F(QueueTest, PruningTakesASegment) {
  options_.max_segment_bytes = 13'000;
  const auto queue = Open();
  EXPECT_EQ(queue->PruneSegment(kQueueOldest), 0U);
  for (int i = 0; i < 7; ++i) Append(*queue, {std::string(4000, 'x')});
  EXPECT_EQ(queue->Delete(std::vector<uint64_t>{3, 6}), 2U);
  const auto segments = queue->Segments();
  ASSERT_TRUE(segments) << segments.error().message();
  std::vector<std::vector<uint64_t>> told;
  for (const QueueSegment& segment : *segments)
    told.push_back({segment.first, segment.last, segment.length});
  EXPECT_THAT(told, ElementsAre(ElementsAre(1, 2, 2), ElementsAre(3, 4, 1), ElementsAre(5, 6, 1),
                                ElementsAre(7, 7, 1)));
  EXPECT_EQ(queue->PruneSegment(4).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->PruneSegment(3), 1U);
  EXPECT_THAT(Segments(), testing::SizeIs(3));
  EXPECT_EQ(queue->PruneSegment(3).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->PruneSegment(7), 1U);
  EXPECT_THAT(NumbersOf(queue->ReadMany(0, 9)), ElementsAre(1, 2, 5));
  EXPECT_EQ(queue->PruneSegment(7), 0U);
}

TEST_F(QueueTest, ClearingGivesBackTheSpaceOfTheLastSegment) {
  options_.writers = QueueWriters::kShared;
  const auto queue = Open();
  const auto other = Open();
  const auto consumer = OpenConsumer();
  constexpr uint64_t kMostLeft = uint64_t{128} << 10;
  const std::string large(size_t{2} << 20, 'x');
  Append(*queue, {large});
  // Who does not append cannot, and popping must not wait for it.
  EXPECT_EQ(consumer->Prune(UINT64_MAX), 1U);
  EXPECT_GT(*queue->Bytes(), large.size());
  Append(*queue, {"small"});
  EXPECT_EQ(Pop(*queue), "small");
  EXPECT_GT(*queue->Bytes(), large.size());
  EXPECT_EQ(queue->Prune(UINT64_MAX), 0U);
  EXPECT_LT(*queue->Bytes(), kMostLeft);
  EXPECT_THAT(Segments(), testing::SizeIs(1));
  EXPECT_EQ(Append(*other, {large}), 3U);
  EXPECT_EQ(queue->PruneSegment(3), 1U);
  EXPECT_LT(*queue->Bytes(), kMostLeft);
  // What is small is not worth it.
  const auto segments = Segments();
  Append(*queue, {"small"});
  EXPECT_EQ(queue->Prune(UINT64_MAX), 1U);
  EXPECT_EQ(Segments(), segments);
  ASSERT_TRUE(queue->Close());
  ASSERT_TRUE(other->Close());
  EXPECT_EQ(Append(*Open(), {"next"}), 5U);
}

TEST_F(QueueTest, ClearingWorksAlsoWhereNoSegmentCanBeBegun) {
  const auto queue = Open();
  Append(*queue, {"first", std::string(size_t{2} << 20, 'x')});
  EXPECT_EQ(Pop(*queue), "first");
  files_.LimitSpace(0);
  EXPECT_EQ(queue->Prune(UINT64_MAX), 1U);
  EXPECT_EQ(queue->Length(), 0U);
  files_.ClearFaults();
  EXPECT_EQ(Append(*queue, {"next"}), 3U);
  EXPECT_EQ(queue->DeleteFront(), true);
}

class FullQueueTest : public QueueTest {
 protected:
  FullQueueTest() {
    options_.max_segment_bytes = 13'000;
    options_.max_segments = 2;
  }
  // Four records of this size are two segments.
  const std::string large_ = std::string(4000, 'x');
};

TEST_F(FullQueueTest, RefusesAndTakesAgain) {
  const auto queue = Open();
  for (int i = 0; i < 4; ++i) Append(*queue, {large_});
  const std::string_view record = large_;
  const auto refused = queue->Append({&record, 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kLimit);
  EXPECT_THAT(refused.error().message(), HasSubstr("at most 2"));
  // The first segment is dead, though nobody has popped behind it.
  EXPECT_THAT(NumbersOf(queue->PopMany(2)), ElementsAre(1, 2));
  EXPECT_EQ(Append(*queue, {large_}), 5U);
}

TEST_F(FullQueueTest, DropsItsOldest) {
  options_.when_full = QueueFull::kDropOldest;
  const auto queue = Open();
  for (int i = 0; i < 5; ++i) Append(*queue, {large_});
  EXPECT_THAT(NumbersOf(queue->ReadMany(0, 9)), ElementsAre(3, 4, 5));
  EXPECT_THAT(Segments(), testing::SizeIs(2));
}

TEST_F(FullQueueTest, BlocksUntilThereIsRoom) {
  options_.when_full = QueueFull::kBlock;
  options_.full_timeout = kForever;
  const auto queue = Open();
  const auto consumer = OpenConsumer();
  for (int i = 0; i < 4; ++i) Append(*queue, {large_});
  std::atomic<bool> done = false;
  std::thread producer([&] {
    EXPECT_EQ(Append(*queue, {large_}), 5U);
    done = true;
  });
  EXPECT_FALSE(done);
  EXPECT_THAT(NumbersOf(consumer->PopMany(2)), ElementsAre(1, 2));
  producer.join();
  EXPECT_TRUE(done);
}

TEST_F(FullQueueTest, BlocksNoLongerThanItIsTold) {
  options_.when_full = QueueFull::kBlock;
  options_.full_timeout = milliseconds(1);
  const auto queue = Open();
  for (int i = 0; i < 4; ++i) Append(*queue, {large_});
  const std::string_view record = large_;
  EXPECT_EQ(queue->Append({&record, 1}).error().code(), ErrorCode::kLimit);
}

TEST_F(FullQueueTest, ABatchThatNeverFitsDropsNothing) {
  options_.when_full = QueueFull::kDropOldest;
  const auto queue = Open();
  Append(*queue, {"precious"});
  const std::string part(size_t{1} << 20, 'x');
  const auto appended = queue->Append(std::vector<std::string_view>(4200, part));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(Pop(*queue), "precious");
}

TEST_F(FullQueueTest, ABatchThatNeverFitsDoesNotBlock) {
  options_.when_full = QueueFull::kBlock;
  const auto queue = Open();
  const std::string part(size_t{1} << 20, 'x');
  const auto appended = queue->Append(std::vector<std::string_view>(4200, part));
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::kLimit);
}

TEST_F(QueueTest, WhatWasPoppedIsReturnedAlsoWhenItsSyncFails) {
  const Silence silence;
  options_.sync = QueueSync::kAlways;
  const auto queue = Open();
  Append(*queue, {"one", "two", "three"});
  EXPECT_EQ(Pop(*queue), "one");
  files_.FailSync(1);
  EXPECT_EQ(Pop(*queue), "two");
  files_.ClearFaults();
  EXPECT_FALSE(queue->PopMany(1));
}

TEST_F(QueueTest, ThePrefixOfPositionsIsRefused) {
  options_.prefix = "jobs.positions";
  const auto refused = FileQueue::Open(files_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(QueueTest, AnIntervalOfNoTimeIsRefused) {
  options_.sync = QueueSync::kInterval;
  options_.sync_interval = milliseconds(0);
  const auto refused = FileQueue::Open(files_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(QueueTest, OneSegmentIsNotEnough) {
  options_.max_segments = 1;
  const auto queue = FileQueue::Open(files_, options_);
  ASSERT_FALSE(queue);
  EXPECT_EQ(queue.error().code(), ErrorCode::kInvalidArgument);
}

// ---- Waiting.

TEST_F(QueueTest, AWaitEndsWithTheNextRecord) {
  const auto consumer = OpenConsumer();
  EXPECT_FALSE(*consumer->WaitForData(milliseconds(1), {}));
  std::thread waiting([&] { EXPECT_TRUE(*consumer->WaitForData(kForever, {})); });
  const auto producer = Open();
  Append(*producer, {"one"});
  waiting.join();
  EXPECT_TRUE(*consumer->WaitForData({}, {}));
}

TEST_F(QueueTest, AWaitEndsWhenTheQueueIsClosed) {
  const auto queue = Open();
  std::thread waiting([&] { (void)queue->WaitForData(kForever, {}); });
  EXPECT_TRUE(queue->Close());
  waiting.join();
  EXPECT_FALSE(queue->PopMany(1));
}

TEST_F(QueueTest, ThreadsShareTheWork) {
  options_.max_segment_bytes = 100'000;
  const auto queue = Open();
  constexpr int kRecords = 2000;
  std::vector<std::vector<uint64_t>> taken(3);
  std::vector<std::thread> threads;
  for (auto& numbers : taken) {
    threads.emplace_back([&queue, &numbers] {
      for (;;) {
        const auto popped = queue->PopMany(3);
        ASSERT_TRUE(popped) << popped.error().message();
        for (const QueueRecord& record : *popped) {
          if (record.data == "end") return;
          numbers.push_back(record.number);
        }
        if (popped->empty()) {
          ASSERT_TRUE(queue->WaitForData(kForever, {}));
        }
      }
    });
  }
  for (int i = 0; i < kRecords; ++i) Append(*queue, {"work"});
  for (size_t i = 0; i < 3 * threads.size(); ++i) Append(*queue, {"end"});
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& numbers : taken) all.insert(numbers.begin(), numbers.end());
  EXPECT_EQ(all.size(), kRecords);
}

TEST_F(QueueTest, TellsWhatItHas) {
  options_.max_segment_bytes = 13'000;
  const auto queue = Open();
  for (int i = 0; i < 5; ++i) Append(*queue, {std::string(4000, 'x')});
  queue->Delete(std::vector<uint64_t>{1, 4});
  const auto stats = queue->Stats();
  ASSERT_TRUE(stats) << stats.error().message();
  EXPECT_EQ(stats->length, 3U);
  EXPECT_EQ(stats->first, 2U);
  EXPECT_EQ(stats->last, 5U);
  EXPECT_EQ(stats->deleted, 2U);
  EXPECT_EQ(stats->segments, 3U);
  EXPECT_GT(stats->bytes, 20'000U);
  EXPECT_GT(stats->position_bytes, 0U);
  EXPECT_EQ(queue->Bytes(), stats->bytes);
}

// ---- Moving to another queue.

class MoveTest : public QueueTest {
 protected:
  MoveTest() {
    target_options_ = options_;
    target_options_.directory = "/target";
    target_options_.writers = QueueWriters::kShared;
  }
  QueueOptions target_options_;
};

TEST_F(MoveTest, ARecordTellsWhereItWas) {
  const auto queue = Open();
  const auto target = Open(target_options_);
  Append(*queue, {"one", "two"});
  Append(*target, {"before"});
  EXPECT_EQ(queue->Move(2, *target), 2U);
  EXPECT_THAT(TextsOf(queue->ReadMany(0, 9)), ElementsAre("one"));
  const auto there = target->ReadMany(0, 9);
  ASSERT_THAT(TextsOf(there), ElementsAre("before", "two"));
  EXPECT_FALSE((*there)[0].origin);
  ASSERT_TRUE((*there)[1].origin);
  EXPECT_EQ((*there)[1].origin->number, 2U);
  EXPECT_EQ(queue->Move(2, *target).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(queue->Move(1, *queue).error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(MoveTest, ARecordThatMovedTwiceTellsTheLastPlace) {
  const auto queue = Open();
  const auto target = Open(target_options_);
  Append(*queue, {"one"});
  ASSERT_EQ(queue->Move(1, *target), 1U);
  ASSERT_EQ(target->Move(1, *queue), 2U);
  const auto back = queue->Read(2);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->data, "one");
  EXPECT_EQ(back->origin->number, 1U);
}

// An append that fails in its sync has appended: another one takes the record from there.
TEST_F(MoveTest, AMoveThatFailsInASyncDoesNotLeaveTheRecordTwice) {
  const Silence silence;
  target_options_.sync = QueueSync::kAlways;
  for (uint64_t n = 1;; ++n) {
    options_.directory = "/queue" + std::to_string(n);
    target_options_.directory = "/target" + std::to_string(n);
    bool moved = false;
    {
      const auto queue = Open();
      const auto target = Open(target_options_);
      Append(*queue, {"one"});
      Append(*target, {"before"});
      files_.FailSync(n);
      moved = queue->Move(1, *target).has_value();
      files_.ClearFaults();
    }
    const auto target = Open(target_options_);
    const auto queue = Open();
    std::vector<std::string> all = TextsOf(target->ReadMany(2, 9));
    for (const std::string& text : TextsOf(queue->ReadMany(0, 9))) all.push_back(text);
    EXPECT_THAT(all, ElementsAre("one")) << "sync " << n;
    if (moved) return;
  }
}

// A disk may tell that it is full only when what was appended is to be synced, or when all of the
// record is there and its index is not.
TEST_F(MoveTest, AMoveThatFindsTheDiskFullDoesNotLeaveTheRecordTwice) {
  const Silence silence;
  for (const QueueSync sync : {QueueSync::kAlways, QueueSync::kNever}) {
    options_.sync = target_options_.sync = sync;
    bool moved = false;
    for (uint64_t n = 1; !moved; ++n) {
      options_.directory = "/queue" + std::to_string(n) + (sync == QueueSync::kNever ? "n" : "a");
      target_options_.directory = options_.directory + "-target";
      {
        const auto queue = Open();
        const auto target = Open(target_options_);
        Append(*queue, {"one"});
        Append(*target, {"before"});
        files_.FailOperation(n, ErrorCode::kNoSpace);
        moved = queue->Move(1, *target).has_value();
        files_.ClearFaults();
      }
      const auto target = Open(target_options_);
      const auto queue = Open();
      std::vector<std::string> all = TextsOf(target->ReadMany(2, 9));
      for (const std::string& text : TextsOf(queue->ReadMany(0, 9))) all.push_back(text);
      EXPECT_THAT(all, ElementsAre("one")) << "operation " << n;
    }
  }
}

// What a move has left whose mover died before the append.
void LeaveIntent(io::FileSystem& files, const std::string& directory, const Moving& move) {
  const auto positions = *PositionsLog::Open(files, {.directory = directory});
  auto step = *positions->Begin();
  ASSERT_TRUE(step.Commit(move));
}

TEST_F(MoveTest, AMoveWhoseEndCannotBeKnownYetStopsNothing) {
  const Silence silence;
  target_options_.writers = QueueWriters::kExclusive;
  const auto target = Open(target_options_);
  auto queue = Open();
  Append(*queue, {"one", "two"});
  LeaveIntent(files_, "/queue",
              {.number = 1, .to = {"/target", "queue"}, .destination_committed = 0});
  // What has arrived over there is not known then.
  files_.DenyReading("/target/" + log::NumbersName("queue.positions"));
  EXPECT_EQ(Pop(*queue), "two");
  EXPECT_EQ(Pop(*queue), "nothing");
  const auto again = queue->Move(1, *target);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::kBusy);
  files_.ClearFaults();
  queue.reset();
  queue = Open();
  EXPECT_EQ(Pop(*queue), "one");
}

TEST_F(MoveTest, AWaitSeesWhatNeverLeft) {
  const auto queue = Open();
  Append(*queue, {"one"});
  LeaveIntent(files_, "/queue",
              {.number = 1, .to = {"/target", "queue"}, .destination_committed = 0});
  EXPECT_TRUE(*queue->WaitForData({}, {}));
}

// The append succeeds and its sync does not: what is found there is perhaps not on the disk.
TEST_F(MoveTest, NothingIsDeletedHereBeforeItIsSafeThere) {
  const Silence silence;
  options_.sync = target_options_.sync = QueueSync::kInterval;
  options_.sync_interval = target_options_.sync_interval = std::chrono::hours(1);
  target_options_.writers = QueueWriters::kExclusive;
  for (uint64_t n = 1;; ++n) {
    options_.directory = "/queue" + std::to_string(n);
    target_options_.directory = "/target" + std::to_string(n);
    bool moved = false;
    size_t popped = 0;
    {
      const auto queue = Open();
      const auto target = Open(target_options_);
      Append(*queue, {"one"});
      Append(*target, {"before"});
      ASSERT_TRUE(queue->Sync());
      ASSERT_TRUE(target->Sync());
      files_.FailSync(n);
      moved = queue->Move(1, *target).has_value();
      files_.ClearFaults();
      if (const auto taken = queue->PopMany(1)) popped = taken->size();
      (void)queue->Sync();
      files_.Crash();
    }
    files_.Reboot(io::Survival::kSyncedOnly);
    const auto target = Open(target_options_);
    const auto queue = Open();
    EXPECT_EQ(*target->Length() - 1 + *queue->Length() + popped, 1U) << "sync " << n;
    if (moved) return;
  }
}

// A power cut leaves a gap in the numbers of the other queue, which is no sign of an arrival.
TEST_F(MoveTest, WhatAPowerCutTookOnItsWayIsStillHere) {
  {
    const auto queue = Open();
    const auto target = Open(target_options_);
    Append(*queue, {"one"});
    Append(*target, {"before"});
    ASSERT_TRUE(queue->Sync());
    ASSERT_TRUE(target->Sync());
    LeaveIntent(files_, "/queue",
                {.number = 1, .to = {"/target", "queue"}, .destination_committed = 1});
    ASSERT_TRUE(queue->Sync());
    Append(*target, {"lost"});
    files_.Crash();
  }
  files_.Reboot(io::Survival::kSyncedOnly);
  const auto target = Open(target_options_);
  EXPECT_GT(Append(*target, {"after"}), 3U);
  EXPECT_EQ(Pop(*Open()), "one");
}

// Whatever a crash leaves: the record is in one of the queues, and only there.
TEST_F(MoveTest, ACrashLeavesTheRecordInOneQueue) {
  for (const QueueSync sync : {QueueSync::kNever, QueueSync::kAlways}) {
    for (const io::Survival survival : io::kAllSurvivals) {
      if (sync == QueueSync::kNever && survival != io::Survival::kEverything) continue;
      for (uint64_t n = 1;; ++n) {
        io::FaultyFileSystem files(n);
        QueueOptions from = options_;
        QueueOptions to = target_options_;
        from.sync = to.sync = sync;
        bool moved = false;
        {
          const auto queue = *FileQueue::Open(files, from);
          const auto target = *FileQueue::Open(files, to);
          Append(*queue, {"one", "two", "three"});
          Append(*target, {"before"});
          ASSERT_TRUE(queue->Sync());
          ASSERT_TRUE(target->Sync());
          files.CrashAtOperation(n);
          moved = queue->Move(2, *target).has_value();
          if (!files.crashed()) files.Crash();
        }
        files.Reboot(survival);
        SCOPED_TRACE(testing::Message()
                     << "crash at " << n << ", survival " << static_cast<int>(survival));
        const auto queue = *FileQueue::Open(files, from);
        const auto target = *FileQueue::Open(files, to);
        const auto here = TextsOf(queue->ReadMany(0, 9));
        const auto there = TextsOf(target->ReadMany(0, 9));
        EXPECT_EQ(std::ranges::count(here, "two") + std::ranges::count(there, "two"), 1);
        EXPECT_EQ(here.size() + there.size(), 4U);
        if (moved) {
          EXPECT_THAT(there, testing::Contains("two"));
        }
        if (testing::Test::HasFailure() || moved) break;
      }
    }
  }
}

}  // namespace
}  // namespace larder::queue

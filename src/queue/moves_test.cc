// Moves whose mover died, and whose destination went on: what is taken there, and removed with its
// segment, is remembered there as long as it may be asked for.
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/test_directory.h"
#include "larder/log.h"
#include "log/control.h"
#include "log/reader.h"
#include "log/small_files.h"
#include "log/writer.h"
#include "queue/moved_record.h"
#include "queue/positions_log.h"
#include "queue/test_queue.h"

namespace larder::queue {
namespace {

using testing::ElementsAre;

QueueId IdOf(io::FileSystem& files, const std::string& directory) {
  const std::string name = log::NumbersName("queue");
  const auto bytes = io::ReadWholeFile(files, directory + "/" + name, log::kSmallFileBytes);
  EXPECT_TRUE(bytes) << bytes.error().message();
  return log::ReadNumbersFile(*bytes, name)->id;
}

class InterruptedMoveTest : public QueueTest {
 protected:
  InterruptedMoveTest() {
    target_options_ = options_;
    target_options_.directory = "/target";
    target_options_.writers = QueueWriters::kShared;
    // One of Large() each.
    target_options_.max_segment_bytes = 13'000;
    SetLogLevel(LogLevel::kOff);
  }
  ~InterruptedMoveTest() override { SetLogLevel(LogLevel::kWarning); }

  static std::string Large() { return std::string(8000, 'x'); }
  static void Fill(FileQueue& queue, int count) {
    for (int i = 0; i < count; ++i) Append(queue, {Large()});
  }

  // Of a move to /target that died before its append.
  void LeaveIntent(uint64_t number, uint64_t destination_committed) {
    const auto positions = *PositionsLog::Open(files_, {.directory = "/queue"});
    auto step = *positions->Begin();
    ASSERT_TRUE(step.Commit(Moving{.number = number,
                                   .to = {"/target", "queue"},
                                   .destination_committed = destination_committed}));
  }
  // And its append, of a record that fills a segment unless it is told otherwise.
  uint64_t Arrive(uint64_t number, uint64_t needed_behind, const std::string& data = Large()) {
    const auto writer =
        log::Writer::Open(files_, {.directory = "/target",
                                   .prefix = "queue",
                                   .segment_bytes = target_options_.max_segment_bytes,
                                   .writers = log::Writers::kShared});
    EXPECT_TRUE(writer) << writer.error().message();
    const std::string record =
        MakeMovedRecord({.data = data,
                         .origin = {.queue = IdOf(files_, "/queue"), .number = number},
                         .needed_behind = needed_behind});
    const std::string_view view = record;
    const auto arrived = (*writer)->Append({&view, 1}, log::RecordKind::kMarked);
    EXPECT_TRUE(arrived) << arrived.error().message();
    return *arrived;
  }
  // What /target remembers of /queue.
  Arrivals Remembered() {
    const auto positions = *PositionsLog::Open(files_, {.directory = "/target"});
    Arrivals remembered;
    EXPECT_TRUE(positions->Look([&](const Positions& state) {
      const auto found = state.arrivals().find(IdOf(files_, "/queue"));
      if (found != state.arrivals().end()) remembered = found->second;
    }));
    return remembered;
  }
  size_t TargetSegments() {
    return log::FindLogFiles("queue", *files_.List("/target")).segments.size();
  }

  // A record arrives as number 2, and goes with its segment.
  void ExpectNotBackAfter(const std::function<void(FileQueue&)>& take) {
    auto queue = Open();
    Append(*queue, {"one", "two"});
    queue.reset();
    const auto target = Open(target_options_);
    Append(*target, {"before"});
    LeaveIntent(1, 1);
    ASSERT_EQ(Arrive(1, 1), 2U);
    Fill(*target, 2);
    const size_t segments = TargetSegments();
    take(*target);
    ASSERT_LT(TargetSegments(), segments);
    EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 1, .records = {{2, 1}}}));
    queue = Open();
    EXPECT_THAT(TextsOf(queue->ReadMany(0, 9)), ElementsAre("two"));
  }

  QueueOptions target_options_;
};

TEST_F(InterruptedMoveTest, WhatNeverArrivedStaysThoughOthersWereTakenAndRemovedThere) {
  auto queue = Open();
  Append(*queue, {"one", "two"});
  queue.reset();
  const auto target = Open(target_options_);
  Append(*target, {"before"});
  LeaveIntent(1, 1);
  Fill(*target, 4);
  EXPECT_THAT(TextsOf(target->PopMany(5)), testing::SizeIs(5));
  ASSERT_EQ(TargetSegments(), 1U);
  queue = Open();
  EXPECT_THAT(TextsOf(queue->ReadMany(0, 9)), ElementsAre("one", "two"));
}

TEST_F(InterruptedMoveTest, WhatArrivedAndWasPoppedThereDoesNotComeBack) {
  ExpectNotBackAfter([](FileQueue& target) { EXPECT_TRUE(target.PopMany(2)); });
}

TEST_F(InterruptedMoveTest, WhatArrivedAndWasDeletedThereDoesNotComeBack) {
  ExpectNotBackAfter(
      [](FileQueue& target) { EXPECT_EQ(target.Delete(std::array<uint64_t, 1>{2}), 1U); });
}

TEST_F(InterruptedMoveTest, WhatArrivedAndWasPrunedThereDoesNotComeBack) {
  ExpectNotBackAfter([](FileQueue& target) { EXPECT_EQ(target.Prune(2), 2U); });
}

TEST_F(InterruptedMoveTest, WhatArrivedAndWasAcknowledgedThereDoesNotComeBack) {
  ExpectNotBackAfter([](FileQueue& target) {
    ASSERT_TRUE(target.CreateGroup("g", {}));
    EXPECT_TRUE(target.Receive("g", "anna", 2, {}));
    EXPECT_EQ(target.Acknowledge("g", std::array<uint64_t, 2>{1, 2}), 2U);
  });
}

TEST_F(InterruptedMoveTest, WhatAFullQueueHasDroppedDoesNotComeBack) {
  auto queue = Open();
  Append(*queue, {"one"});
  queue.reset();
  target_options_.max_segments = 2;
  target_options_.when_full = QueueFull::kDropOldest;
  const auto target = Open(target_options_);
  LeaveIntent(1, 0);
  ASSERT_EQ(Arrive(1, 0), 1U);
  Fill(*target, 3);
  EXPECT_FALSE(target->Read(1));
  EXPECT_EQ(Remembered().records.size(), 1U);
  EXPECT_EQ(Pop(*Open()), "nothing");
}

TEST_F(InterruptedMoveTest, TheSameRecordThatArrivedInAnEarlierMoveDoesNotCount) {
  auto queue = Open();
  Append(*queue, {"one"});
  queue.reset();
  const auto target = Open(target_options_);
  ASSERT_EQ(Arrive(1, 0), 1U);
  Fill(*target, 2);
  EXPECT_TRUE(target->PopMany(1));
  ASSERT_EQ(Remembered().records.size(), 1U);
  LeaveIntent(1, 3);
  EXPECT_EQ(Pop(*Open()), "one");
}

TEST_F(InterruptedMoveTest, WhatIsNotNeededAnyMoreIsForgotten) {
  const auto queue = Open();
  const auto target = Open(target_options_);
  for (uint64_t number = 1; number <= 6; ++number) {
    Append(*queue, {Large()});
    const auto arrived = queue->Move(number, *target);
    ASSERT_TRUE(arrived);
    Fill(*target, 1);
    ASSERT_EQ(TextsOf(target->PopMany(2)).size(), 2U);
    EXPECT_EQ(Remembered(),
              (Arrivals{.needed_behind = *arrived - 1, .records = {{*arrived, number}}}));
  }
}

TEST_F(InterruptedMoveTest, SegmentsThatGoInAnotherOrderBringNothingBackThatWasForgotten) {
  const auto queue = Open();
  const auto target = Open(target_options_);
  for (uint64_t number = 1; number <= 3; ++number) {
    Append(*queue, {Large()});
    ASSERT_EQ(queue->Move(number, *target), number);
  }
  Fill(*target, 1);
  for (const uint64_t number : std::array<uint64_t, 3>{3, 1, 2})
    ASSERT_EQ(target->Delete(std::array<uint64_t, 1>{number}), 1U);
  ASSERT_EQ(TargetSegments(), 1U);
  EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 2, .records = {{3, 3}}}));
}

// What has arrived over there cannot be read for a while.
TEST_F(InterruptedMoveTest, AsLongAsAMoveIsOpenAllThatCameSinceIsRemembered) {
  target_options_.writers = QueueWriters::kExclusive;
  auto target = Open(target_options_);
  auto queue = Open();
  for (int i = 0; i < 4; ++i) Append(*queue, {Large()});
  LeaveIntent(1, 0);
  files_.DenyReading("/target/" + log::NumbersName("queue.positions"));
  ASSERT_EQ(queue->Move(2, *target), 1U);
  ASSERT_EQ(queue->Move(3, *target), 2U);
  Fill(*target, 1);
  ASSERT_EQ(TextsOf(target->PopMany(3)).size(), 3U);
  files_.ClearFaults();
  EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 0, .records = {{1, 2}, {2, 3}}}));
  target.reset();
  queue.reset();
  queue = Open();
  EXPECT_EQ(queue->Length(), 2U);
  target = Open(target_options_);
  ASSERT_EQ(queue->Move(1, *target), 4U);
  Fill(*target, 1);
  ASSERT_EQ(TextsOf(target->PopMany(1)).size(), 1U);
  EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 3, .records = {{4, 1}}}));
}

// Whoever has it for himself: what it remembers is told by its positions alone.
TEST_F(InterruptedMoveTest, AnArrivalIsKnownThoughTheOtherQueueIsBusy) {
  auto queue = Open();
  Append(*queue, {"one", "two"});
  queue.reset();
  {
    const auto target = Open(target_options_);
  }
  LeaveIntent(1, 0);
  ASSERT_EQ(Arrive(1, 0), 1U);
  target_options_.writers = QueueWriters::kExclusive;
  const auto target = Open(target_options_);
  Fill(*target, 2);
  EXPECT_EQ(Pop(*target), Large());
  EXPECT_EQ(Remembered().records.size(), 1U);
  queue = Open();
  bool moves = true;
  const auto positions = *PositionsLog::Open(files_, {.directory = "/queue"});
  ASSERT_TRUE(positions->Look([&](const Positions& state) { moves = !state.moves().empty(); }));
  EXPECT_FALSE(moves);
  EXPECT_EQ(Pop(*queue), "two");
}

TEST_F(InterruptedMoveTest, WhatNeverArrivedStaysThoughTheOtherQueueIsBusy) {
  target_options_.writers = QueueWriters::kExclusive;
  const auto target = Open(target_options_);
  Append(*target, {"before"});
  auto queue = Open();
  Append(*queue, {"one", "two"});
  queue.reset();
  LeaveIntent(1, 1);
  queue = Open();
  EXPECT_THAT(TextsOf(queue->ReadMany(0, 9)), ElementsAre("one", "two"));
}

// A record that is whole in the log and not committed. Who has the log for himself has not looked
// at it yet.
TEST_F(InterruptedMoveTest, AsLongAsNobodyHasRecoveredItIsNotKnownWhatArrived) {
  target_options_.writers = QueueWriters::kExclusive;
  const std::array<std::function<void(log::Control&)>, 3> ends = {
      [](log::Control& control) { control.BeginAppend(); },
      [](log::Control& control) { control.set_state(log::ControlState::kSyncFailed); },
      [](log::Control& control) { control.Begin({}, 0, 0, 0, {}); }};
  uint64_t number = 0;
  for (const auto& end : ends) {
    ++number;
    auto queue = Open();
    Append(*queue, {"moved"});
    queue.reset();
    {
      const auto target = Open(target_options_);
      EXPECT_EQ(target->Length(), number - 1);
    }
    const auto control = *log::Control::Open(files_, "/target/" + log::ControlName("queue"));
    const log::LogEnd before = control->end();
    LeaveIntent(number, number - 1);
    ASSERT_EQ(Arrive(number, number - 1, "moved"), number);
    control->EndAppend(before);
    end(*control);
    {
      const auto taken = files_.Lock("/target/" + log::LockName("queue"));
      ASSERT_TRUE(taken);
      queue = Open();
      EXPECT_EQ(Pop(*queue), "nothing");
      queue.reset();
    }
    const auto target = Open(target_options_);
    EXPECT_EQ(target->Length(), number);
    EXPECT_EQ(Pop(*Open()), "nothing");
  }
}

TEST_F(InterruptedMoveTest, WhatIsRememberedSurvivesCompactionAndReopening) {
  {
    const auto queue = Open();
  }
  {
    const auto target = Open(target_options_);
  }
  ASSERT_EQ(Arrive(1, 0), 1U);
  {
    const auto target = Open(target_options_);
    Fill(*target, 2);
    EXPECT_EQ(Pop(*target), Large());
  }
  {
    const auto positions = *PositionsLog::Open(
        files_, {.directory = "/target", .sync = log::SyncPolicy::kNever, .compact_bytes = 100});
    for (uint64_t number = 100; number < 110; ++number) {
      auto step = *positions->Begin();
      ASSERT_TRUE(step.Commit(Delete{.ranges = {{number, number}}}));
      ASSERT_TRUE(positions->Settle(step.End()));
    }
  }
  EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 0, .records = {{1, 1}}}));
}

// A power cut: what was removed stays removed, and was safe before.
TEST_F(InterruptedMoveTest, AnArrivalIsSafeBeforeItsSegmentGoes) {
  options_.sync = target_options_.sync = QueueSync::kInterval;
  options_.sync_interval = target_options_.sync_interval = std::chrono::hours(1000);
  {
    const auto queue = Open();
    Append(*queue, {"one"});
    ASSERT_TRUE(queue->Sync());
  }
  const auto target = Open(target_options_);
  LeaveIntent(1, 0);
  ASSERT_EQ(Arrive(1, 0), 1U);
  Fill(*target, 2);
  EXPECT_EQ(Pop(*target), Large());
  // The removal itself stays.
  ASSERT_TRUE(files_.SyncDirectory("/target"));
  files_.Crash();
  files_.Reboot(io::Survival::kSyncedOnly);
  EXPECT_EQ(Pop(*Open()), "nothing");
}

// The queue is rid of a segment that is damaged, and keeps in mind what it can.
TEST_F(InterruptedMoveTest, OfADamagedSegmentTheRestIsRemembered) {
  {
    const auto queue = Open();
  }
  {
    const auto target = Open(target_options_);
  }
  ASSERT_EQ(Arrive(1, 0, std::string(500, 'a')), 1U);
  ASSERT_EQ(Arrive(2, 0, std::string(500, 'b')), 2U);
  const std::string_view short_one = "no trailer";
  const auto writer = *log::Writer::Open(
      files_, {.directory = "/target", .prefix = "queue", .writers = log::Writers::kShared});
  ASSERT_EQ(writer->Append({&short_one, 1}, log::RecordKind::kMarked), 3U);
  const auto target = Open(target_options_);
  Fill(*target, 3);
  const std::string path = "/target/" + log::SegmentName("queue", 1);
  std::string bytes = *io::ReadWholeFile(files_, path, 100'000);
  bytes[bytes.find("aaaa") + 9] = '!';
  files_.PutFile(path, bytes);
  EXPECT_EQ(target->Prune(4), 4U);
  EXPECT_FALSE(files_.Stat(path));
  EXPECT_EQ(Remembered(), (Arrivals{.needed_behind = 0, .records = {{2, 2}}}));
}

// A segment whose head says that nothing in it is marked is not read when it goes.
TEST_F(InterruptedMoveTest, OfPlainRecordsNothingIsRemembered) {
  {
    const auto queue = Open();
  }
  const auto target = Open(target_options_);
  Fill(*target, 3);
  const std::string path = "/target/" + log::SegmentName("queue", 1);
  std::string bytes = *io::ReadWholeFile(files_, path, 100'000);
  bytes[bytes.find("xxxx") + 9] = '!';
  files_.PutFile(path, bytes);
  EXPECT_EQ(target->Prune(2), 2U);
  EXPECT_EQ(TargetSegments(), 1U);
  EXPECT_EQ(Remembered(), Arrivals());
}

// By a link: what one name says is not needed may be needed by the other.
TEST(InterruptedMove, AnotherNameOfAQueueIsNoOtherQueue) {
  SetLogLevel(LogLevel::kOff);
  const io::TestDirectory directory;
  io::FileSystem& files = io::RealFileSystem();
  const QueueOptions options{.directory = directory.path() + "/queue"};
  QueueOptions target_options{.directory = directory.path() + "/target"};
  target_options.writers = QueueWriters::kExclusive;
  const auto queue = *FileQueue::Open(files, options);
  const auto target = *FileQueue::Open(files, target_options);
  const std::array<std::string_view, 2> two = {"one", "two"};
  ASSERT_TRUE(queue->Append(two));
  ASSERT_TRUE(target->Append(two));
  const std::string link = directory.path() + "/link";
  std::filesystem::create_directory_symlink(target_options.directory, link);
  {
    const auto positions = *PositionsLog::Open(files, {.directory = options.directory});
    auto step = *positions->Begin();
    ASSERT_TRUE(
        step.Commit(Moving{.number = 1, .to = {link, "queue"}, .destination_committed = 1}));
  }
  // So that nobody can tell whether that has arrived.
  std::ofstream(target_options.directory + "/" + log::NumbersName("queue.positions")) << "?";
  ASSERT_EQ(queue->Move(2, *target), 3U);
  const auto reader =
      *log::Reader::Open(files, {.directory = target_options.directory, .prefix = "queue"});
  EXPECT_EQ(ReadMovedRecord(reader->Read(3)->data, 3)->needed_behind, 1U);
  SetLogLevel(LogLevel::kWarning);
}

TEST(MovedRecord, IsReadAsItWasWrittenAndNothingElseIs) {
  const QueueOrigin origin{.queue = {'i', 'd'}, .number = 7};
  const std::string bytes = MakeMovedRecord({.data = "data", .origin = origin, .needed_behind = 3});
  ASSERT_EQ(bytes.size(), 4U + 32U);
  EXPECT_EQ(bytes[4], 'i');
  EXPECT_EQ(bytes[20], 7);
  EXPECT_EQ(bytes[28], 3);
  const auto read = ReadMovedRecord(bytes, 4);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->data, "data");
  EXPECT_EQ(read->origin, origin);
  EXPECT_EQ(read->needed_behind, 3U);
  // It cannot be needed behind itself.
  EXPECT_EQ(ReadMovedRecord(bytes, 3).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(ReadMovedRecord(std::string_view(bytes).substr(0, 31), 4).error().code(),
            ErrorCode::kCorrupt);
  const std::string nowhere = MakeMovedRecord({.data = "", .origin = {}, .needed_behind = 0});
  EXPECT_EQ(ReadMovedRecord(nowhere, 4).error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace larder::queue

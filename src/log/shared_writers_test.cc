// Writers that share a log: each stands for a process.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "io/test_directory.h"
#include "log/control.h"
#include "log/reader.h"
#include "log/small_files.h"
#include "log/writer.h"

namespace larder::log {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SharedWriters : public testing::Test {
 protected:
  SharedWriters() {
    options_.directory = directory_.path() + "/log";
    options_.writers = Writers::kShared;
    options_.sync = SyncPolicy::kNever;
  }

  std::unique_ptr<Writer> Open() { return Open(files_, options_); }
  static std::unique_ptr<Writer> Open(io::FileSystem& files, const Options& options) {
    auto writer = Writer::Open(files, options);
    EXPECT_TRUE(writer) << writer.error().message();
    return writer ? *std::move(writer) : nullptr;
  }
  static uint64_t Append(Writer& writer, std::string_view record) {
    const auto number = writer.Append(record);
    EXPECT_TRUE(number) << number.error().message();
    return number.value_or(0);
  }
  std::vector<std::string> Records() { return Records(files_, options_); }
  static std::vector<std::string> Records(io::FileSystem& files, const Options& options) {
    std::vector<std::string> texts;
    const auto reader =
        Reader::Open(files, {.directory = options.directory, .prefix = options.prefix});
    EXPECT_TRUE(reader) << reader.error().message();
    for (uint64_t number = 1;;) {
      const auto record = (*reader)->ReadFrom(number);
      if (!record) return texts;
      texts.emplace_back(record->data);
      number = record->number + 1;
    }
  }

  io::TestDirectory directory_;
  io::FileSystem& files_ = io::RealFileSystem();
  Options options_;
};

TEST_F(SharedWriters, NumberRecordsOneAfterTheOther) {
  const auto a = Open();
  const auto b = Open();
  EXPECT_EQ(Append(*a, "1"), 1U);
  EXPECT_EQ(Append(*b, "2"), 2U);
  EXPECT_EQ(Append(*b, "3"), 3U);
  EXPECT_EQ(Append(*a, "4"), 4U);
  EXPECT_EQ(b->committed(), 4U);
  EXPECT_THAT(Records(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(SharedWriters, FollowEachOtherFromSegmentToSegment) {
  options_.segment_records = 3;
  const auto a = Open();
  const auto b = Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back(std::to_string(i));
    // Sometimes several in a row, so that one rotates more than once meanwhile.
    Append(i % 11 < 8 ? *a : *b, expected.back());
  }
  EXPECT_EQ(Records(), expected);
}

TEST_F(SharedWriters, GrowASegmentUnderEachOther) {
  const auto a = Open();
  const auto b = Open();
  const std::string large(50'000, 'x');
  for (int i = 0; i < 12; ++i) Append(i % 3 == 0 ? *a : *b, large);
  EXPECT_EQ(Records(), std::vector<std::string>(12, large));
}

// What a failed sync has lost, a later one of another process does not bring to the disk.
TEST_F(SharedWriters, ClaimNothingSyncedAfterASyncHasFailedInAnother) {
  options_.sync = SyncPolicy::kAlways;
  const auto writer = Open();
  const uint64_t safe = Append(*writer, "safe");
  const auto control = *Control::Open(files_, options_.directory + "/" + ControlName("log"));
  auto turn = *writer->BeginTurn();
  const uint64_t number = *turn.Append("in doubt");
  turn.End();
  control->set_state(ControlState::kSyncFailed);
  EXPECT_FALSE(writer->Settle(number));
  EXPECT_EQ(writer->synced(), safe);
}

// What one of them has synced, the other need not: who was woken to sync for those behind it may
// have nothing left to wait for.
TEST_F(SharedWriters, ThatSyncForEachOtherLeaveNobodyWaiting) {
  options_.sync = SyncPolicy::kAlways;
  const auto writer = Open();
  const auto other = Open();
  std::atomic<bool> ended = false;
  std::thread beside([&] {
    while (!ended) Append(*other, "beside");
  });
  const uint64_t rounds = ScaledCount(200);
  for (uint64_t round = 0; round < rounds; ++round) {
    std::vector<std::thread> threads;
    threads.reserve(6);
    for (int t = 0; t < 6; ++t) threads.emplace_back([&] { Append(*writer, "together"); });
    for (std::thread& thread : threads) thread.join();
  }
  ended = true;
  beside.join();
}

TEST_F(SharedWriters, OfManyThreadsLoseNothing) {
  options_.sync = SyncPolicy::kAlways;
  options_.segment_records = 37;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      const auto writer = Open();
      for (int i = 0; i < 50; ++i) {
        const uint64_t number = Append(*writer, "from a thread");
        EXPECT_GE(writer->synced(), number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Records(), std::vector<std::string>(200, "from a thread"));
}

TEST_F(SharedWriters, AndAnExclusiveOneRefuseEachOther) {
  Options exclusive = options_;
  exclusive.writers = Writers::kExclusive;
  {
    const auto shared = Open();
    const auto refused = Writer::Open(files_, exclusive);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
  }
  const auto writer = Open(files_, exclusive);
  const auto refused = Writer::Open(files_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
}

TEST_F(SharedWriters, OneStepOfATurnIsNotInterrupted) {
  const auto a = Open();
  const auto b = Open();
  std::thread other;
  {
    auto turn = a->BeginTurn();
    ASSERT_TRUE(turn);
    other = std::thread([&b] { Append(*b, "after"); });
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(turn->last_number(), static_cast<uint64_t>(i));
      ASSERT_TRUE(turn->Append("in the turn"));
    }
  }
  other.join();
  EXPECT_EQ(Records().size(), 101U);
  EXPECT_EQ(Records().back(), "after");
}

// What a process leaves that was killed between the first byte of an append and its commit.
TEST_F(SharedWriters, CutWhatAKilledOneLeftHalfDone) {
  const auto a = Open();
  const auto b = Open();
  Append(*a, "one");
  Append(*b, "two");
  const std::string base = options_.directory + "/";
  {
    const auto control = *Control::Open(files_, base + ControlName(options_.prefix));
    const auto segment = *files_.OpenAllocated(base + SegmentName(options_.prefix, 1));
    control->BeginAppend();
    ASSERT_TRUE(segment->WriteAt(control->end().end, std::string(100, 'x')));
  }
  EXPECT_EQ(Append(*b, "three"), 3U);
  EXPECT_EQ(b->recovery().cut_bytes, 100U);
  EXPECT_EQ(Append(*a, "four"), 4U);
  EXPECT_THAT(Records(), ElementsAre("one", "two", "three", "four"));
}

TEST_F(SharedWriters, GoOnWhereTheLastOneClosed) {
  Append(*Open(), "one");
  EXPECT_EQ(Append(*Open(), "two"), 2U);
  ASSERT_TRUE(files_.Remove(options_.directory + "/" + ControlName(options_.prefix)));
  EXPECT_EQ(Append(*Open(), "three"), 3U);
  EXPECT_THAT(Records(), ElementsAre("one", "two", "three"));
}

TEST_F(SharedWriters, ThatCloseDoNotStopTheOthers) {
  const auto a = Open();
  Append(*a, "one");
  auto b = Open();
  Append(*b, "two");
  ASSERT_TRUE(b->Close());
  EXPECT_EQ(Append(*a, "three"), 3U);
  EXPECT_FALSE(b->Append("four"));
}

TEST(SharedWritersOnFaultyDisks, AllStopWhenOneCannotSync) {
  io::FaultyFileSystem files(1);
  Options options{.directory = "/log", .sync = SyncPolicy::kNever, .writers = Writers::kShared};
  {
    const auto a = *Writer::Open(files, options);
    const auto b = *Writer::Open(files, options);
    ASSERT_TRUE(a->Append("one"));
    ASSERT_TRUE(b->Append("two"));
    files.FailSync(1);
    EXPECT_FALSE(a->Sync());
    const auto refused = b->Append("three");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("another process"));
  }
  const auto again = *Writer::Open(files, options);
  EXPECT_EQ(again->recovery().copied_batches, 2U);
  EXPECT_EQ(again->Append("three"), 3U);
}

// A machine that lost its power: the numbers that were reserved are passed over, for all writers.
TEST(SharedWritersOnFaultyDisks, PassOverLostNumbersTogether) {
  io::FaultyFileSystem files(1);
  const Options options{
      .directory = "/log", .sync = SyncPolicy::kNever, .writers = Writers::kShared};
  {
    const auto a = *Writer::Open(files, options);
    ASSERT_EQ(a->Append("one"), 1U);
    files.Crash();
  }
  files.Reboot(io::Survival::kSyncedOnly);
  const auto a = *Writer::Open(files, options);
  const auto b = *Writer::Open(files, options);
  const auto first = b->Append("behind the power cut");
  ASSERT_TRUE(first);
  EXPECT_GT(*first, kNumbersReservedAhead);
  EXPECT_EQ(a->Append("and then"), *first + 1);
}

// Also when nothing is appended before the next power cut, or the log is closed meanwhile.
TEST(LogAfterAPowerCut, GivesNoNumberTwiceWhateverComesBetween) {
  for (const Writers writers : {Writers::kExclusive, Writers::kShared}) {
    for (const int between : {0, 1, 2}) {
      io::FaultyFileSystem files(1);
      const Options options{.directory = "/log", .sync = SyncPolicy::kNever, .writers = writers};
      {
        const auto writer = *Writer::Open(files, options);
        ASSERT_EQ(writer->Append("one"), 1U);
        ASSERT_TRUE(writer->Sync());
        ASSERT_EQ(writer->Append("seen by a reader, and lost"), 2U);
        files.Crash();
      }
      files.Reboot(io::Survival::kSyncedOnly);
      if (between == 1) {
        ASSERT_TRUE((*Writer::Open(files, options))->Close());
      }
      if (between == 2) {
        const auto writer = *Writer::Open(files, options);
        files.Crash();
      }
      if (between == 2) files.Reboot(io::Survival::kEverything);
      const auto writer = *Writer::Open(files, options);
      const auto number = writer->Append("new");
      ASSERT_TRUE(number);
      EXPECT_GT(*number, kNumbersReservedAhead) << between;
    }
  }
}

// The first append of a new log was killed before its segment was there.
TEST(LogThatWasNeverBegun, BeginsWithOne) {
  io::FaultyFileSystem files(1);
  const Options options{
      .directory = "/log", .sync = SyncPolicy::kNever, .writers = Writers::kShared};
  const auto a = *Writer::Open(files, options);
  const auto b = *Writer::Open(files, options);
  ASSERT_EQ(a->Append("one"), 1U);
  for (const std::string& name : {SegmentName("log", 1), IndexName("log", 1)})
    ASSERT_TRUE(files.Remove("/log/" + name));
  const auto control = *Control::Open(files, "/log/" + ControlName("log"));
  control->BeginAppend();
  control->EndAppend({});
  control->BeginAppend();
  EXPECT_EQ(b->Append("again"), 1U);
}

// Two that take turns, with one record in a segment.
class WritersOfSmallSegments : public testing::Test {
 protected:
  io::FaultyFileSystem files_{1};
  const Options options_{.directory = "/log",
                         .sync = SyncPolicy::kNever,
                         .segment_records = 1,
                         .writers = Writers::kShared};
  const std::unique_ptr<Writer> a_ = *Writer::Open(files_, options_);
  const std::unique_ptr<Writer> b_ = *Writer::Open(files_, options_);
};

// Space for a segment, and none for the batch in it.
TEST_F(WritersOfSmallSegments, MayBeginOneInVain) {
  ASSERT_EQ(a_->Append("one"), 1U);
  ASSERT_EQ(b_->Append("two"), 2U);
  files_.LimitSpace(150'000);
  EXPECT_EQ(a_->Append(std::string(1'000'000, 'x')).error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(b_->Append("three"), 3U);
  files_.ClearFaults();
  EXPECT_EQ(a_->Append("four"), 4U);
  const auto reader = *Reader::Open(files_, {.directory = "/log"});
  EXPECT_EQ(reader->Read(3)->data, "three");
  EXPECT_EQ(reader->Read(4)->data, "four");
  ASSERT_TRUE(a_->Close());
  ASSERT_TRUE(b_->Close());
  ASSERT_TRUE(files_.Remove("/log/" + ControlName("log")));
  EXPECT_EQ((*Writer::Open(files_, options_))->committed(), 4U);
}

// One without records is left for one that may have marked records, which is a number further on.
TEST_F(WritersOfSmallSegments, KeepANumberThatWasPassedOverInVain) {
  ASSERT_EQ(a_->Append("one"), 1U);
  ASSERT_TRUE(a_->Rotate());
  files_.LimitSpace(0);
  const std::string_view marked = "marked";
  EXPECT_EQ(a_->Append({&marked, 1}, RecordKind::kMarked).error().code(), ErrorCode::kNoSpace);
  files_.ClearFaults();
  EXPECT_EQ(a_->Append("two"), 2U);
  EXPECT_EQ(b_->Append("three"), 3U);
}

TEST_F(WritersOfSmallSegments, TryAgainWhenTheyCouldNotOpenFiles) {
  uint64_t next = 1;
  // The last segment and its index are opened, sealed with four operations, and a new one is made.
  for (const uint64_t n : {1U, 2U, 7U}) {
    ASSERT_EQ(a_->Append("x"), next++);
    files_.FailOperation(n, ErrorCode::kLimit);  // too many open files
    const auto number = b_->Append("y");
    files_.ClearFaults();
    if (number) {
      EXPECT_EQ(*number, next++);
    }
  }
  ASSERT_EQ(b_->Append("z"), next);
  const auto reader = *Reader::Open(files_, {.directory = "/log"});
  for (uint64_t number = 1; number <= next; ++number) EXPECT_TRUE(reader->Read(number)) << number;
}

TEST(LogOptions, ThatCannotBeAreRefused) {
  io::FaultyFileSystem files(1);
  const Options large{.directory = "/log", .segment_bytes = kMaxSegmentBytes + 1};
  EXPECT_EQ(Writer::Open(files, large).error().code(), ErrorCode::kInvalidArgument);
  const Options hasty{.directory = "/log", .sync_interval = std::chrono::milliseconds(0)};
  EXPECT_EQ(Writer::Open(files, hasty).error().code(), ErrorCode::kInvalidArgument);
}

TEST(LogOnAFullDisk, GoesOnWhenThereIsSpaceAgain) {
  io::FaultyFileSystem files(1);
  const Options options{.directory = "/log", .sync = SyncPolicy::kNever, .segment_bytes = 100'000};
  const auto writer = *Writer::Open(files, options);
  const std::string large(40'000, 'x');
  ASSERT_EQ(writer->Append(large), 1U);
  ASSERT_EQ(writer->Append(large), 2U);
  files.LimitSpace(10'000);
  for (int i = 0; i < 2; ++i) {
    const auto full = writer->Append(large);
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code(), ErrorCode::kNoSpace);
  }
  files.ClearFaults();
  EXPECT_EQ(writer->Append(large), 3U);
  EXPECT_EQ(writer->committed(), 3U);
}

// The empty one goes when the other is made in its place.
TEST(LogOfFewSegments, TakesTheFirstMarkedRecordInPlaceOfAnEmptySegment) {
  io::FaultyFileSystem files(1);
  const Options options{.directory = "/log", .sync = SyncPolicy::kNever, .max_segments = 2};
  const auto writer = *Writer::Open(files, options);
  ASSERT_EQ(writer->Append("plain"), 1U);
  ASSERT_TRUE(writer->Rotate());
  const std::string_view marked = "marked";
  const auto number = writer->Append({&marked, 1}, RecordKind::kMarked);
  ASSERT_TRUE(number) << number.error().message();
  const auto reader = *Reader::Open(files, {.directory = "/log"});
  EXPECT_EQ(reader->Read(*number)->data, "marked");
  EXPECT_EQ(reader->ListSegments()->size(), 2U);
}

TEST(LogOfFewSegments, RefusesMore) {
  io::FaultyFileSystem files(1);
  const Options options{
      .directory = "/log", .sync = SyncPolicy::kNever, .segment_records = 2, .max_segments = 2};
  const auto writer = *Writer::Open(files, options);
  for (uint64_t i = 1; i <= 4; ++i) ASSERT_EQ(writer->Append("x"), i);
  const auto full = writer->Append("x");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code(), ErrorCode::kLimit);
  EXPECT_THAT(full.error().message(), HasSubstr("2 segments, at most 2"));
  ASSERT_TRUE(writer->RemoveBefore(3));
  EXPECT_EQ(writer->Append("x"), 5U);
}

TEST(LogRecords, KeepTheirMark) {
  io::FaultyFileSystem files(1);
  const Options options{.directory = "/log", .sync = SyncPolicy::kNever};
  const auto writer = *Writer::Open(files, options);
  const std::string_view marked = "marked";
  ASSERT_TRUE(writer->Append({&marked, 1}, RecordKind::kMarked));
  ASSERT_TRUE(writer->Append("plain"));
  const auto reader = *Reader::Open(files, {.directory = "/log"});
  EXPECT_EQ(reader->Read(1)->kind, RecordKind::kMarked);
  EXPECT_EQ(reader->Read(1)->data, "marked");
  EXPECT_EQ(reader->Read(2)->kind, RecordKind::kPlain);
}

}  // namespace
}  // namespace larder::log

#include "queue/positions_log.h"

#include <atomic>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "io/test_directory.h"
#include "log/format.h"
#include "queue/test_changes.h"

namespace larder::queue {
namespace {

using io::FaultyFileSystem;
using testing::HasSubstr;

PositionsOptions SmallOptions(const std::string& directory = "/q") {
  return {.directory = directory,
          .prefix = "queue",
          .sync = log::SyncPolicy::kNever,
          .compact_bytes = 800,
          .segment_bytes = 12'000};
}

std::unique_ptr<PositionsLog> Open(io::FileSystem& files, const PositionsOptions& options) {
  auto opened = PositionsLog::Open(files, options);
  EXPECT_TRUE(opened) << opened.error().message();
  return opened ? *std::move(opened) : nullptr;
}

std::string Encoded(const Positions& state) {
  std::string bytes;
  EncodeChange(state.ToCheckpoint(), bytes);
  return bytes;
}

std::string StateOf(PositionsLog& positions) {
  std::string state;
  const auto looked = positions.Look([&state](const Positions& found) { state = Encoded(found); });
  EXPECT_TRUE(looked) << looked.error().message();
  return state;
}

Result<void> Make(PositionsLog& positions, const Change& change) {
  LARDER_ASSIGN(PositionsLog::Step step, positions.Begin());
  LARDER_TRY(step.Commit(change));
  return positions.Settle(step.End());
}

// Returns the number that was taken.
Result<uint64_t> Pop(PositionsLog& positions) {
  LARDER_ASSIGN(PositionsLog::Step step, positions.Begin());
  const uint64_t number = step.state().Front(1);
  LARDER_TRY(step.Commit(Delete{.ranges = {{number, number}}}));
  LARDER_TRY(positions.Settle(step.End()));
  return number;
}

SetGroup NewGroup(std::string name) {
  return {.group = std::move(name), .settings = SettingsForTest(), .next = 1};
}

Deliver To(std::string group, uint64_t first, uint64_t last) {
  return {.group = std::move(group),
          .consumer = "anna",
          .now_ms = 50,
          .deadline_ms = 100,
          .ranges = {{first, last}}};
}

// What the files of the log hold, by its own reader.
struct InFiles {
  uint64_t segments = 0;
  uint64_t records = 0;
  uint64_t data_bytes = 0;
};

InFiles LookAtFiles(io::FileSystem& files, const PositionsOptions& options) {
  const auto reader = *log::Reader::Open(
      files, {.directory = options.directory, .prefix = options.prefix + ".positions"});
  InFiles found{.segments = reader->Segments()->size()};
  for (uint64_t number = 1;;) {
    const auto record = reader->ReadFrom(number);
    if (!record) return found;
    ++found.records;
    found.data_bytes += record->data.size();
    number = record->number + 1;
  }
}

TEST(PositionsLog, WhatWasCommittedIsThereWhenItIsOpenedAgain) {
  FaultyFileSystem files;
  std::string before;
  {
    const auto positions = Open(files, SmallOptions());
    ASSERT_TRUE(Make(*positions, NewGroup("mail")));
    ASSERT_TRUE(Make(*positions, To("mail", 1, 5)));
    ASSERT_TRUE(Make(*positions, Delete{.ranges = {{2, 3}}}));
    before = StateOf(*positions);
    EXPECT_TRUE(positions->Close());
  }
  const auto positions = Open(files, SmallOptions());
  EXPECT_EQ(StateOf(*positions), before);
  EXPECT_EQ(Pop(*positions), 1U);
  EXPECT_EQ(Pop(*positions), 4U);
}

TEST(PositionsLog, AStepSeesWhatItHasCommitted) {
  FaultyFileSystem files;
  const auto positions = Open(files, SmallOptions());
  auto step = *positions->Begin();
  EXPECT_EQ(step.state().Front(1), 1U);
  ASSERT_TRUE(step.Commit(Delete{.ranges = {{1, 1}}}));
  ASSERT_TRUE(step.Commit(Delete{.ranges = {{2, 2}}}));
  EXPECT_EQ(step.state().Front(1), 3U);
  EXPECT_TRUE(step.Sync());
  EXPECT_EQ(step.End(), 2U);
  EXPECT_EQ(step.End(), 2U);
  EXPECT_FALSE(step.Commit(Delete{.ranges = {{3, 3}}}));
  EXPECT_EQ(positions->Begin()->End(), 0U);
}

TEST(PositionsLog, WhatDoesNotFitIsNeverWritten) {
  FaultyFileSystem files;
  const auto positions = Open(files, SmallOptions());
  const std::string before = StateOf(*positions);
  EXPECT_EQ(Make(*positions, DropGroup{.group = "none"}).error().code(), ErrorCode::kInternal);
  EXPECT_EQ(Make(*positions, Delete{.ranges = {{0, 0}}}).error().code(), ErrorCode::kInternal);
  EXPECT_EQ(Make(*positions, CheckpointForTest()).error().code(), ErrorCode::kInternal);
  EXPECT_EQ(StateOf(*positions), before);
  EXPECT_EQ(LookAtFiles(files, SmallOptions()).records, 0U);
  EXPECT_EQ(Pop(*positions), 1U);
}

TEST(PositionsLog, ADamagedChangeEndsEverythingUntilItIsOpenedAgain) {
  FaultyFileSystem files;
  const auto positions = Open(files, SmallOptions());
  ASSERT_TRUE(Make(*positions, NewGroup("mail")));
  log::Options options;
  options.directory = "/q";
  options.prefix = "queue.positions";
  options.writers = log::Writers::kShared;
  const auto other = *log::Writer::Open(files, options);
  std::string unknown;
  EncodeChange(DropGroup{.group = "none"}, unknown);
  ASSERT_TRUE(other->Append(unknown));
  const auto failed = positions->Refresh();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(failed.error().message(), HasSubstr("record 2 of /q/queue.positions"));
  EXPECT_EQ(positions->Begin().error().message(), failed.error().message());
  EXPECT_EQ(positions->Look([](const Positions&) {}).error().message(), failed.error().message());
  EXPECT_EQ(PositionsLog::Open(files, SmallOptions()).error().code(), ErrorCode::kCorrupt);
}

TEST(PositionsLog, AMarkAndACheckpointGoTogether) {
  for (const bool marked : {false, true}) {
    FaultyFileSystem files;
    log::Options options;
    options.directory = "/q";
    options.prefix = "queue.positions";
    options.writers = log::Writers::kShared;
    std::string bytes;
    if (marked) {
      EncodeChange(NewGroup("mail"), bytes);
    } else {
      EncodeChange(Checkpoint{}, bytes);
    }
    const std::string_view record = bytes;
    {
      const auto writer = *log::Writer::Open(files, options);
      ASSERT_TRUE(writer->Append({&record, 1},
                                 marked ? log::RecordKind::kMarked : log::RecordKind::kPlain));
    }
    const auto opened = PositionsLog::Open(files, SmallOptions());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  }
}

TEST(PositionsLog, AFullDiskIsAnErrorThatPasses) {
  FaultyFileSystem files;
  const auto positions = Open(files, SmallOptions());
  ASSERT_EQ(Pop(*positions), 1U);
  files.LimitSpace(0);
  uint64_t popped = 1;
  Result<uint64_t> number = 0;
  while (number = Pop(*positions), number) popped = *number;
  EXPECT_EQ(number.error().code(), ErrorCode::kNoSpace) << number.error().message();
  EXPECT_FALSE(Pop(*positions));
  files.ClearFaults();
  EXPECT_EQ(Pop(*positions), popped + 1);
}

TEST(PositionsLog, AFailedSyncIsFinal) {
  FaultyFileSystem files;
  PositionsOptions options = SmallOptions();
  options.sync = log::SyncPolicy::kAlways;
  auto positions = Open(files, options);
  ASSERT_EQ(Pop(*positions), 1U);
  files.FailSync(1);
  EXPECT_FALSE(Pop(*positions));
  EXPECT_FALSE(Pop(*positions));
  EXPECT_FALSE(positions->Refresh());
  positions.reset();
  positions = Open(files, options);
  // What did not return may be done or not.
  EXPECT_THAT(*Pop(*positions), testing::AnyOf(2U, 3U));
}

TEST(PositionsLog, WithoutLockingItIsTheSame) {
  FaultyFileSystem files;
  PositionsOptions options = SmallOptions();
  options.locking = false;
  for (uint64_t round = 0; round < 3; ++round) {
    const auto positions = Open(files, options);
    for (uint64_t number = 1; number <= 50; ++number)
      ASSERT_EQ(Pop(*positions), round * 50 + number);
  }
}

// ---- Compaction.

TEST(PositionsLog, ItsFilesDoNotGrowWithWhatHasBeenDone) {
  const io::TestDirectory directory;
  PositionsOptions options = SmallOptions(directory.path());
  options.compact_bytes = uint64_t{1} << 20;
  options.segment_bytes = uint64_t{4} << 20;
  constexpr uint64_t kDeletes = 100'000;
  // From the front; then every second number, which keeps them apart for a while.
  for (const uint64_t stride : {uint64_t{1}, uint64_t{2}}) {
    const auto positions = Open(io::RealFileSystem(), options);
    const uint64_t from = stride == 1 ? 1 : 2 * kDeletes;
    for (uint64_t i = 0; i < kDeletes; ++i)
      ASSERT_TRUE(Make(*positions, Delete{.ranges = {{from + i * stride, from + i * stride}}}));
    const InFiles found = LookAtFiles(io::RealFileSystem(), options);
    EXPECT_EQ(found.segments, 1U);
    // So many changes of 64 bytes make a checkpoint due.
    EXPECT_LE(found.records, (options.compact_bytes / 64) + 2) << stride;
    EXPECT_LE(*positions->Bytes(), options.segment_bytes * 2);
    const std::string state = StateOf(*positions);
    ASSERT_TRUE(positions->Close());
    EXPECT_EQ(StateOf(*Open(io::RealFileSystem(), options)), state);
  }
}

TEST(PositionsLog, AStateThatIsLargeIsNotWrittenForEverySmallChange) {
  FaultyFileSystem files;
  const PositionsOptions options = SmallOptions();
  const auto positions = Open(files, options);
  ASSERT_TRUE(Make(*positions, NewGroup("mail")));
  ASSERT_TRUE(Make(*positions, To("mail", 1, 10'000)));
  uint64_t checkpoints = 0;
  uint64_t last_segment = 1;
  for (uint64_t number = 1; number <= 1000; ++number) {
    ASSERT_TRUE(Make(*positions, Acknowledge{.group = "mail", .ranges = {{number, number}}}));
    const auto reader = *log::Reader::Open(files, {.directory = "/q", .prefix = "queue.positions"});
    const uint64_t segment = reader->Segments()->back().first_number;
    const bool fresh =
        segment != last_segment && reader->Read(segment)->kind == log::RecordKind::kMarked;
    checkpoints += fresh ? 1 : 0;
    last_segment = segment;
  }
  // The state has over 50,000 bytes, and 1,000 changes some 72,000.
  EXPECT_EQ(checkpoints, 1U);
}

TEST(PositionsLog, WhatADeadProcessDidNotRemoveGoesLater) {
  FaultyFileSystem files;
  const PositionsOptions options = SmallOptions();
  std::string state;
  {
    const auto positions = Open(files, options);
    for (;;) {
      auto step = *positions->Begin();
      const uint64_t number = step.state().Front(1);
      ASSERT_TRUE(step.Commit(Delete{.ranges = {{number, number}}}));
      step.End();
      // It never comes to Settle.
      if (LookAtFiles(files, options).segments > 1) break;
    }
    state = StateOf(*positions);
    files.Crash();
  }
  files.Reboot(io::Survival::kEverything);
  const auto positions = Open(files, options);
  EXPECT_EQ(StateOf(*positions), state);
  EXPECT_GT(LookAtFiles(files, options).segments, 1U);
  EXPECT_TRUE(positions->Settle(0));
  EXPECT_EQ(LookAtFiles(files, options).segments, 1U);
  EXPECT_EQ(StateOf(*Open(files, options)), state);
}

TEST(PositionsLog, ACompactionThatFailsFailsNoChange) {
  const PositionsOptions options = SmallOptions();
  FaultyFileSystem files;
  auto positions = Open(files, options);
  ASSERT_EQ(Pop(*positions), 1U);
  // The space of the first segment is there, that of the next is not.
  files.LimitSpace(0);
  // 800 bytes and a change: the one with which the checkpoint is due.
  for (uint64_t number = 2; number <= 13; ++number) ASSERT_EQ(Pop(*positions), number);
  EXPECT_EQ(LookAtFiles(files, options).records, 13U);
  EXPECT_EQ(Pop(*positions).error().code(), ErrorCode::kNoSpace);
  files.ClearFaults();
  for (uint64_t number = 14; number <= 60; ++number) ASSERT_EQ(Pop(*positions), number);
  EXPECT_EQ(LookAtFiles(files, options).segments, 1U);
  positions.reset();
  EXPECT_EQ(Pop(*Open(files, options)), 61U);
}

TEST(PositionsLog, WithoutSpaceForACheckpointTheOldSegmentKeepsItsOwn) {
  const PositionsOptions options = SmallOptions();
  FaultyFileSystem files;
  const auto positions = Open(files, options);
  uint64_t popped = 0;
  while (popped < 12) ASSERT_EQ(Pop(*positions), ++popped);
  // What it gives back when it is sealed, but less than a new one takes.
  files.LimitSpace(log::kFirstAllocation - 1);
  ASSERT_EQ(Pop(*positions), ++popped);
  files.LimitSpace(0);
  while (popped < 20) ASSERT_EQ(Pop(*positions), ++popped);
  EXPECT_EQ(LookAtFiles(files, options).records, 20U);
}

TEST(PositionsLog, ACompactionThatFailsHalfwayCostsNoNumber) {
  const PositionsOptions options = SmallOptions();
  for (uint64_t space = 0; space < 60'000; space += 4'000) {
    FaultyFileSystem files;
    const auto one = Open(files, options);
    const auto other = Open(files, options);
    uint64_t popped = 0;
    while (popped < 12) ASSERT_EQ(Pop(*one), ++popped);
    files.LimitSpace(space);
    for (int i = 0; i < 3; ++i) {
      if (Pop(*one)) ++popped;
    }
    files.ClearFaults();
    ASSERT_EQ(Pop(*one), ++popped) << space;
    ASSERT_EQ(Pop(*other), ++popped) << space;
    ASSERT_EQ(Pop(*one), ++popped) << space;
  }
}

// ---- Several processes.

// Changes that fit a state, of each kind that needs one.
Change RandomChange(const Positions& state, std::mt19937_64& random) {
  const uint64_t front = state.Front(1);
  if (state.groups().empty()) return NewGroup("mail");
  const Group& group = *state.FindGroup("mail");
  const uint64_t next = state.NextUndelivered(group);
  switch (random() % 6) {
    case 0:
      return Delete{.ranges = {{front, front + random() % 3}}};
    case 1:
    case 2:
      return To("mail", next, next);
    case 3:
      if (!group.pending().empty()) {
        const uint64_t number = group.pending().begin()->first;
        return Acknowledge{.group = "mail", .delete_when_done = true, .ranges = {{number, number}}};
      }
      return NewGroup("mail");
    case 4:
      if (const auto overdue = state.MostOverdue(group, 100))
        return Release{.group = "mail", .available_at_ms = 7, .ranges = {{*overdue, *overdue}}};
      return Delete{.ranges = {{front, front}}};
    default:
      if (!state.moves().empty()) return CancelMove{.number = state.moves().begin()->first};
      return Moving{.number = front, .to = {"/d", "p"}, .destination_committed = 3};
  }
}

TEST(PositionsLog, ProcessesInTurnSeeOneState) {
  const PositionsOptions options = SmallOptions();
  for (uint64_t seed = 0; seed < ScaledCount(20, 3); ++seed) {
    FaultyFileSystem files;
    std::mt19937_64 random(seed);
    std::vector<std::unique_ptr<PositionsLog>> processes;
    processes.reserve(3);
    for (int i = 0; i < 3; ++i) processes.push_back(Open(files, options));
    Positions model;
    for (int i = 0; i < 150; ++i) {
      auto& process = processes[random() % 2];
      if (random() % 20 == 0) {
        process.reset();
        process = Open(files, options);
      }
      auto step = *process->Begin();
      ASSERT_EQ(Encoded(step.state()), Encoded(model)) << "seed " << seed << ", change " << i;
      const Change change = RandomChange(model, random);
      ASSERT_TRUE(step.Commit(change));
      ASSERT_TRUE(model.Apply(change));
      ASSERT_TRUE(process->Settle(step.End()));
      // The third looks rarely: in between everything that it knows has been compacted.
      ASSERT_TRUE(i % 50 != 49 || StateOf(*processes[2]) == Encoded(model));
    }
    EXPECT_LE(LookAtFiles(files, options).segments, 2U);
  }
}

// Somebody is killed while old segments are removed: who lags behind meets a checkpoint first.
TEST(PositionsLog, WhoLagsBehindAHalfDoneRemovalSeesTheSameState) {
  PositionsOptions options = SmallOptions();
  // So that most segments begin with a change and not with a checkpoint.
  options.compact_bytes = 3000;
  options.segment_bytes = 5000;
  for (uint64_t n = 1;; ++n) {
    FaultyFileSystem files;
    const auto lagging = Open(files, options);
    const auto busy = Open(files, options);
    ASSERT_EQ(Pop(*busy), 1U);
    ASSERT_TRUE(lagging->Refresh());
    // Several segments, and nobody removes any.
    uint64_t last = 0;
    for (uint64_t i = 0; i < 60; ++i) {
      auto step = *busy->Begin();
      const uint64_t number = step.state().Front(1);
      ASSERT_TRUE(step.Commit(Delete{.ranges = {{number, number}}}));
      last = step.End();
    }
    ASSERT_GE(LookAtFiles(files, options).segments, 5U);
    const uint64_t before = files.operations();
    files.FailOperation(n);
    // It syncs, and removes what it can: a failure of that is no failure of the change.
    EXPECT_TRUE(busy->Settle(last));
    const bool failed = files.operations() - before >= n;
    files.ClearFaults();
    EXPECT_EQ(StateOf(*lagging), StateOf(*Open(files, options))) << "operation " << n;
    if (!failed) {
      EXPECT_LE(LookAtFiles(files, options).segments, 2U);
      break;
    }
  }
}

TEST(PositionsLog, NumbersOfTheLogThatAPowerCutCostAreNotMissed) {
  FaultyFileSystem files;
  {
    const auto positions = Open(files, SmallOptions());
    ASSERT_EQ(Pop(*positions), 1U);
    ASSERT_TRUE(positions->Sync());
    files.Crash();
  }
  files.Reboot(io::Survival::kSyncedOnly);
  const auto one = Open(files, SmallOptions());
  const auto other = Open(files, SmallOptions());
  EXPECT_GT(one->recovery().skipped_numbers, 0U);
  ASSERT_EQ(Pop(*other), 2U);
  EXPECT_EQ(Pop(*one), 3U);
  EXPECT_EQ(StateOf(*one), StateOf(*other));
}

TEST(PositionsLog, NoTwoThreadsOrProcessesPopTheSameNumber) {
  const io::TestDirectory directory;
  const uint64_t each = ScaledCount(1000, 200);
  for (const log::SyncPolicy sync : {log::SyncPolicy::kNever, log::SyncPolicy::kInterval}) {
    PositionsOptions options = SmallOptions(directory / std::to_string(static_cast<int>(sync)));
    options.sync = sync;
    options.sync_interval = std::chrono::milliseconds(1);
    options.compact_bytes = 4000;
    const auto one = Open(io::RealFileSystem(), options);
    const auto other = Open(io::RealFileSystem(), options);
    const std::vector<PositionsLog*> of_threads = {one.get(), one.get(), other.get()};
    std::vector<std::vector<uint64_t>> popped(of_threads.size());
    std::atomic<bool> done = false;
    std::thread looking([&] {
      uint64_t before = 0;
      while (!done) {
        const auto prepared = one->PrepareToWait();
        ASSERT_TRUE(prepared);
        const auto looked = one->Look([&before](const Positions& state) {
          EXPECT_GE(state.deleted().total(), before);
          before = state.deleted().total();
        });
        EXPECT_TRUE(looked) << looked.error().message();
        EXPECT_TRUE(one->Wait(*prepared, std::chrono::steady_clock::now() + std::chrono::hours(1)));
      }
    });
    std::vector<std::thread> threads;
    threads.reserve(of_threads.size());
    for (size_t i = 0; i < of_threads.size(); ++i) {
      threads.emplace_back([&, i] {
        for (uint64_t left = each; left != 0; --left) {
          const auto number = Pop(*of_threads[i]);
          ASSERT_TRUE(number) << number.error().message();
          popped[i].push_back(*number);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    done = true;
    one->Interrupt();
    looking.join();
    std::set<uint64_t> all;
    for (const auto& numbers : popped) {
      EXPECT_TRUE(std::ranges::is_sorted(numbers));
      for (const uint64_t number : numbers) EXPECT_TRUE(all.insert(number).second) << number;
    }
    EXPECT_EQ(all.size(), each * of_threads.size());
    EXPECT_EQ(*all.rbegin(), each * of_threads.size());
    EXPECT_EQ(StateOf(*one), StateOf(*other));
  }
}

TEST(PositionsLog, WhoWaitsIsWokenByAChangeOfAnother) {
  const io::TestDirectory directory;
  const PositionsOptions options = SmallOptions(directory.path());
  const auto waiting = Open(io::RealFileSystem(), options);
  const auto busy = Open(io::RealFileSystem(), options);
  std::thread thread([&] {
    uint64_t deleted = 0;
    while (deleted == 0) {
      const auto prepared = waiting->PrepareToWait();
      ASSERT_TRUE(prepared);
      ASSERT_TRUE(
          waiting->Look([&deleted](const Positions& state) { deleted = state.deleted().total(); }));
      if (deleted != 0) break;
      ASSERT_TRUE(
          waiting->Wait(*prepared, std::chrono::steady_clock::now() + std::chrono::hours(1)));
    }
  });
  EXPECT_EQ(Pop(*busy), 1U);
  thread.join();
}

}  // namespace
}  // namespace larder::queue

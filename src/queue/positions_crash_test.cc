// A queue's positions that crash at every operation of the file system: what is there when they are
// opened again is the state behind one of the changes, and none that was promised is missing.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "larder/log.h"
#include "queue/positions_log.h"
#include "queue/test_changes.h"

namespace larder::queue {
namespace {

using io::FaultyFileSystem;
using io::Survival;
using log::SyncPolicy;

std::string Encoded(const Positions& state) {
  std::string bytes;
  EncodeChange(state.ToCheckpoint(), bytes);
  return bytes;
}

// The states one after another, also of changes that did not return.
struct Model {
  std::vector<std::string> states;
  size_t committed = 0;  // the last whose Commit has returned
  size_t promised = 0;   // the last that a power cut must leave

  Model() { states.push_back(Encoded(Positions())); }
};

PositionsOptions SmallOptions(SyncPolicy sync) {
  return {.directory = "/q",
          .prefix = "queue",
          .sync = sync,
          .sync_interval = std::chrono::hours(1000),
          .compact_bytes = 500,
          .segment_bytes = 12'000};
}

// Something for a group and something for the deleted, in turns; some of it long.
Change ChangeFor(const Positions& state, uint64_t step) {
  if (step == 0) {
    return SetGroup{.group = "mail", .settings = SettingsForTest(), .next = 1};
  }
  const Group& group = *state.FindGroup("mail");
  const uint64_t next = state.NextUndelivered(group);
  if (step % 9 == 8) {
    SetGroup set{.group = "mail", .settings = SettingsForTest(), .next = 0};
    set.settings.dead_letter.directory = std::string(4000, 'd');
    set.settings.max_deliveries = step;
    return set;
  }
  if (step % 3 == 1) {
    return Deliver{.group = "mail",
                   .consumer = "anna",
                   .now_ms = static_cast<int64_t>(step),
                   .deadline_ms = 1000,
                   .ranges = {{next, next + 1}}};
  }
  if (step % 3 == 2) {
    const uint64_t number = group.pending().begin()->first;
    return Acknowledge{.group = "mail", .delete_when_done = true, .ranges = {{number, number}}};
  }
  const uint64_t front = state.Front(1000);
  return Delete{.ranges = {{front, front}}};
}

// Until the file system fails. One process, or two in turns.
void Work(FaultyFileSystem& files, const PositionsOptions& options, bool two, Model& model) {
  std::vector<std::unique_ptr<PositionsLog>> processes;
  for (int i = 0; i < (two ? 2 : 1); ++i) {
    auto opened = PositionsLog::Open(files, options);
    if (!opened) return;
    processes.push_back(*std::move(opened));
  }
  const bool always = options.sync == SyncPolicy::kAlways;
  Positions state;
  for (uint64_t i = 0; i < 40; ++i) {
    PositionsLog& process = *processes[(i / 3) % processes.size()];
    auto step = process.Begin();
    if (!step) return;
    EXPECT_EQ(Encoded(step->state()), model.states.back());
    const Change change = ChangeFor(state, i);
    ASSERT_TRUE(state.Apply(change));
    model.states.push_back(Encoded(state));
    if (!step->Commit(change)) return;
    model.committed = model.states.size() - 1;
    if (!process.Settle(step->End())) return;
    if (always) model.promised = model.committed;
    if (i % 11 == 10) {
      if (!process.Sync()) return;
      model.promised = model.committed;
    }
  }
  for (auto& process : processes) {
    if (!process->Close()) return;
    model.promised = model.committed;
  }
}

// Returns which state there is.
size_t ExpectOneOf(FaultyFileSystem& files, const PositionsOptions& options, const Model& model,
                   size_t promised) {
  auto opened = PositionsLog::Open(files, options);
  EXPECT_TRUE(opened) << opened.error().message();
  if (!opened) return 0;
  std::string found;
  EXPECT_TRUE((*opened)->Look([&found](const Positions& state) { found = Encoded(state); }));
  const auto at = std::ranges::find(model.states, found);
  EXPECT_NE(at, model.states.end());
  const auto index = static_cast<size_t>(at - model.states.begin());
  EXPECT_GE(index, promised);
  // And it goes on from there.
  auto step = (*opened)->Begin();
  EXPECT_TRUE(step);
  if (!step) return index;
  const uint64_t front = step->state().Front(1);
  EXPECT_TRUE(step->Commit(Delete{.ranges = {{front, front}}}));
  EXPECT_TRUE((*opened)->Settle(step->End()));
  return index;
}

struct Tested {
  SyncPolicy sync;
  bool two;
};

// Every crash is an error that a log tells of.
class PositionsCrash : public testing::TestWithParam<Tested> {
 protected:
  PositionsCrash() { SetLogLevel(LogLevel::kOff); }
  ~PositionsCrash() override { SetLogLevel(LogLevel::kWarning); }
};

TEST_P(PositionsCrash, AtEveryOperation) {
  const PositionsOptions options = SmallOptions(GetParam().sync);
  for (const Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      FaultyFileSystem files(n);
      Model model;
      files.CrashAtOperation(n);
      Work(files, options, GetParam().two, model);
      if (!files.crashed()) {
        // Otherwise nothing of a compaction has been tried.
        EXPECT_GT(n, 60U);
        break;
      }
      files.Reboot(survival);
      SCOPED_TRACE(testing::Message()
                   << "crash at " << n << ", survival " << static_cast<int>(survival));
      ExpectOneOf(files, options, model,
                  survival == Survival::kEverything ? model.committed : model.promised);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(PositionsCrash, AgainWhileItIsOpened) {
  const PositionsOptions options = SmallOptions(GetParam().sync);
  for (uint64_t n = 5; n < 150; n += 13) {
    for (uint64_t m = 1; m < 16; ++m) {
      FaultyFileSystem files(n * 100 + m);
      Model model;
      files.CrashAtOperation(n);
      Work(files, options, GetParam().two, model);
      files.Reboot(Survival::kTorn);
      files.CrashAtOperation(m);
      // What a crash left is removed with this, which fails nobody.
      if (auto opened = PositionsLog::Open(files, options)) {
        EXPECT_TRUE((*opened)->Settle(0));
      }
      if (!files.crashed()) files.Crash();
      files.Reboot(Survival::kTorn);
      SCOPED_TRACE(testing::Message() << "crashes at " << n << " and " << m);
      ExpectOneOf(files, options, model, model.promised);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// What was looked at after a failed sync is not taken back by a power cut.
TEST_P(PositionsCrash, AFailedSyncIsNeverPretended) {
  const PositionsOptions options = SmallOptions(GetParam().sync);
  for (uint64_t n = 1; n < 60; ++n) {
    FaultyFileSystem files(n);
    Model model;
    files.FailSync(n);
    Work(files, options, GetParam().two, model);
    files.ClearFaults();
    SCOPED_TRACE(testing::Message() << "sync " << n << " failed");
    std::string found;
    {
      auto opened = PositionsLog::Open(files, options);
      ASSERT_TRUE(opened) << opened.error().message();
      ASSERT_TRUE((*opened)->Look([&found](const Positions& state) { found = Encoded(state); }));
      files.Crash();
    }
    files.Reboot(Survival::kSyncedOnly);
    const auto at = std::ranges::find(model.states, found);
    ASSERT_NE(at, model.states.end());
    const auto seen = static_cast<size_t>(at - model.states.begin());
    EXPECT_GE(seen, model.promised);
    EXPECT_GE(ExpectOneOf(files, options, model, model.promised), seen);
    if (testing::Test::HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Policies, PositionsCrash,
    testing::Values(Tested{SyncPolicy::kNever, false}, Tested{SyncPolicy::kNever, true},
                    Tested{SyncPolicy::kInterval, false}, Tested{SyncPolicy::kAlways, false},
                    Tested{SyncPolicy::kAlways, true}),
    [](const auto& tested) {
      const std::string policy = tested.param.sync == SyncPolicy::kNever      ? "Never"
                                 : tested.param.sync == SyncPolicy::kInterval ? "Interval"
                                                                              : "Always";
      return policy + (tested.param.two ? "Two" : "One");
    });

}  // namespace
}  // namespace larder::queue

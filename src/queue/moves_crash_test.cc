// Moves that a crash interrupts at every operation of the file system, while what they bring is
// consumed and removed with its segments; then the destination goes on alone, perhaps crashes
// again, and the source comes back last: every record is in one of the two queues, or was consumed.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "larder/log.h"
#include "queue/file_queue.h"
#include "queue/number_set.h"

namespace larder::queue {
namespace {

using io::FaultyFileSystem;
using io::Survival;

constexpr uint64_t kMoved = 4;

// What became of the records that are to move, by their numbers in the source.
struct Fate {
  std::set<uint64_t> moved;     // Move has returned
  std::set<uint64_t> consumed;  // Pop has returned it
  std::set<uint64_t> popping;   // a crash came while it was popped
};

QueueOptions Options(std::string_view directory, QueueSync sync) {
  QueueOptions options{.directory = std::string(directory)};
  options.sync = sync;
  options.sync_interval = std::chrono::hours(1000);
  options.writers = QueueWriters::kShared;
  // One or two records each.
  options.max_segment_bytes = 10'000;
  return options;
}

std::string TextOf(uint64_t number) {
  std::string text = std::to_string(number) + ":";
  text.resize(3000, 'x');
  return text;
}

// The number in the source of a record that was moved; 0: it fills the destination.
uint64_t SourceOf(const QueueRecord& record) {
  if (!record.origin) return 0;
  EXPECT_EQ(record.data, TextOf(record.origin->number));
  return record.origin->number;
}

template <typename T>
bool Did(const Result<T>& result) {
  EXPECT_TRUE(result || FaultyFileSystem::IsCrash(result.error())) << result.error().message();
  return result.has_value();
}

std::unique_ptr<FileQueue> Open(FaultyFileSystem& files, const QueueOptions& options) {
  auto queue = FileQueue::Open(files, options);
  return Did(queue) ? *std::move(queue) : nullptr;
}

bool AppendFiller(FileQueue& target) {
  const std::string text = TextOf(0);
  const std::string_view view = text;
  return Did(target.Append({&view, 1}));
}

bool Pop(FaultyFileSystem& files, FileQueue& target, size_t count, Fate& fate) {
  const auto front = target.ReadMany(0, count);
  if (!Did(front)) return false;
  const auto popped = target.PopMany(count);
  if (!Did(popped) || files.crashed()) {
    for (const QueueRecord& record : *front) fate.popping.insert(SourceOf(record));
    return false;
  }
  for (const QueueRecord& record : *popped) fate.consumed.insert(SourceOf(record));
  return true;
}

// Until the file system crashes.
bool MoveAndConsume(FaultyFileSystem& files, QueueSync sync, Fate& fate) {
  const auto queue = Open(files, Options("/queue", sync));
  const auto target = queue ? Open(files, Options("/target", sync)) : nullptr;
  if (target == nullptr) return false;
  for (uint64_t number = 1; number <= kMoved; ++number) {
    const auto moved = queue->Move(number, *target);
    if (!Did(moved)) return false;
    fate.moved.insert(number);
    if (!AppendFiller(*target) || !Pop(files, *target, 1 + number % 3, fate)) return false;
  }
  return true;
}

// The destination goes on alone, and what is consumed of it goes with its segments.
bool ConsumeAll(FaultyFileSystem& files, QueueSync sync, Fate& fate) {
  const auto target = Open(files, Options("/target", sync));
  if (target == nullptr) return false;
  for (int i = 0; i < 3; ++i) {
    if (!AppendFiller(*target)) return false;
  }
  for (;;) {
    const auto length = target->Length();
    if (!Did(length)) return false;
    if (*length <= 1) return Did(target->Sync());
    if (!Pop(files, *target, 1, fate)) return false;
  }
}

void Begin(FaultyFileSystem& files, QueueSync sync) {
  const auto queue = Open(files, Options("/queue", sync));
  const auto target = Open(files, Options("/target", sync));
  for (uint64_t number = 1; number <= kMoved; ++number) {
    const std::string text = TextOf(number);
    const std::string_view view = text;
    ASSERT_TRUE(queue->Append({&view, 1}));
  }
  ASSERT_TRUE(AppendFiller(*target));
  ASSERT_TRUE(queue->Sync());
  ASSERT_TRUE(target->Sync());
}

std::set<uint64_t> Here(FaultyFileSystem& files, QueueSync sync) {
  std::set<uint64_t> here;
  const auto queue = Open(files, Options("/queue", sync));
  if (queue == nullptr) return here;
  const auto records = queue->ReadMany(0, 100);
  EXPECT_TRUE(records) << records.error().message();
  for (const QueueRecord& record : *records) {
    EXPECT_EQ(record.data, TextOf(record.number));
    here.insert(record.number);
  }
  bool moves = true;
  EXPECT_TRUE(queue->Refresh());
  const auto positions = PositionsLog::Open(files, {.directory = "/queue"});
  EXPECT_TRUE((*positions)->Look([&](const Positions& state) { moves = !state.moves().empty(); }));
  EXPECT_FALSE(moves) << "a move is open";
  return here;
}

void Check(FaultyFileSystem& files, QueueSync sync, const Fate& fate) {
  const std::set<uint64_t> here = Here(files, sync);
  std::set<uint64_t> there;
  const auto target = Open(files, Options("/target", sync));
  ASSERT_NE(target, nullptr);
  const auto records = target->ReadMany(0, 100);
  ASSERT_TRUE(records) << records.error().message();
  for (const QueueRecord& record : *records) {
    const uint64_t number = SourceOf(record);
    EXPECT_TRUE(number == 0 || there.insert(number).second) << number << " came twice";
  }
  for (uint64_t number = 1; number <= kMoved; ++number) {
    SCOPED_TRACE(testing::Message() << "record " << number);
    const bool was_there = there.contains(number) || fate.consumed.contains(number);
    EXPECT_FALSE(here.contains(number) && was_there) << "it is back";
    EXPECT_FALSE(here.contains(number) && fate.moved.contains(number)) << "it was moved";
    // What was popped when the power went was perhaps taken by nobody.
    EXPECT_TRUE(here.contains(number) || was_there || fate.popping.contains(number))
        << "it is lost";
  }
}

class MovesCrash : public testing::TestWithParam<QueueSync> {
 protected:
  MovesCrash() { SetLogLevel(LogLevel::kOff); }
  ~MovesCrash() override { SetLogLevel(LogLevel::kWarning); }

  // Without a sync a power cut may lose anything.
  static std::vector<Survival> Survivals() {
    if (GetParam() == QueueSync::kNever) return {Survival::kEverything};
    return {std::begin(io::kAllSurvivals), std::end(io::kAllSurvivals)};
  }
};

TEST_P(MovesCrash, ThenTheDestinationGoesOnAloneAndTheSourceComesBackLast) {
  for (const Survival survival : Survivals()) {
    for (uint64_t n = 1;; ++n) {
      FaultyFileSystem files(n);
      Begin(files, GetParam());
      Fate fate;
      files.CrashAtOperation(n);
      const bool finished = MoveAndConsume(files, GetParam(), fate);
      if (!files.crashed()) files.Crash();
      files.Reboot(survival);
      SCOPED_TRACE(testing::Message()
                   << "crash at " << n << ", survival " << static_cast<int>(survival));
      ASSERT_TRUE(ConsumeAll(files, GetParam(), fate));
      Check(files, GetParam(), fate);
      if (testing::Test::HasFailure() || finished) break;
    }
  }
}

// In the destination's own work, too, and while the source comes back.
TEST_P(MovesCrash, TwiceAndTheSourceComesBackLast) {
  const uint64_t stride = std::max<uint64_t>(5 / ScaledCount(5), 1);
  for (const Survival survival : Survivals()) {
    bool finished = false;
    for (uint64_t n = 3; !finished; n += 17) {
      bool consumed = false;
      for (uint64_t m = 1 + n % 3; !consumed; m += 4 + 2 * stride) {
        FaultyFileSystem files(n * 1000 + m);
        Begin(files, GetParam());
        Fate fate;
        files.CrashAtOperation(n);
        finished = MoveAndConsume(files, GetParam(), fate);
        if (!files.crashed()) files.Crash();
        files.Reboot(survival);
        files.CrashAtOperation(m);
        consumed = ConsumeAll(files, GetParam(), fate) &&
                   Open(files, Options("/queue", GetParam())) != nullptr;
        if (!files.crashed()) files.Crash();
        files.Reboot(survival);
        SCOPED_TRACE(testing::Message() << "crashes at " << n << " and " << m << ", survival "
                                        << static_cast<int>(survival));
        ASSERT_TRUE(ConsumeAll(files, GetParam(), fate));
        Check(files, GetParam(), fate);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, MovesCrash,
                         testing::Values(QueueSync::kNever, QueueSync::kInterval,
                                         QueueSync::kAlways),
                         [](const auto& tested) {
                           return tested.param == QueueSync::kNever      ? "Never"
                                  : tested.param == QueueSync::kInterval ? "Interval"
                                                                         : "Always";
                         });

}  // namespace
}  // namespace larder::queue

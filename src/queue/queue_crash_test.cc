// A queue that crashes at every operation of the file system, and what it holds when it is opened
// again: what the table in include/larder/queue.h promises, and nothing that was not written.
#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "larder/log.h"
#include "log/small_files.h"
#include "queue/file_queue.h"

namespace larder::queue {
namespace {

using io::FaultyFileSystem;
using io::Survival;
using std::chrono::milliseconds;

// How far something has come: begun, returned, and promised to survive a power cut.
enum class Level : uint8_t { kNone, kBegun, kDone, kSafe };

constexpr std::array<std::string_view, 2> kGroups = {"mail", "print"};
constexpr size_t kMail = 0;
constexpr milliseconds kVisibility{1000};
constexpr uint32_t kMaxDeliveries = 2;  // to kMail, where records die

struct Known {
  std::string text;
  uint64_t batch = 0;
  Level appended = Level::kBegun;
  Level deleted = Level::kNone;
  Level moved = Level::kNone;
  Level buried = Level::kNone;          // among the dead letters
  std::array<Level, 2> acknowledged{};  // by each of kGroups
  std::array<uint32_t, 2> received{};
  std::array<uint32_t, 2> received_safe{};
};

// What a queue was asked to do, and what it promised.
struct Model {
  std::map<uint64_t, Known> records;
  std::array<Level, 2> groups{};
  bool receiving = false;

  static void Raise(Level& level) {
    if (level == Level::kDone) level = Level::kSafe;
  }
  void MakeSafe() {
    for (Level& group : groups) Raise(group);
    for (auto& [number, record] : records) {
      Raise(record.appended);
      Raise(record.deleted);
      Raise(record.moved);
      Raise(record.buried);
      for (Level& level : record.acknowledged) Raise(level);
      record.received_safe = record.received;
    }
  }
};

// What becomes of a record that was delivered too often.
enum class Dead : uint8_t { kNever, kMoved, kDeleted };

struct Way {
  QueueSync sync = QueueSync::kNever;
  bool drops = false;  // a full queue drops its oldest
  Dead dead = Dead::kNever;
};

QueueOptions SmallOptions(const Way& way) {
  QueueOptions options{.directory = "/queue"};
  options.sync = way.sync;
  options.sync_interval = std::chrono::hours(1000);
  options.max_segment_bytes = 12'000;
  if (way.drops) {
    options.max_segments = 3;
    options.when_full = QueueFull::kDropOldest;
  }
  return options;
}

QueueOptions TargetOptions(const Way& way) {
  QueueOptions options = SmallOptions({.sync = way.sync});
  options.directory = "/target";
  return options;
}

// Others append to it, too.
QueueOptions DeadLetterOptions(const Way& way) {
  QueueOptions options = SmallOptions({.sync = way.sync});
  options.directory = "/dead";
  options.writers = QueueWriters::kShared;
  return options;
}

QueueGroupOptions GroupOptions(const Way& way, size_t group) {
  QueueGroupOptions options{.visibility_timeout = kVisibility};
  if (way.dead == Dead::kNever || group != kMail) return options;
  options.visibility_timeout = kVisibility / 4;
  options.max_deliveries = kMaxDeliveries;
  if (way.dead == Dead::kMoved) options.dead_letter_directory = "/dead";
  return options;
}

// Some of everything, until the file system fails.
class Work {
 public:
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same workload every time
  Work(FaultyFileSystem& files, const Way& way, uint64_t seed, Model& model)
      : files_(files), way_(way), model_(model), random_(seed) {}

  void Run() {
    if (!Open() || !MakeGroups()) return;
    for (int step = 0; step < 26; ++step) {
      now_ms_ += static_cast<int64_t>(Below(600));
      if (!Step()) return;
      if (way_.sync == QueueSync::kAlways) model_.MakeSafe();
    }
    finished_ = Close();
  }
  bool finished() const { return finished_; }

 private:
  // Only a crash may make something fail.
  template <typename T>
  static bool Did(const Result<T>& result) {
    EXPECT_TRUE(result || FaultyFileSystem::IsCrash(result.error())) << result.error().message();
    return result.has_value();
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  auto Clock() {
    return [this] { return now_ms_; };
  }

  bool Open() {
    auto queue = FileQueue::Open(files_, SmallOptions(way_), Clock());
    if (!Did(queue)) return false;
    queue_ = *std::move(queue);
    auto target = FileQueue::Open(files_, TargetOptions(way_), Clock());
    if (!Did(target)) return false;
    target_ = *std::move(target);
    return true;
  }
  bool Close() {
    // What is deleted of the one is safe before the other is asked.
    if (!Did(queue_->Close()) || !Did(target_->Close())) return false;
    model_.MakeSafe();
    queue_ = nullptr;
    target_ = nullptr;
    return true;
  }
  bool MakeGroups() {
    for (size_t i = 0; i < kGroups.size(); ++i) {
      model_.groups[i] = Level::kBegun;
      if (!Did(queue_->CreateGroup(kGroups[i], GroupOptions(way_, i)))) return false;
      model_.groups[i] = Level::kDone;
    }
    return true;
  }

  bool Step() {
    switch (Below(way_.dead == Dead::kNever ? 14 : 22)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Append();
      case 4:
        return Pop();
      case 5:
        return Delete(Some(2));
      case 6:
        return Prune();
      case 7:
        return Move();
      case 10:
      case 11:
        return Settle();
      case 12:
        if (!Did(queue_->Sync()) || !Did(target_->Sync())) return false;
        model_.MakeSafe();
        return true;
      case 13:
        return Close() && Open();
      default:  // more often where records die of it
        return Receive();
    }
  }

  bool Append() {
    NoteWhatMayBeDropped();
    const uint64_t first = model_.records.empty() ? 1 : model_.records.rbegin()->first + 1;
    const uint64_t count = 1 + Below(3);
    const uint64_t bytes = Below(3000);
    std::vector<std::string_view> views;
    for (uint64_t number = first; number < first + count; ++number) {
      Known& record = model_.records[number];
      record.batch = first;
      record.text = std::to_string(number) + ":";
      record.text.resize(record.text.size() + bytes, static_cast<char>('a' + number % 26));
      views.push_back(record.text);
    }
    const auto last = queue_->Append(views);
    if (!Did(last)) return false;
    EXPECT_EQ(*last, first + count - 1);
    for (uint64_t number = first; number <= *last; ++number)
      model_.records[number].appended = Level::kDone;
    return true;
  }

  void NoteWhatMayBeDropped() {
    const auto names = files_.List("/queue");
    if (!way_.drops || !names) return;
    const auto segments = log::FindLogFiles("queue", *names).segments;
    if (segments.size() < 3) return;
    for (auto& [number, record] : model_.records)
      if (number < segments[1]) record.deleted = std::max(record.deleted, Level::kBegun);
  }

  // Of those that are there.
  std::vector<uint64_t> Some(size_t most) {
    std::vector<uint64_t> there;
    if (const auto records = queue_->ReadMany(0, 1000))
      for (const QueueRecord& record : *records) there.push_back(record.number);
    std::vector<uint64_t> some;
    std::ranges::sample(there, std::back_inserter(some), static_cast<int64_t>(most), random_);
    return some;
  }
  void SetDeleted(const std::vector<uint64_t>& numbers, Level level) {
    for (const uint64_t number : numbers) {
      Level& deleted = model_.records[number].deleted;
      deleted = std::max(deleted, level);
    }
  }

  bool Pop() {
    const uint64_t count = 1 + Below(3);
    const auto front = queue_->ReadMany(0, count);
    if (!front) return false;
    std::vector<uint64_t> numbers;
    for (const QueueRecord& record : *front) numbers.push_back(record.number);
    SetDeleted(numbers, Level::kBegun);
    const auto popped = queue_->PopMany(count);
    // What it returns is its caller's, and not safe when the power went meanwhile.
    if (!Did(popped) || files_.crashed()) return false;
    EXPECT_EQ(popped->size(), numbers.size());
    SetDeleted(numbers, Level::kDone);
    return true;
  }
  bool Delete(const std::vector<uint64_t>& numbers) {
    SetDeleted(numbers, Level::kBegun);
    const auto deleted = queue_->Delete(numbers);
    if (!Did(deleted)) return false;
    EXPECT_EQ(*deleted, numbers.size());
    SetDeleted(numbers, Level::kDone);
    return true;
  }
  bool Prune() {
    const auto front = queue_->ReadMany(0, 1 + Below(4));
    if (!front || front->empty()) return front.has_value();
    std::vector<uint64_t> numbers;
    for (const QueueRecord& record : *front) numbers.push_back(record.number);
    SetDeleted(numbers, Level::kBegun);
    if (!Did(queue_->Prune(numbers.back()))) return false;
    SetDeleted(numbers, Level::kDone);
    return true;
  }

  bool Move() {
    const auto numbers = Some(1);
    if (numbers.empty()) return true;
    Known& record = model_.records[numbers[0]];
    record.moved = Level::kBegun;
    if (!Did(queue_->Move(numbers[0], *target_))) return false;
    record.moved = Level::kDone;
    return true;
  }

  bool Receive() {
    const size_t group = Below(kGroups.size());
    const auto dying = group == kMail ? NoteWhatMayDie() : std::map<uint64_t, Level>();
    model_.receiving = true;
    const auto received = queue_->Receive(kGroups[group], "anna", 1 + Below(4), milliseconds(0));
    // It gives out good records also when the dead ones could not be taken away.
    if (!Did(received) || files_.crashed()) return false;
    model_.receiving = false;
    for (const QueueRecord& record : *received) {
      Known& known = model_.records[record.number];
      EXPECT_EQ(record.data, known.text);
      EXPECT_LT(known.acknowledged[group], Level::kDone) << record.number;
      EXPECT_EQ(record.deliveries, ++known.received[group]);
      EXPECT_FALSE(dying.contains(record.number)) << record.number << " came too often";
    }
    return dying.empty() || NoteWhatDied(dying);
  }

  Level& DeathOf(Known& record) const {
    return way_.dead == Dead::kMoved ? record.buried : record.deleted;
  }
  // What was delivered often enough, with the level that it comes from.
  std::map<uint64_t, Level> NoteWhatMayDie() {
    std::map<uint64_t, Level> dying;
    if (way_.dead == Dead::kNever) return dying;
    for (const uint64_t number : Some(1000)) {
      Known& record = model_.records[number];
      if (record.received[kMail] < kMaxDeliveries || record.acknowledged[kMail] != Level::kNone)
        continue;
      dying.emplace(number, DeathOf(record));
      DeathOf(record) = std::max(DeathOf(record), Level::kBegun);
    }
    return dying;
  }
  // Of some the time was not over.
  bool NoteWhatDied(const std::map<uint64_t, Level>& dying) {
    const auto left = queue_->ReadMany(0, 1000);
    if (!Did(left)) return false;
    std::set<uint64_t> here;
    for (const QueueRecord& record : *left) here.insert(record.number);
    for (const auto& [number, before] : dying) {
      Known& record = model_.records[number];
      DeathOf(record) = here.contains(number) ? before : std::max(before, Level::kDone);
    }
    return true;
  }

  // What is done with records that were received.
  bool Settle() {
    const size_t group = Below(kGroups.size());
    std::vector<uint64_t> pending;
    for (const uint64_t number : Some(1000)) {
      const Known& record = model_.records[number];
      if (record.received[group] > 0 && record.acknowledged[group] == Level::kNone &&
          pending.size() < 3)
        pending.push_back(number);
    }
    const uint64_t way = Below(6);
    if (way == 0) return Did(queue_->Release(kGroups[group], pending, milliseconds(100)));
    if (way == 1) return Did(queue_->Extend(kGroups[group], pending, milliseconds(2000)));
    SetAcknowledged(group, pending, Level::kBegun);
    const auto acknowledged = queue_->Acknowledge(kGroups[group], pending);
    if (!Did(acknowledged)) return false;
    EXPECT_EQ(*acknowledged, pending.size());
    SetAcknowledged(group, pending, Level::kDone);
    return true;
  }
  void SetAcknowledged(size_t group, const std::vector<uint64_t>& numbers, Level level) {
    for (const uint64_t number : numbers) {
      Known& record = model_.records[number];
      record.acknowledged[group] = level;
      const Level both = std::min(record.acknowledged[0], record.acknowledged[1]);
      record.deleted = std::max(record.deleted, both);
    }
  }

  FaultyFileSystem& files_;
  const Way way_;
  Model& model_;
  std::mt19937_64 random_;
  int64_t now_ms_ = 1'700'000'000'000;
  std::unique_ptr<FileQueue> queue_;
  std::unique_ptr<FileQueue> target_;
  bool finished_ = false;
};

// What a reboot has left of the two queues, held against the model.
class Checker {
 public:
  Checker(FaultyFileSystem& files, const Way& way, Level promised, const Model& model)
      : files_(files), way_(way), promised_(promised), model_(model) {}

  void Check() {
    // A moved record is in one of them when its queue has been opened.
    queue_ = Open(SmallOptions(way_));
    target_ = Open(TargetOptions(way_));
    dead_ = Open(DeadLetterOptions(way_));
    if (queue_ == nullptr || target_ == nullptr || dead_ == nullptr) return;
    ReadAll();
    for (const auto& [number, record] : model_.records) CheckRecord(number, record);
    CheckBatches();
    for (size_t i = 0; i < kGroups.size(); ++i) CheckGroup(i);
    CheckThatItGoesOn();
  }

 private:
  std::unique_ptr<FileQueue> Open(const QueueOptions& options) {
    auto queue = FileQueue::Open(files_, options, [] { return 1'800'000'000'000; });
    EXPECT_TRUE(queue) << queue.error().message();
    return queue ? *std::move(queue) : nullptr;
  }

  void ReadAll() {
    const auto here = queue_->ReadMany(0, 1000);
    ASSERT_TRUE(here) << here.error().message();
    uint64_t before = 0;
    for (const QueueRecord& record : *here) {
      EXPECT_GT(record.number, before);
      before = record.number;
      const auto known = model_.records.find(record.number);
      ASSERT_NE(known, model_.records.end()) << record.number;
      EXPECT_EQ(record.data, known->second.text);
      here_.insert(record.number);
    }
    EXPECT_EQ(queue_->Length(), here_.size());
    there_ = MovedTo(*target_, &Known::moved);
    buried_ = MovedTo(*dead_, &Known::buried);
  }

  // What came to another queue, by the numbers that they had.
  std::set<uint64_t> MovedTo(FileQueue& queue, Level Known::* level) {
    std::set<uint64_t> moved;
    const auto there = queue.ReadMany(0, 1000);
    EXPECT_TRUE(there) << there.error().message();
    if (!there) return moved;
    for (const QueueRecord& record : *there) {
      const uint64_t number = record.origin.value_or(QueueOrigin{}).number;
      const auto known = model_.records.find(number);
      EXPECT_NE(known, model_.records.end()) << "it was number " << number;
      if (known == model_.records.end()) continue;
      EXPECT_EQ(record.data, known->second.text);
      EXPECT_NE(known->second.*level, Level::kNone) << "record " << number;
      EXPECT_TRUE(moved.insert(number).second) << "moved twice";
    }
    return moved;
  }

  // With kNever a power cut may bring back what was moved.
  bool IsNeverInTwo() const { return way_.sync != QueueSync::kNever || promised_ == Level::kDone; }

  void CheckRecord(uint64_t number, const Known& record) {
    const bool here = here_.contains(number);
    const bool there = there_.contains(number) || buried_.contains(number);
    EXPECT_FALSE(there_.contains(number) && buried_.contains(number))
        << "record " << number << " is in both other queues";
    EXPECT_FALSE(IsNeverInTwo() && here && there) << "record " << number << " is in two queues";
    const bool lost = record.appended >= promised_ && record.deleted == Level::kNone && !here;
    EXPECT_FALSE(lost && !there) << "record " << number << " is lost";
    EXPECT_FALSE(here && record.deleted >= promised_) << "record " << number << " is back";
    EXPECT_FALSE(here && record.moved >= promised_) << "record " << number << " was moved";
    EXPECT_FALSE(here && record.buried >= promised_) << "record " << number << " was buried";
  }

  void CheckBatches() {
    std::map<uint64_t, bool> whole;
    for (const auto& [number, record] : model_.records) {
      if (record.deleted != Level::kNone || record.moved != Level::kNone ||
          record.buried != Level::kNone)
        continue;
      const bool here = here_.contains(number);
      const auto [batch, first] = whole.emplace(record.batch, here);
      EXPECT_EQ(batch->second, here) << "record " << number << " of the batch " << record.batch;
    }
  }

  void CheckGroup(size_t group) {
    const auto received = queue_->Receive(kGroups[group], "bert", 1000, milliseconds(0));
    if (!received) {
      EXPECT_EQ(received.error().code(), ErrorCode::kNotFound) << received.error().message();
      EXPECT_LT(model_.groups[group], promised_) << kGroups[group] << " is lost";
      return;
    }
    std::set<uint64_t> numbers;
    if (group == kMail && way_.dead != Dead::kNever) CheckWhatDiesNow();
    for (const QueueRecord& record : *received) {
      const Known& known = model_.records.at(record.number);
      EXPECT_TRUE(numbers.insert(record.number).second);
      EXPECT_TRUE(here_.contains(record.number));
      EXPECT_EQ(record.data, known.text);
      EXPECT_LT(known.acknowledged[group], promised_) << record.number << " was acknowledged";
      const uint32_t least =
          promised_ == Level::kSafe ? known.received_safe[group] : known.received[group];
      EXPECT_GT(record.deliveries, least) << record.number;
      EXPECT_LE(record.deliveries, known.received[group] + (model_.receiving ? 2 : 1));
    }
    for (const uint64_t number : here_) {
      const bool acknowledged = model_.records.at(number).acknowledged[group] != Level::kNone;
      EXPECT_TRUE(acknowledged || numbers.contains(number))
          << number << " does not come to " << kGroups[group];
    }
  }

  // All deadlines are over.
  void CheckWhatDiesNow() {
    std::set<uint64_t> buried;
    const auto letters = dead_->ReadMany(0, 1000);
    ASSERT_TRUE(letters) << letters.error().message();
    for (const QueueRecord& record : *letters) {
      const uint64_t number = record.origin.value_or(QueueOrigin{}).number;
      EXPECT_TRUE(buried.insert(number).second || !IsNeverInTwo()) << number << " died twice";
    }
    const auto left = queue_->ReadMany(0, 1000);
    ASSERT_TRUE(left) << left.error().message();
    std::set<uint64_t> here;
    for (const QueueRecord& record : *left) here.insert(record.number);
    for (const uint64_t number : std::exchange(here_, here)) {
      if (here.contains(number)) continue;
      EXPECT_EQ(buried.contains(number), way_.dead == Dead::kMoved) << number;
      EXPECT_GE(model_.records.at(number).received[kMail] + (model_.receiving ? 1 : 0),
                kMaxDeliveries)
          << number;
    }
  }

  void CheckThatItGoesOn() {
    const std::string_view text = "behind the crash";
    const auto next = queue_->Append({&text, 1});
    ASSERT_TRUE(next) << next.error().message();
    for (const auto& [number, record] : model_.records)
      EXPECT_LT(record.appended < Level::kDone ? 0 : number, *next) << "given again";
    // Unless it drops its oldest for that.
    std::vector<uint64_t> expected(here_.begin(), here_.end());
    expected.push_back(*next);
    std::vector<uint64_t> popped;
    for (;;) {
      const auto records = queue_->PopMany(3);
      ASSERT_TRUE(records) << records.error().message();
      if (records->empty()) break;
      for (const QueueRecord& record : *records) popped.push_back(record.number);
    }
    EXPECT_TRUE(way_.drops || popped == expected);
    ASSERT_FALSE(popped.empty());
    EXPECT_EQ(popped.back(), *next);
    EXPECT_EQ(queue_->Length(), 0U);
  }

  FaultyFileSystem& files_;
  const Way way_;
  const Level promised_;
  const Model& model_;
  std::unique_ptr<FileQueue> queue_;
  std::unique_ptr<FileQueue> target_;
  std::unique_ptr<FileQueue> dead_;
  std::set<uint64_t> here_;
  // By the numbers that they had.
  std::set<uint64_t> there_;
  std::set<uint64_t> buried_;
};

Level PromisedBy(Survival survival) {
  return survival == Survival::kEverything ? Level::kDone : Level::kSafe;
}

// Every crash is an error that a log tells of.
class QueueCrash : public testing::TestWithParam<Way> {
 protected:
  QueueCrash() { SetLogLevel(LogLevel::kOff); }
  ~QueueCrash() override { SetLogLevel(LogLevel::kWarning); }
};

TEST_P(QueueCrash, AtEveryOperation) {
  // Every seventh where the machine is slow.
  const uint64_t stride = std::max<uint64_t>(7 / ScaledCount(7), 1);
  for (const Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; n += stride) {
      FaultyFileSystem files(n);
      Model model;
      files.CrashAtOperation(n);
      const uint64_t seed = 7 + n % 8;
      {
        Work work(files, GetParam(), seed, model);
        work.Run();
        ASSERT_TRUE(files.crashed() || work.finished()) << "workload " << seed;
      }
      if (!files.crashed()) {
        if (n > 400) break;
        files.Crash();
      }
      files.Reboot(survival);
      SCOPED_TRACE(testing::Message() << "workload " << seed << ", crash at " << n << ", survival "
                                      << static_cast<int>(survival));
      Checker(files, GetParam(), PromisedBy(survival), model).Check();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(QueueCrash, AgainWhileItIsOpened) {
  for (uint64_t n = 20; n < 400; n += 23) {
    for (uint64_t m = 1; m < 40; m += 1 + m / 8) {
      FaultyFileSystem files(n * 100 + m);
      Model model;
      files.CrashAtOperation(n);
      Work(files, GetParam(), n, model).Run();
      if (!files.crashed()) files.Crash();
      files.Reboot(Survival::kTorn);
      files.CrashAtOperation(m);
      {
        const auto queue = FileQueue::Open(files, SmallOptions(GetParam()));
        const auto target = FileQueue::Open(files, TargetOptions(GetParam()));
        const auto dead = FileQueue::Open(files, DeadLetterOptions(GetParam()));
        if (!files.crashed()) files.Crash();
      }
      files.Reboot(Survival::kTorn);
      SCOPED_TRACE(testing::Message() << "crashes at " << n << " and " << m);
      Checker(files, GetParam(), Level::kSafe, model).Check();
      if (testing::Test::HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, QueueCrash,
                         testing::Values(Way{QueueSync::kNever}, Way{QueueSync::kInterval},
                                         Way{QueueSync::kAlways}, Way{QueueSync::kNever, true},
                                         Way{QueueSync::kAlways, true},
                                         Way{QueueSync::kNever, false, Dead::kMoved},
                                         Way{QueueSync::kInterval, false, Dead::kMoved},
                                         Way{QueueSync::kAlways, false, Dead::kMoved},
                                         Way{QueueSync::kInterval, true, Dead::kDeleted}),
                         [](const auto& tested) {
                           const Way& way = tested.param;
                           std::string name = way.sync == QueueSync::kNever      ? "Never"
                                              : way.sync == QueueSync::kInterval ? "Interval"
                                                                                 : "Always";
                           if (way.drops) name += "Dropping";
                           if (way.dead == Dead::kMoved) name += "WithDeadLetters";
                           if (way.dead == Dead::kDeleted) name += "WithDeadRecords";
                           return name;
                         });

}  // namespace
}  // namespace larder::queue

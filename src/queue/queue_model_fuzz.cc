// Any bytes as calls to two queues, from two handles each as two processes have them, held against
// a model in a few maps: every call returns what the model says, also after closing, and after a
// kill. Records move from either queue to the other, and so do dead letters.
//
// The input is a run of calls, each of four bytes: which call, to which queue and who makes it, and
// its arguments.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/faulty_file_system.h"
#include "larder/log.h"
#include "queue/file_queue.h"

namespace larder::queue {
namespace {

using std::chrono::milliseconds;

constexpr size_t kCallBytes = 4;
constexpr size_t kMostCalls = 100;
constexpr milliseconds kVisibility{500};
constexpr std::array<const char*, 2> kGroups = {"mail", "print"};
constexpr std::array<const char*, 2> kDirectories = {"/queue", "/other"};

void Require(bool holds) {
  if (!holds) std::abort();
}

template <typename T>
T Must(Result<T> result) {
  Require(result.has_value());
  return *std::move(result);
}

struct Pending {
  int64_t deadline_ms = 0;
  uint32_t deliveries = 0;
};

struct ModelGroup {
  uint64_t next = 1;
  uint32_t max_deliveries = 0;
  bool moves_dead = false;  // to the other queue
  std::map<uint64_t, Pending> pending;

  bool IsDone(uint64_t number) const { return number < next && !pending.contains(number); }
};

struct ModelRecord {
  std::string text;
  uint64_t moved_from = 0;  // its number in the other queue; 0: it was appended here
};

class Model {
 public:
  struct Delivered {
    std::vector<std::pair<uint64_t, uint32_t>> records;  // in order, with the deliveries
    std::vector<uint64_t> dead;                          // in order
  };

  const std::map<uint64_t, ModelRecord>& records() const { return records_; }
  uint64_t last() const { return last_; }
  std::map<size_t, ModelGroup>& groups() { return groups_; }

  void Append(uint64_t number, ModelRecord record) {
    Require(number > last_);
    last_ = number;
    records_.emplace(number, std::move(record));
  }
  // Whether it was there.
  bool Delete(uint64_t number) {
    for (auto& [name, group] : groups_) group.pending.erase(number);
    return records_.erase(number) != 0;
  }
  // To the end of `to`, as this number there.
  void Move(uint64_t number, Model& to, uint64_t as) {
    to.Append(as, {.text = records_.at(number).text, .moved_from = number});
    Delete(number);
  }
  void Acknowledge(size_t name, uint64_t number) {
    groups_.at(name).pending.erase(number);
    const bool done =
        std::ranges::all_of(groups_, [&](const auto& each) { return each.second.IsDone(number); });
    if (done) Delete(number);
  }
  // What a group receives, and what it has received too often: that is still there.
  Delivered Receive(size_t name, size_t count, int64_t now_ms) {
    ModelGroup& group = groups_.at(name);
    std::vector<std::pair<int64_t, uint64_t>> due;
    for (const auto& [number, pending] : group.pending)
      if (pending.deadline_ms <= now_ms) due.emplace_back(pending.deadline_ms, number);
    std::ranges::sort(due);
    Delivered delivered;
    std::vector<uint64_t> numbers;
    for (const auto& [deadline_ms, number] : due) {
      if (numbers.size() == count) break;
      const bool dead =
          group.max_deliveries != 0 && group.pending.at(number).deliveries >= group.max_deliveries;
      (dead ? delivered.dead : numbers).push_back(number);
    }
    for (auto at = records_.lower_bound(group.next); at != records_.end(); ++at)
      if (numbers.size() < count) numbers.push_back(at->first);
    for (const uint64_t number : numbers) {
      Pending& pending = group.pending[number];
      pending.deadline_ms = now_ms + kVisibility.count();
      delivered.records.emplace_back(number, ++pending.deliveries);
      group.next = std::max(group.next, number + 1);
    }
    return delivered;
  }

 private:
  std::map<uint64_t, ModelRecord> records_;
  std::map<size_t, ModelGroup> groups_;
  uint64_t last_ = 0;
};

// One of the queues: two that have it open, what it should be, and its id once that was seen.
struct Side {
  QueueOptions options;
  std::array<std::unique_ptr<FileQueue>, 2> queues;
  Model model;
  std::optional<std::array<char, 16>> id;
};

class Session {
 public:
  Session() {
    for (size_t i = 0; i < sides_.size(); ++i) {
      QueueOptions& options = sides_[i].options;
      options.directory = kDirectories[i];
      options.sync = QueueSync::kNever;
      options.max_segment_bytes = 12'000;
      options.writers = QueueWriters::kShared;
    }
    OpenAll();
  }

  void Call(std::string_view bytes) {
    for (size_t i = 0; i < kCallBytes; ++i) argument_[i] = static_cast<uint8_t>(bytes[i]);
    const size_t which = (argument_[0] >> 6U) % 2;
    side_ = &sides_[which];
    other_ = &sides_[1 - which];
    who_ = argument_[0] >> 7U;
    const uint8_t call = argument_[0] % 32;
    if (call >= 16) return CallOfTwo(call);
    switch (call) {
      case 0:
      case 1:
      case 2:
        return Append();
      case 3:
        return Pop();
      case 4:
        return Delete();
      case 5:
        return Prune();
      case 12:
        now_ms_ += int64_t{argument_[1]} * 4;
        return;
      case 13:
        return Reopen();
      case 14:
        return Kill();
      case 15:
        return Read();
      default:
        return CallOfGroup(call);
    }
  }

  void Check() {
    for (Side& side : sides_)
      for (const auto& queue : side.queues) CheckQueue(side, *queue);
  }

 private:
  // ---- What a call is.

  void CallOfGroup(uint8_t call) {
    const size_t name = argument_[1] % kGroups.size();
    const bool known = side_->model.groups().contains(name);
    if (call == 6) return known ? ExpectExists(name) : CreateGroup(name);
    if (!known) return ExpectNoGroup(name);
    switch (call) {
      case 9:
        return Acknowledge(name);
      case 10:
        return Release(name);
      case 11:
        return Extend(name);
      case 19:
        return DropGroup(name);
      default:
        return Receive(name);
    }
  }

  void CallOfTwo(uint8_t call) {
    switch (call) {
      case 16:
      case 17:
        return Move();
      case 18:
        return MoveAndDie();
      case 20:
        return ReopenAll();
      default:
        return CallOfGroup(call);
    }
  }

  FileQueue& Queue() { return *side_->queues[who_]; }
  Model& Here() { return side_->model; }

  // ---- What the queues hold.

  void CheckQueue(Side& side, FileQueue& queue) {
    Model& model = side.model;
    Require(Must(queue.Length()) == model.records().size());
    ExpectRecords(side, Must(queue.ReadMany(0, SIZE_MAX)), 0, SIZE_MAX);
    const QueueStats stats = Must(queue.Stats());
    Require(stats.last == model.last());
    Require(stats.groups.size() == model.groups().size());
    size_t at = 0;
    for (const auto& [name, group] : model.groups()) {
      const QueueGroupStats& found = stats.groups[at++];
      Require(found.name == kGroups[name] && found.pending == group.pending.size());
      const auto waiting =
          std::distance(model.records().lower_bound(group.next), model.records().end());
      Require(found.waiting == static_cast<uint64_t>(waiting));
    }
  }

  // Mostly one that exists.
  uint64_t NumberOf(uint8_t argument) const { return argument % (side_->model.last() + 2); }

  void ExpectRecord(Side& side, const QueueRecord& found, const ModelRecord& expected) {
    Require(found.data == expected.text);
    Require(found.origin.has_value() == (expected.moved_from != 0));
    if (!found.origin) return;
    Require(found.origin->number == expected.moved_from);
    Side& source = &side == sides_.data() ? sides_[1] : sides_[0];
    if (!source.id) source.id = found.origin->queue;
    Require(found.origin->queue == *source.id);
  }
  void ExpectRecords(Side& side, const std::vector<QueueRecord>& found, uint64_t from,
                     size_t count) {
    auto expected = side.model.records().lower_bound(from);
    for (const QueueRecord& record : found) {
      Require(expected != side.model.records().end());
      Require(record.number == expected->first);
      ExpectRecord(side, record, expected->second);
      ++expected;
    }
    Require(found.size() == count || expected == side.model.records().end());
  }

  // ---- Putting in and taking out.

  void Append() {
    const size_t count = 1 + argument_[1] % 3;
    std::vector<std::string> texts;
    texts.reserve(count);
    for (size_t i = 0; i < count; ++i)
      texts.emplace_back(size_t{argument_[2]} * 16 + i, static_cast<char>(argument_[3] + i));
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const uint64_t last = Must(Queue().Append(views));
    for (size_t i = 0; i < count; ++i)
      Here().Append(last - count + 1 + i, {.text = std::move(texts[i])});
  }

  void Pop() {
    const size_t count = argument_[1] % 5;
    const auto popped = Must(Queue().PopMany(count));
    ExpectRecords(*side_, popped, 0, count);
    for (const QueueRecord& record : popped) Here().Delete(record.number);
  }

  void Delete() {
    const std::vector<uint64_t> numbers = {NumberOf(argument_[1]), NumberOf(argument_[2]),
                                           NumberOf(argument_[3])};
    uint64_t there = 0;
    for (const uint64_t number : numbers) there += Here().Delete(number) ? 1 : 0;
    Require(Must(Queue().Delete(numbers)) == there);
  }

  void Prune() {
    const uint64_t up_to = NumberOf(argument_[1]);
    uint64_t there = 0;
    while (!Here().records().empty() && Here().records().begin()->first <= up_to)
      there += Here().Delete(Here().records().begin()->first) ? 1 : 0;
    Require(Must(Queue().Prune(up_to)) == there);
  }

  void Read() {
    const uint64_t number = NumberOf(argument_[1]);
    const auto record = Queue().Read(number);
    const auto expected = Here().records().find(number);
    Require(record.has_value() == (expected != Here().records().end()));
    if (record) ExpectRecord(*side_, *record, expected->second);
    ExpectRecords(*side_, Must(Queue().ReadMany(number, argument_[2])), number, argument_[2]);
  }

  // ---- Moves.

  Result<uint64_t> MoveOne(uint64_t number) {
    return Queue().Move(number, *other_->queues[argument_[2] % 2]);
  }

  void Move() {
    const uint64_t number = NumberOf(argument_[1]);
    const auto moved = MoveOne(number);
    if (Here().records().contains(number)) {
      Here().Move(number, other_->model, Must(moved));
    } else {
      Require(!moved && moved.error().code() == ErrorCode::kNotFound);
    }
  }

  // All die at an operation within the move or behind it. The record is in one of the queues.
  void MoveAndDie() {
    const uint64_t number = NumberOf(argument_[1]);
    const bool there = Here().records().contains(number);
    files_.CrashAtOperation(1 + argument_[3] % 16);
    const auto moved = MoveOne(number);
    Require(there || !moved);
    Kill();
    const auto came = Must(other_->queues[0]->ReadMany(other_->model.last() + 1, SIZE_MAX));
    Require(there || came.empty());
    Require(!moved || came.size() == 1);
    if (came.empty()) return;
    Require(came.size() == 1 && (!moved || came[0].number == *moved));
    Here().Move(number, other_->model, came[0].number);
  }

  void ExpectBuried(const ModelGroup& group, const std::vector<uint64_t>& dead) {
    if (!group.moves_dead) {
      for (const uint64_t number : dead) Here().Delete(number);
      return;
    }
    const auto came = Must(other_->queues[0]->ReadMany(other_->model.last() + 1, SIZE_MAX));
    Require(came.size() == dead.size());
    for (size_t i = 0; i < dead.size(); ++i) Here().Move(dead[i], other_->model, came[i].number);
    for (const QueueRecord& record : came)
      ExpectRecord(*other_, record, other_->model.records().at(record.number));
  }

  // ---- Groups.

  void CreateGroup(size_t name) {
    const bool newest = argument_[2] % 2 == 0;
    ModelGroup group{.next = newest ? Here().last() + 1 : 1,
                     .max_deliveries = argument_[3] % 4U,
                     .moves_dead = argument_[3] % 8 >= 4,
                     .pending = {}};
    const auto created = Queue().CreateGroup(
        kGroups[name],
        {.start = newest ? kQueueNewest : kQueueOldest,
         .visibility_timeout = kVisibility,
         .max_deliveries = group.max_deliveries,
         .dead_letter_directory = group.moves_dead ? other_->options.directory : ""});
    Require(created.has_value());
    Here().groups()[name] = std::move(group);
  }
  void ExpectExists(size_t name) {
    const auto created = Queue().CreateGroup(kGroups[name], {});
    Require(!created && created.error().code() == ErrorCode::kAlreadyExists);
  }
  void ExpectNoGroup(size_t name) {
    const auto received = Queue().Receive(kGroups[name], "anna", 1, milliseconds(0));
    Require(!received && received.error().code() == ErrorCode::kNotFound);
  }
  void DropGroup(size_t name) {
    Require(Queue().DropGroup(kGroups[name]).has_value());
    Here().groups().erase(name);
  }

  void Receive(size_t name) {
    const size_t count = argument_[2] % 6;
    const auto received = Must(Queue().Receive(kGroups[name], "anna", count, milliseconds(0)));
    const auto expected = Here().Receive(name, count, now_ms_);
    Require(received.size() == expected.records.size());
    for (size_t i = 0; i < received.size(); ++i) {
      const auto& [number, deliveries] = expected.records[i];
      Require(received[i].number == number && received[i].deliveries == deliveries);
      ExpectRecord(*side_, received[i], Here().records().at(number));
    }
    ExpectBuried(Here().groups().at(name), expected.dead);
  }

  // Three numbers, and those of them that are pending.
  std::vector<uint64_t> Numbers() const {
    const uint64_t first = NumberOf(argument_[2]);
    return {first + 1, first, first + argument_[3] % 4};
  }
  std::vector<uint64_t> PendingOf(size_t name, std::vector<uint64_t> numbers) {
    std::ranges::sort(numbers);
    numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
    std::erase_if(numbers, [&](uint64_t number) {
      return !Here().groups().at(name).pending.contains(number);
    });
    return numbers;
  }

  void Acknowledge(size_t name) {
    const auto pending = PendingOf(name, Numbers());
    Require(Must(Queue().Acknowledge(kGroups[name], Numbers())) == pending.size());
    for (const uint64_t number : pending) Here().Acknowledge(name, number);
  }
  void Release(size_t name) {
    const milliseconds delay = TimeOf(argument_[3], 1);
    const auto pending = PendingOf(name, Numbers());
    Require(Must(Queue().Release(kGroups[name], Numbers(), delay)) == pending.size());
    SetDeadlines(name, pending, delay);
  }
  void Extend(size_t name) {
    const milliseconds timeout = TimeOf(argument_[3], 8);
    const auto pending = PendingOf(name, Numbers());
    Require(Must(Queue().Extend(kGroups[name], Numbers(), timeout)) == pending.size());
    SetDeadlines(name, pending, timeout);
  }
  // The ends of what there is, too.
  static milliseconds TimeOf(uint8_t argument, int64_t unit) {
    if (argument == 255) return milliseconds::max();
    if (argument == 254) return milliseconds::min();
    return milliseconds(argument * unit);
  }
  void SetDeadlines(size_t name, const std::vector<uint64_t>& numbers, milliseconds by) {
    constexpr int64_t kLatest = std::numeric_limits<int64_t>::max();
    const int64_t ms = std::max<int64_t>(by.count(), 0);
    for (const uint64_t number : numbers) {
      Here().groups().at(name).pending.at(number).deadline_ms =
          ms > kLatest - now_ms_ ? kLatest : now_ms_ + ms;
    }
  }

  // ---- Opening.

  std::unique_ptr<FileQueue> Open(const Side& side) {
    return Must(FileQueue::Open(files_, side.options, [this] { return now_ms_; }));
  }
  void OpenAll() {
    for (Side& side : sides_)
      for (auto& queue : side.queues) queue = Open(side);
  }
  void Reopen() {
    auto& queue = side_->queues[who_];
    Require(queue->Close().has_value());
    queue = nullptr;
    queue = Open(*side_);
  }
  void ReopenAll() {
    for (Side& side : sides_) {
      for (auto& queue : side.queues) {
        Require(queue->Close().has_value());
        queue = nullptr;
      }
    }
    OpenAll();
  }
  void Kill() {
    if (!files_.crashed()) files_.Crash();
    for (Side& side : sides_)
      for (auto& queue : side.queues) queue = nullptr;
    files_.Reboot(io::Survival::kEverything);
    OpenAll();
  }

  io::FaultyFileSystem files_;
  int64_t now_ms_ = 1'700'000'000'000;
  std::array<Side, 2> sides_;
  std::array<uint8_t, kCallBytes> argument_{};
  // Of the call: which queue, the one that records move to, and which of its two handles.
  Side* side_ = sides_.data();
  Side* other_ = &sides_[1];
  size_t who_ = 0;
};

void Run(std::string_view input) {
  // Every kill is an error that a log tells of.
  SetLogLevel(LogLevel::kOff);
  Session session;
  for (size_t i = 0; i < kMostCalls && input.size() >= kCallBytes; ++i) {
    session.Call(input);
    input.remove_prefix(kCallBytes);
  }
  session.Check();
}

}  // namespace
}  // namespace larder::queue

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::queue::Run({reinterpret_cast<const char*>(data), size});
  return 0;
}

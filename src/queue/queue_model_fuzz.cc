// Any bytes as calls to a queue, from two handles as two processes have them, held against a model
// in a few maps: every call returns what the model says, also after closing, and after a kill.
//
// The input is a run of calls, each of four bytes: which call and who makes it, and its arguments.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
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
  std::map<uint64_t, Pending> pending;

  bool IsDone(uint64_t number) const { return number < next && !pending.contains(number); }
};

class Model {
 public:
  const std::map<uint64_t, std::string>& records() const { return records_; }
  uint64_t last() const { return last_; }
  std::map<size_t, ModelGroup>& groups() { return groups_; }

  void Append(uint64_t number, std::string text) {
    Require(number > last_);
    last_ = number;
    records_.emplace(number, std::move(text));
  }
  // Whether it was there.
  bool Delete(uint64_t number) {
    for (auto& [name, group] : groups_) group.pending.erase(number);
    return records_.erase(number) != 0;
  }
  void Acknowledge(size_t name, uint64_t number) {
    groups_.at(name).pending.erase(number);
    const bool done =
        std::ranges::all_of(groups_, [&](const auto& each) { return each.second.IsDone(number); });
    if (done) Delete(number);
  }
  // What a group receives, in order, with the deliveries.
  std::vector<std::pair<uint64_t, uint32_t>> Receive(size_t name, size_t count, int64_t now_ms) {
    ModelGroup& group = groups_.at(name);
    std::vector<std::pair<int64_t, uint64_t>> due;
    for (const auto& [number, pending] : group.pending)
      if (pending.deadline_ms <= now_ms) due.emplace_back(pending.deadline_ms, number);
    std::ranges::sort(due);
    std::vector<uint64_t> numbers;
    for (const auto& [deadline_ms, number] : due)
      if (numbers.size() < count) numbers.push_back(number);
    for (auto at = records_.lower_bound(group.next); at != records_.end(); ++at)
      if (numbers.size() < count) numbers.push_back(at->first);
    std::vector<std::pair<uint64_t, uint32_t>> received;
    for (const uint64_t number : numbers) {
      Pending& pending = group.pending[number];
      pending.deadline_ms = now_ms + kVisibility.count();
      received.emplace_back(number, ++pending.deliveries);
      group.next = std::max(group.next, number + 1);
    }
    return received;
  }

 private:
  std::map<uint64_t, std::string> records_;
  std::map<size_t, ModelGroup> groups_;
  uint64_t last_ = 0;
};

class Session {
 public:
  Session() {
    options_.directory = "/queue";
    options_.sync = QueueSync::kNever;
    options_.max_segment_bytes = 12'000;
    options_.writers = QueueWriters::kShared;
    for (auto& queue : queues_) queue = Open();
  }

  void Call(std::string_view bytes) {
    for (size_t i = 0; i < kCallBytes; ++i) argument_[i] = static_cast<uint8_t>(bytes[i]);
    FileQueue& queue = *queues_[argument_[0] >> 7U];
    const size_t name = argument_[1] % kGroups.size();
    const bool known = model_.groups().contains(name);
    switch (argument_[0] % 16) {
      case 0:
      case 1:
      case 2:
        return Append(queue);
      case 3:
        return Pop(queue);
      case 4:
        return Delete(queue);
      case 5:
        return Prune(queue);
      case 6:
        return known ? ExpectExists(queue, name) : CreateGroup(queue, name);
      case 7:
      case 8:
        return known ? Receive(queue, name) : ExpectNoGroup(queue, name);
      case 9:
        return known ? Acknowledge(queue, name) : ExpectNoGroup(queue, name);
      case 10:
        return known ? Release(queue, name) : ExpectNoGroup(queue, name);
      case 11:
        return known ? Extend(queue, name) : ExpectNoGroup(queue, name);
      case 12:
        now_ms_ += int64_t{argument_[1]} * 4;
        return;
      case 13:
        return Reopen();
      case 14:
        return Kill();
      default:
        return Read(queue);
    }
  }

  void Check() {
    for (const auto& queue : queues_) {
      Require(Must(queue->Length()) == model_.records().size());
      ExpectRecords(Must(queue->ReadMany(0, SIZE_MAX)), 0, SIZE_MAX);
      const QueueStats stats = Must(queue->Stats());
      Require(stats.last == model_.last());
      Require(stats.groups.size() == model_.groups().size());
      size_t at = 0;
      for (const auto& [name, group] : model_.groups()) {
        const QueueGroupStats& found = stats.groups[at++];
        Require(found.name == kGroups[name] && found.pending == group.pending.size());
        const auto waiting =
            std::distance(model_.records().lower_bound(group.next), model_.records().end());
        Require(found.waiting == static_cast<uint64_t>(waiting));
      }
    }
  }

 private:
  std::unique_ptr<FileQueue> Open() {
    return Must(FileQueue::Open(files_, options_, [this] { return now_ms_; }));
  }

  // Mostly one that exists.
  uint64_t NumberOf(uint8_t argument) const { return argument % (model_.last() + 2); }

  void ExpectRecords(const std::vector<QueueRecord>& found, uint64_t from, size_t count) const {
    auto expected = model_.records().lower_bound(from);
    for (const QueueRecord& record : found) {
      Require(expected != model_.records().end());
      Require(record.number == expected->first && record.data == expected->second);
      ++expected;
    }
    Require(found.size() == count || expected == model_.records().end());
  }

  void Append(FileQueue& queue) {
    const size_t count = 1 + argument_[1] % 3;
    std::vector<std::string> texts;
    texts.reserve(count);
    for (size_t i = 0; i < count; ++i)
      texts.emplace_back(size_t{argument_[2]} * 16 + i, static_cast<char>(argument_[3] + i));
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const uint64_t last = Must(queue.Append(views));
    for (size_t i = 0; i < count; ++i) model_.Append(last - count + 1 + i, std::move(texts[i]));
  }

  void Pop(FileQueue& queue) {
    const size_t count = argument_[1] % 5;
    const auto popped = Must(queue.PopMany(count));
    ExpectRecords(popped, 0, count);
    for (const QueueRecord& record : popped) model_.Delete(record.number);
  }

  void Delete(FileQueue& queue) {
    const std::vector<uint64_t> numbers = {NumberOf(argument_[1]), NumberOf(argument_[2]),
                                           NumberOf(argument_[3])};
    uint64_t there = 0;
    for (const uint64_t number : numbers) there += model_.Delete(number) ? 1 : 0;
    Require(Must(queue.Delete(numbers)) == there);
  }

  void Prune(FileQueue& queue) {
    const uint64_t up_to = NumberOf(argument_[1]);
    uint64_t there = 0;
    while (!model_.records().empty() && model_.records().begin()->first <= up_to)
      there += model_.Delete(model_.records().begin()->first) ? 1 : 0;
    Require(Must(queue.Prune(up_to)) == there);
  }

  void CreateGroup(FileQueue& queue, size_t name) {
    const bool newest = argument_[2] % 2 == 0;
    Require(queue
                .CreateGroup(kGroups[name], {.start = newest ? kQueueNewest : kQueueOldest,
                                             .visibility_timeout = kVisibility})
                .has_value());
    model_.groups()[name].next = newest ? model_.last() + 1 : 1;
  }
  static void ExpectExists(FileQueue& queue, size_t name) {
    const auto created = queue.CreateGroup(kGroups[name], {});
    Require(!created && created.error().code() == ErrorCode::kAlreadyExists);
  }
  static void ExpectNoGroup(FileQueue& queue, size_t name) {
    const auto received = queue.Receive(kGroups[name], "anna", 1, milliseconds(0));
    Require(!received && received.error().code() == ErrorCode::kNotFound);
  }

  void Receive(FileQueue& queue, size_t name) {
    const size_t count = argument_[2] % 6;
    const auto received = Must(queue.Receive(kGroups[name], "anna", count, milliseconds(0)));
    const auto expected = model_.Receive(name, count, now_ms_);
    Require(received.size() == expected.size());
    for (size_t i = 0; i < received.size(); ++i) {
      const auto& [number, deliveries] = expected[i];
      Require(received[i].number == number && received[i].deliveries == deliveries);
      Require(received[i].data == model_.records().at(number));
    }
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
      return !model_.groups().at(name).pending.contains(number);
    });
    return numbers;
  }

  void Acknowledge(FileQueue& queue, size_t name) {
    const auto pending = PendingOf(name, Numbers());
    Require(Must(queue.Acknowledge(kGroups[name], Numbers())) == pending.size());
    for (const uint64_t number : pending) model_.Acknowledge(name, number);
  }
  void Release(FileQueue& queue, size_t name) {
    const milliseconds delay(argument_[3]);
    const auto pending = PendingOf(name, Numbers());
    Require(Must(queue.Release(kGroups[name], Numbers(), delay)) == pending.size());
    SetDeadlines(name, pending, delay);
  }
  void Extend(FileQueue& queue, size_t name) {
    const milliseconds timeout(argument_[3] * 8);
    const auto pending = PendingOf(name, Numbers());
    Require(Must(queue.Extend(kGroups[name], Numbers(), timeout)) == pending.size());
    SetDeadlines(name, pending, timeout);
  }
  void SetDeadlines(size_t name, const std::vector<uint64_t>& numbers, milliseconds by) {
    for (const uint64_t number : numbers)
      model_.groups().at(name).pending.at(number).deadline_ms = now_ms_ + by.count();
  }

  void Read(FileQueue& queue) {
    const uint64_t number = NumberOf(argument_[1]);
    const auto record = queue.Read(number);
    const auto expected = model_.records().find(number);
    Require(record.has_value() == (expected != model_.records().end()));
    if (record) Require(record->data == expected->second);
    ExpectRecords(Must(queue.ReadMany(number, argument_[2])), number, argument_[2]);
  }

  void Reopen() {
    auto& queue = queues_[argument_[0] >> 7U];
    Require(queue->Close().has_value());
    queue = nullptr;
    queue = Open();
  }

  void Kill() {
    files_.Crash();
    for (auto& queue : queues_) queue = nullptr;
    files_.Reboot(io::Survival::kEverything);
    for (auto& queue : queues_) queue = Open();
  }

  io::FaultyFileSystem files_;
  QueueOptions options_;
  int64_t now_ms_ = 1'700'000'000'000;
  std::array<std::unique_ptr<FileQueue>, 2> queues_;
  std::array<uint8_t, kCallBytes> argument_{};
  Model model_;
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

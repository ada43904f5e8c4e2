// Groups of consumers: who gets which record, for how long, and how often.
#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "io/absolute_path.h"
#include "queue/existing_records.h"
#include "queue/file_queue.h"

namespace larder::queue {

namespace {

using std::chrono::steady_clock;

constexpr size_t kMostDeadInAStep = 100;
constexpr std::chrono::seconds kBuryAgainAfter{1};

std::unexpected<Error> NoGroup(std::string_view group) {
  return Fail(ErrorCode::kNotFound, fmt::format("there is no group \"{}\" in this queue", group));
}

Result<const Group*> GroupOf(const Positions& state, std::string_view name) {
  const Group* const group = state.FindGroup(name);
  if (group == nullptr) return NoGroup(name);
  return group;
}

int64_t Later(int64_t now_ms, std::chrono::milliseconds by) {
  const int64_t ms = std::max<int64_t>(by.count(), 0);
  return now_ms > std::numeric_limits<int64_t>::max() - ms ? std::numeric_limits<int64_t>::max()
                                                           : now_ms + ms;
}

std::vector<uint64_t> PendingOf(const Group& group, std::span<const uint64_t> numbers) {
  std::vector<uint64_t> pending;
  for (const uint64_t number : numbers)
    if (group.pending().contains(number)) pending.push_back(number);
  std::ranges::sort(pending);
  pending.erase(std::ranges::unique(pending).begin(), pending.end());
  return pending;
}

}  // namespace

Result<void> FileQueue::CreateGroup(std::string_view group, const QueueGroupOptions& options) {
  if (group.empty() || group.size() > kMaxNameBytes) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("a group's name has 1 to {} bytes, not {}",
                                                         kMaxNameBytes, group.size()));
  }
  if (options.visibility_timeout.count() <= 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a group's visibility_timeout is {} ms; at least 1",
                            options.visibility_timeout.count()));
  }
  if (!options.dead_letter_directory.empty() && options.dead_letter_prefix == options_.prefix &&
      io::AbsolutePath(options.dead_letter_directory) == options_.directory) {
    return Fail(ErrorCode::kInvalidArgument,
                "a group's dead letters cannot go to the queue that they come from");
  }
  LARDER_ASSIGN(auto step, BeginStep());
  if (step.state().FindGroup(group) != nullptr)
    return Fail(ErrorCode::kAlreadyExists, fmt::format("there is a group \"{}\" already", group));
  const uint64_t start = options.start == kQueueNewest ? reader_->committed() + 1 : options.start;
  SetGroup change{.group = std::string(group),
                  .settings = {.visibility_timeout_ms = options.visibility_timeout.count(),
                               .max_deliveries = options.max_deliveries,
                               .dead_letter = {}},
                  .next = std::max<uint64_t>(start, 1)};
  if (!options.dead_letter_directory.empty()) {
    change.settings.dead_letter = {.directory = io::AbsolutePath(options.dead_letter_directory),
                                   .prefix = options.dead_letter_prefix};
  }
  LARDER_TRY(step.Commit(change));
  return positions_->Settle(step.End());
}

Result<void> FileQueue::DropGroup(std::string_view group) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_TRY(GroupOf(step.state(), group));
  LARDER_TRY(step.Commit(queue::DropGroup{.group = std::string(group)}));
  return positions_->Settle(step.End());
}

// ---- Delivering.

// What is due of a group, and what has been delivered too often.
struct FileQueue::Overdue {
  std::vector<QueueRecord> again;
  std::vector<QueueRecord> dead;
  std::vector<uint64_t> lost;  // a power cut took the records
};

Result<FileQueue::Overdue> FileQueue::FindOverdue(const Positions& state, const Group& group,
                                                  int64_t now_ms, size_t count, size_t most_dead) {
  Overdue overdue;
  const uint64_t most = group.settings().max_deliveries;
  for (const auto& [deadline_ms, number] : group.due()) {
    if (deadline_ms > now_ms || overdue.again.size() == count) break;
    if (state.moves().contains(number)) continue;
    const bool dead = most != 0 && group.Deliveries(number) >= most;
    if (dead && overdue.dead.size() == most_dead) continue;
    auto record = reader_->Read(number);
    if (!record) {
      if (record.error().code() != ErrorCode::kNotFound)
        return std::unexpected(std::move(record).error());
      overdue.lost.push_back(number);
      continue;
    }
    LARDER_ASSIGN(QueueRecord taken, FromLog(*std::move(record)));
    (dead ? overdue.dead : overdue.again).push_back(std::move(taken));
  }
  return overdue;
}

// Takes them out of the group, into the queue for dead letters if it has one.
Result<void> FileQueue::Bury(PositionsLog::Step& step, const Place& place, const Overdue& overdue) {
  if (!overdue.lost.empty())
    LARDER_TRY(step.Commit(queue::Delete{.ranges = RangesOf(overdue.lost)}));
  if (overdue.dead.empty()) return {};
  if (place.directory.empty())
    return step.Commit(queue::Delete{.ranges = RangesOfRecords(overdue.dead)});
  LARDER_ASSIGN(log::Writer* const destination, DeadLetterWriter(place));
  if (const auto moved = MoveInStep(step, overdue.dead, *destination, place); !moved) {
    // It may take no more until it is opened again.
    DropDeadLetterWriter(place);
    return std::unexpected(moved.error());
  }
  return {};
}

Result<std::vector<QueueRecord>> FileQueue::ReceiveNow(std::string_view name,
                                                       std::string_view consumer, size_t count) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const Group* group, GroupOf(step.state(), name));
  const int64_t now_ms = now_ms_();
  const bool may_bury = steady_clock::now() >= BuryAgainAt();
  LARDER_ASSIGN(Overdue overdue,
                FindOverdue(step.state(), *group, now_ms, count, may_bury ? kMostDeadInAStep : 0));
  std::vector<QueueRecord> received = std::move(overdue.again);
  LARDER_ASSIGN(auto fresh, Live(step.state(), group->next(), count - received.size()));
  // Behind a record that moves the group waits: should it stay here, it is delivered, too.
  const auto moving = step.state().moves().lower_bound(group->next());
  if (moving != step.state().moves().end())
    std::erase_if(fresh, [&](const QueueRecord& at) { return at.number > moving->first; });
  std::ranges::move(fresh, std::back_inserter(received));
  if (!received.empty())
    LARDER_TRY(step.Commit(Deliver{
        .group = std::string(name),
        .consumer = std::string(consumer),
        .now_ms = now_ms,
        .deadline_ms =
            Later(now_ms, std::chrono::milliseconds(group->settings().visibility_timeout_ms)),
        .ranges = RangesOfRecords(received)}));
  for (QueueRecord& record : received)
    record.deliveries =
        static_cast<uint32_t>(std::min<uint64_t>(group->Deliveries(record.number), UINT32_MAX));
  // Who asks for good records gets them whatever becomes of the bad ones.
  if (const auto buried = Bury(step, Place(group->settings().dead_letter), overdue); !buried)
    NoteNotBuried(name, buried.error());
  RemoveDeadSegments(step, RangesOfRecords(overdue.dead));
  LARDER_TRY(positions_->Settle(step.End()));
  return received;
}

FileQueue::TimePoint FileQueue::BuryAgainAt() {
  const MutexLock lock(mutex_);
  return bury_again_at_;
}

void FileQueue::NoteNotBuried(std::string_view group, const Error& error) {
  LogWarning(fmt::format("queue {}/{}: what group \"{}\" has received too often stays for now: {}",
                         options_.directory, options_.prefix, group, error.message()));
  const MutexLock lock(mutex_);
  bury_again_at_ = steady_clock::now() + kBuryAgainAfter;
}

Result<std::vector<QueueRecord>> FileQueue::Receive(std::string_view group,
                                                    std::string_view consumer, size_t count,
                                                    Milliseconds timeout) {
  if (consumer.empty() || consumer.size() > kMaxNameBytes) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("a consumer's name has 1 to {} bytes, not {}", kMaxNameBytes, consumer.size()));
  }
  count = std::min<size_t>(count, kMaxDelivered);
  auto received = ReceiveNow(group, consumer, count);
  if (!received || !received->empty() || count == 0) return received;
  const auto deadline = DeadlineAfter(timeout);
  while (steady_clock::now() < deadline && !closed_) {
    // What is appended, released or extended from here on wakes.
    LARDER_ASSIGN(const uint32_t prepared, reader_->PrepareToWait());
    received = ReceiveNow(group, consumer, count);
    if (!received || !received->empty()) return received;
    LARDER_ASSIGN(auto until, NextDelivery(group, deadline));
    // What cannot be buried is due all the time.
    until = std::min(deadline, std::max(until, BuryAgainAt()));
    LARDER_TRY(reader_->Wait(prepared, until));
    received = ReceiveNow(group, consumer, count);
    if (!received || !received->empty()) return received;
  }
  return received;
}

// When a pending record is due, if that comes before `deadline`.
Result<FileQueue::TimePoint> FileQueue::NextDelivery(std::string_view name, TimePoint deadline) {
  TimePoint next = deadline;
  Result<void> found;
  LARDER_TRY(positions_->Look([&](const Positions& state) {
    const auto group = GroupOf(state, name);
    if (!group) {
      found = std::unexpected(group.error());
      return;
    }
    const auto due_ms = state.NextDeadline(**group);
    if (due_ms)
      next = std::min(deadline, DeadlineAfter(std::chrono::milliseconds(*due_ms - now_ms_())));
  }));
  if (!found) return std::unexpected(std::move(found).error());
  return next;
}

// ---- What consumers say of what they have received.

Result<uint64_t> FileQueue::Acknowledge(std::string_view name, Numbers numbers) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const Group* const group, GroupOf(step.state(), name));
  const std::vector<uint64_t> pending = PendingOf(*group, numbers);
  if (pending.empty()) return 0;
  const std::vector<Range> ranges = RangesOf(pending);
  LARDER_TRY(step.Commit(queue::Acknowledge{.group = std::string(name),
                                            .delete_when_done = !options_.keep_acknowledged,
                                            .ranges = ranges}));
  if (!options_.keep_acknowledged) RemoveDeadSegments(step, ranges);
  LARDER_TRY(positions_->Settle(step.End()));
  return pending.size();
}

Result<uint64_t> FileQueue::Release(std::string_view name, Numbers numbers, Milliseconds delay) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const Group* const group, GroupOf(step.state(), name));
  const std::vector<uint64_t> pending = PendingOf(*group, numbers);
  if (pending.empty()) return 0;
  LARDER_TRY(step.Commit(queue::Release{.group = std::string(name),
                                        .available_at_ms = Later(now_ms_(), delay),
                                        .ranges = RangesOf(pending)}));
  LARDER_TRY(positions_->Settle(step.End()));
  // Who waits for records of this group has to look anew when the next one is due.
  LARDER_TRY(reader_->Nudge());
  return pending.size();
}

Result<uint64_t> FileQueue::Extend(std::string_view name, Numbers numbers, Milliseconds timeout) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const Group* const group, GroupOf(step.state(), name));
  const std::vector<uint64_t> pending = PendingOf(*group, numbers);
  if (pending.empty()) return 0;
  LARDER_TRY(step.Commit(queue::Extend{.group = std::string(name),
                                       .deadline_ms = Later(now_ms_(), timeout),
                                       .ranges = RangesOf(pending)}));
  LARDER_TRY(positions_->Settle(step.End()));
  LARDER_TRY(reader_->Nudge());
  return pending.size();
}

Result<std::vector<QueueGroupStats>> FileQueue::GroupStats() {
  LARDER_ASSIGN(const auto segments, reader_->ListSegments());
  std::vector<QueueGroupStats> all;
  LARDER_TRY(positions_->Look([&](const Positions& state) {
    for (const auto& [name, group] : state.groups()) {
      QueueGroupStats stats;
      stats.name = name;
      stats.next = group.next();
      stats.waiting = CountLive(segments, state.deleted(), group.next());
      stats.pending = group.pending().size();
      for (const auto& [number, pending] : group.pending())
        if (pending.deliveries > 1) ++stats.redelivered;
      stats.consumers.assign(group.consumers().begin(), group.consumers().end());
      all.push_back(std::move(stats));
    }
  }));
  return all;
}

}  // namespace larder::queue

#include "queue/positions.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace larder::queue {

// ---- Group.

uint64_t Group::Deliveries(uint64_t number) const {
  const auto at = pending_.find(number);
  return at == pending_.end() ? 0 : at->second.deliveries;
}

bool Group::AllPending(const Range& range) const {
  uint64_t number = range.first;
  for (auto at = pending_.lower_bound(range.first);; ++at, ++number) {
    if (at == pending_.end() || at->first != number) return false;
    if (number == range.last) return true;
  }
}

void Group::Leave(Consumers::iterator consumer) {
  if (--consumer->second == 0) consumers_.erase(consumer);
}

void Group::Set(uint64_t number, std::string_view consumer, int64_t delivered_at_ms,
                int64_t deadline_ms, uint64_t deliveries) {
  auto by = consumers_.lower_bound(consumer);
  if (by == consumers_.end() || by->first != consumer)
    by = consumers_.emplace_hint(by, consumer, 0);
  ++by->second;
  const auto [at, is_new] = pending_.try_emplace(number);
  Pending& pending = at->second;
  if (!is_new) {
    due_.erase({pending.deadline_ms, number});
    Leave(pending.consumer_);
  }
  due_.emplace(deadline_ms, number);
  pending.consumer_ = by;
  pending.delivered_at_ms = delivered_at_ms;
  pending.deadline_ms = deadline_ms;
  pending.deliveries = deliveries;
}

void Group::SetDeadline(uint64_t number, Pending& pending, int64_t deadline_ms) {
  due_.erase({pending.deadline_ms, number});
  due_.emplace(deadline_ms, number);
  pending.deadline_ms = deadline_ms;
}

void Group::Erase(const Range& range) {
  auto at = pending_.lower_bound(range.first);
  while (at != pending_.end() && at->first <= range.last) {
    due_.erase({at->second.deadline_ms, at->first});
    Leave(at->second.consumer_);
    at = pending_.erase(at);
  }
}

// ---- What may be asked.

const Group* Positions::FindGroup(std::string_view name) const {
  const auto at = groups_.find(name);
  return at == groups_.end() ? nullptr : &at->second;
}

uint64_t Positions::Front(uint64_t from) const {
  uint64_t number = deleted_.FirstNotIn(std::max<uint64_t>(from, 1));
  while (moves_.contains(number)) number = deleted_.FirstNotIn(number + 1);
  return number;
}

uint64_t Positions::NextUndelivered(const Group& group) const {
  uint64_t number = Front(group.next());
  // Only a group whose `next` was set back has pending numbers here.
  for (auto at = group.pending().lower_bound(number); at != group.pending().end(); ++at) {
    if (at->first < number) continue;
    if (at->first > number) break;
    number = Front(number + 1);
  }
  return number;
}

std::optional<std::pair<int64_t, uint64_t>> Positions::FirstDue(const Group& group) const {
  for (const auto& due : group.due()) {
    if (!moves_.contains(due.second)) return due;
  }
  return std::nullopt;
}

std::optional<uint64_t> Positions::MostOverdue(const Group& group, int64_t now_ms) const {
  const auto due = FirstDue(group);
  if (!due || due->first > now_ms) return std::nullopt;
  return due->second;
}

std::optional<int64_t> Positions::NextDeadline(const Group& group) const {
  const auto due = FirstDue(group);
  if (!due) return std::nullopt;
  return due->first;
}

bool Positions::HasArrived(const QueueId& from, uint64_t there, uint64_t behind) const {
  const auto known = arrivals_.find(from);
  if (known == arrivals_.end()) return false;
  const auto& records = known->second.records;
  return std::any_of(records.upper_bound(behind), records.end(),
                     [there](const auto& record) { return record.second == there; });
}

// ---- Whether a change fits.

namespace {

std::unexpected<Error> Misfit(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, fmt::format("a change of a queue does not fit: {}", what));
}

}  // namespace

Result<const Group*> Positions::GroupOf(std::string_view name) const {
  const Group* const group = FindGroup(name);
  if (group == nullptr) return Misfit(fmt::format("there is no group {}", name));
  return group;
}

Result<void> Positions::CheckPending(std::string_view name,
                                     const std::vector<Range>& ranges) const {
  LARDER_ASSIGN(const Group* const group, GroupOf(name));
  for (const Range& range : ranges) {
    if (!group->AllPending(range)) {
      return Misfit(fmt::format("some of {} to {} are not pending in group {}", range.first,
                                range.last, name));
    }
  }
  return {};
}

Result<void> Positions::CheckFits(const SetGroup& change) const {
  if (change.next == 0) LARDER_TRY(GroupOf(change.group));
  return {};
}

Result<void> Positions::CheckFits(const DropGroup& change) const {
  LARDER_TRY(GroupOf(change.group));
  return {};
}

Result<void> Positions::CheckFits(const Deliver& change) const {
  LARDER_TRY(GroupOf(change.group));
  for (const Range& range : change.ranges) {
    if (deleted_.Count(range.first, range.last) != 0) {
      return Misfit(fmt::format("some of {} to {} are deleted, and delivered to group {}",
                                range.first, range.last, change.group));
    }
  }
  return {};
}

Result<void> Positions::CheckFits(const Acknowledge& change) const {
  return CheckPending(change.group, change.ranges);
}

Result<void> Positions::CheckFits(const Release& change) const {
  return CheckPending(change.group, change.ranges);
}

Result<void> Positions::CheckFits(const Extend& change) const {
  return CheckPending(change.group, change.ranges);
}

Result<void> Positions::CheckFits(const Moving& change) const {
  if (deleted_.Contains(change.number))
    return Misfit(fmt::format("{} is to move, and is deleted", change.number));
  if (moves_.contains(change.number))
    return Misfit(fmt::format("{} is to move, and does already", change.number));
  return {};
}

Result<void> Positions::CheckFits(const CancelMove& change) const {
  if (moves_.contains(change.number)) return {};
  return Misfit(fmt::format("{} is to move no more, and does not", change.number));
}

Result<void> Positions::CheckFits(const Arrived& change) const {
  const auto known = arrivals_.find(change.from);
  if (known == arrivals_.end()) return {};
  for (const Arrived::Record& record : change.records) {
    const auto same = known->second.records.find(record.here);
    if (same != known->second.records.end() && same->second != record.there) {
      return Misfit(fmt::format("{} came as {} from another queue, and came as {} already",
                                record.here, record.there, same->second));
    }
  }
  return {};
}

Result<void> Positions::Check(const Change& change) const {
  LARDER_TRY(CheckChange(change));
  return std::visit([this](const auto& kind) { return CheckFits(kind); }, change);
}

// ---- What a change does.

Result<void> Positions::Apply(const Change& change) {
  LARDER_TRY(Check(change));
  std::visit([this](const auto& kind) { Make(kind); }, change);
  return {};
}

void Positions::DeleteRange(const Range& range) {
  deleted_.Add(range.first, range.last);
  for (auto& [name, group] : groups_) group.Erase(range);
  moves_.erase(moves_.lower_bound(range.first), moves_.upper_bound(range.last));
}

void Positions::Make(const Delete& change) {
  for (const Range& range : change.ranges) DeleteRange(range);
}

void Positions::Make(const SetGroup& change) {
  Group& group = groups_.try_emplace(change.group).first->second;
  group.settings_ = change.settings;
  if (change.next != 0) group.next_ = change.next;
}

void Positions::Make(const DropGroup& change) { groups_.erase(change.group); }

void Positions::Make(const Deliver& change) {
  Group& group = KnownGroup(change.group);
  for (const Range& range : change.ranges) {
    for (uint64_t number = range.first; number <= range.last; ++number) {
      const uint64_t before = group.Deliveries(number);
      const uint64_t deliveries =
          before == std::numeric_limits<uint64_t>::max() ? before : before + 1;
      group.Set(number, change.consumer, change.now_ms, change.deadline_ms, deliveries);
    }
    group.next_ = std::max(group.next_, range.last + 1);
  }
}

void Positions::Make(const Acknowledge& change) {
  Group& group = KnownGroup(change.group);
  for (const Range& range : change.ranges) {
    group.Erase(range);
    if (!change.delete_when_done) continue;
    for (uint64_t number = range.first; number <= range.last; ++number) {
      const bool done = std::ranges::all_of(
          groups_, [number](const auto& of) { return of.second.IsDone(number); });
      if (done) DeleteRange({number, number});
    }
  }
}

void Positions::Make(const Release& change) {
  Group& group = KnownGroup(change.group);
  for (const Range& range : change.ranges) {
    for (auto at = group.pending_.lower_bound(range.first);
         at != group.pending_.end() && at->first <= range.last; ++at) {
      const Group::Pending pending = at->second;
      group.Set(at->first, "", pending.delivered_at_ms, change.available_at_ms, pending.deliveries);
    }
  }
}

void Positions::Make(const Extend& change) {
  Group& group = KnownGroup(change.group);
  for (const Range& range : change.ranges) {
    for (auto at = group.pending_.lower_bound(range.first);
         at != group.pending_.end() && at->first <= range.last; ++at) {
      group.SetDeadline(at->first, at->second, change.deadline_ms);
    }
  }
}

void Positions::Make(const Moving& change) { moves_.emplace(change.number, change); }

void Positions::Make(const CancelMove& change) { moves_.erase(change.number); }

// Segments are not removed in their order: what was not needed once is not needed again.
void Positions::Make(const Arrived& change) {
  Arrivals& known = arrivals_[change.from];
  for (const Arrived::Record& record : change.records)
    known.records.emplace(record.here, record.there);
  known.needed_behind = std::max(known.needed_behind, change.needed_behind);
  known.records.erase(known.records.begin(), known.records.upper_bound(known.needed_behind));
}

void Positions::Make(const Checkpoint& change) {
  Positions made;
  for (const Range& range : change.deleted) made.deleted_.Add(range.first, range.last);
  for (const Checkpoint::Group& from : change.groups) {
    Group& group = made.groups_.try_emplace(from.name).first->second;
    group.settings_ = from.settings;
    group.next_ = from.next;
    for (const Checkpoint::Pending& pending : from.pending) {
      group.Set(pending.number, from.consumers[pending.consumer], pending.delivered_at_ms,
                pending.deadline_ms, pending.deliveries);
    }
  }
  for (const Moving& move : change.moves) made.moves_.emplace(move.number, move);
  for (const Arrived& arrived : change.arrivals) made.Make(arrived);
  *this = std::move(made);
}

Checkpoint Positions::ToCheckpoint() const {
  Checkpoint checkpoint;
  for (const auto& [first, last] : deleted_.intervals())
    checkpoint.deleted.push_back({first, last});
  for (const auto& [name, from] : groups_) {
    Checkpoint::Group group{.name = name,
                            .settings = from.settings(),
                            .next = from.next(),
                            .consumers = {},
                            .pending = {}};
    std::map<std::string_view, uint64_t> places;
    for (const auto& [consumer, count] : from.consumers()) {
      places.emplace(consumer, places.size());
      group.consumers.push_back(consumer);
    }
    for (const auto& [number, pending] : from.pending()) {
      group.pending.push_back({.number = number,
                               .consumer = places.find(pending.consumer())->second,
                               .delivered_at_ms = pending.delivered_at_ms,
                               .deadline_ms = pending.deadline_ms,
                               .deliveries = pending.deliveries});
    }
    checkpoint.groups.push_back(std::move(group));
  }
  for (const auto& [number, move] : moves_) checkpoint.moves.push_back(move);
  for (const auto& [from, known] : arrivals_) {
    Arrived arrived{.from = from, .needed_behind = known.needed_behind, .records = {}};
    for (const auto& [here, there] : known.records) arrived.records.push_back({here, there});
    checkpoint.arrivals.push_back(std::move(arrived));
  }
  return checkpoint;
}

}  // namespace larder::queue

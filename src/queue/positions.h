// Positions: what became of a queue's records: deleted, delivered to groups, on their way to other
// queues; and which of those that are gone with their segments came from others. All of it in
// memory.
// Format: docs/formats/queue.md, "State" and "What changes do"
//
// Knows no records: a number that was never given out is one that is not deleted.
//
// Threads: one at a time.
// Errors:  Check and Apply: kCorrupt, a change that does not fit the state, which stays as it is.
// Cost:    memory by the intervals of the deleted numbers, the pending numbers, the moves, and of
//          each queue that records came from those that it moved in its last step. A change takes
//          time by its ranges, and log n for each number that is pending.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "queue/changes.h"
#include "queue/number_set.h"

namespace larder::queue {

class Group {
 public:
  // How many numbers are pending for each; none that has none. "" is no consumer: what was
  // released.
  using Consumers = std::map<std::string, uint64_t, std::less<>>;

  class Pending {
   public:
    const std::string& consumer() const { return consumer_->first; }
    int64_t delivered_at_ms = 0;
    int64_t deadline_ms = 0;
    uint64_t deliveries = 0;

   private:
    friend class Group;
    Consumers::iterator consumer_;
  };

  Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  const GroupSettings& settings() const { return settings_; }
  // Everything from here on was not delivered, or is to be once more.
  uint64_t next() const { return next_; }
  const std::map<uint64_t, Pending>& pending() const { return pending_; }
  // Deadline and number.
  const std::set<std::pair<int64_t, uint64_t>>& due() const { return due_; }
  const Consumers& consumers() const { return consumers_; }
  // 0: it is not pending.
  uint64_t Deliveries(uint64_t number) const;
  bool IsDone(uint64_t number) const { return number < next_ && !pending_.contains(number); }

 private:
  friend class Positions;

  bool AllPending(const Range& range) const;
  // Makes it pending when it is not.
  void Set(uint64_t number, std::string_view consumer, int64_t delivered_at_ms, int64_t deadline_ms,
           uint64_t deliveries);
  void Leave(Consumers::iterator consumer);
  void SetDeadline(uint64_t number, Pending& pending, int64_t deadline_ms);
  void Erase(const Range& range);

  GroupSettings settings_;
  uint64_t next_ = 0;
  std::map<uint64_t, Pending> pending_;
  std::set<std::pair<int64_t, uint64_t>> due_;
  Consumers consumers_;
};

// From one other queue.
struct Arrivals {
  uint64_t needed_behind = 0;
  std::map<uint64_t, uint64_t> records;  // the number here, and the one that it had there

  bool operator==(const Arrivals&) const = default;
};

struct AsBytes {
  bool operator()(const QueueId& a, const QueueId& b) const { return BytesOf(a) < BytesOf(b); }
};

class Positions {
 public:
  using Groups = std::map<std::string, Group, std::less<>>;

  Positions() = default;
  Positions(Positions&&) = default;
  Positions& operator=(Positions&&) = default;

  const NumberSet& deleted() const { return deleted_; }
  const Groups& groups() const { return groups_; }
  const Group* FindGroup(std::string_view name) const;  // null: there is none
  const std::map<uint64_t, Moving>& moves() const { return moves_; }
  using ArrivalsByQueue = std::map<QueueId, Arrivals, AsBytes>;
  const ArrivalsByQueue& arrivals() const { return arrivals_; }
  // Whether the record that has number `there` in queue `from` is remembered to have come here,
  // behind the number `behind`.
  bool HasArrived(const QueueId& from, uint64_t there, uint64_t behind) const;

  // What moves is for nobody else, so these pass over it.

  // The first number that is not deleted, from `from` on; perhaps above every record's.
  uint64_t Front(uint64_t from) const;
  // The first to deliver that never was, or that is to be once more; perhaps above every record's.
  uint64_t NextUndelivered(const Group& group) const;
  // Of the pending ones whose deadline has come, the one with the earliest.
  std::optional<uint64_t> MostOverdue(const Group& group, int64_t now_ms) const;
  // When the next one is due.
  std::optional<int64_t> NextDeadline(const Group& group) const;

  // Whether Apply would accept it.
  Result<void> Check(const Change& change) const;
  Result<void> Apply(const Change& change);

  // The same state as a change.
  Checkpoint ToCheckpoint() const;

 private:
  Result<const Group*> GroupOf(std::string_view name) const;
  Result<void> CheckPending(std::string_view group, const std::vector<Range>& ranges) const;

  Result<void> CheckFits(const Delete&) const { return {}; }
  Result<void> CheckFits(const SetGroup& change) const;
  Result<void> CheckFits(const DropGroup& change) const;
  Result<void> CheckFits(const Deliver& change) const;
  Result<void> CheckFits(const Acknowledge& change) const;
  Result<void> CheckFits(const Release& change) const;
  Result<void> CheckFits(const Extend& change) const;
  Result<void> CheckFits(const Moving& change) const;
  Result<void> CheckFits(const CancelMove& change) const;
  Result<void> CheckFits(const Checkpoint&) const { return {}; }
  Result<void> CheckFits(const Arrived& change) const;

  // Of changes that fit.
  void Make(const Delete& change);
  void Make(const SetGroup& change);
  void Make(const DropGroup& change);
  void Make(const Deliver& change);
  void Make(const Acknowledge& change);
  void Make(const Release& change);
  void Make(const Extend& change);
  void Make(const Moving& change);
  void Make(const CancelMove& change);
  void Make(const Checkpoint& change);
  void Make(const Arrived& change);

  Group& KnownGroup(std::string_view name) { return groups_.find(name)->second; }
  void DeleteRange(const Range& range);
  // The earliest in `group` that does not move.
  std::optional<std::pair<int64_t, uint64_t>> FirstDue(const Group& group) const;

  NumberSet deleted_;
  Groups groups_;
  std::map<uint64_t, Moving> moves_;
  ArrivalsByQueue arrivals_;
};

}  // namespace larder::queue

#include "queue/positions.h"

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "queue/test_changes.h"

namespace larder::queue {
namespace {

std::string Encoded(const Positions& state) {
  std::string bytes;
  EncodeChange(state.ToCheckpoint(), bytes);
  return bytes;
}

Positions After(const std::vector<Change>& changes) {
  Positions state;
  for (const Change& change : changes) {
    const auto applied = state.Apply(change);
    EXPECT_TRUE(applied) << applied.error().message();
  }
  return state;
}

void ExpectRefused(const Positions& before, const Change& change) {
  Positions state = After({before.ToCheckpoint()});
  const auto applied = state.Apply(change);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(Encoded(state), Encoded(before));
}

SetGroup NewGroup(std::string name, uint64_t next = 1) {
  return {.group = std::move(name), .settings = SettingsForTest(), .next = next};
}

Deliver To(std::string group, std::vector<Range> ranges, int64_t deadline_ms = 100) {
  return {.group = std::move(group),
          .consumer = "anna",
          .now_ms = 50,
          .deadline_ms = deadline_ms,
          .ranges = std::move(ranges)};
}

TEST(Positions, TheFrontIsTheFirstThatIsNeitherDeletedNorMoves) {
  const Positions state =
      After({Delete{.ranges = {{1, 3}, {5, 5}}}, Moving{.number = 4, .to = {"/d", "p"}},
             Moving{.number = 6, .to = {"/d", "p"}}});
  EXPECT_EQ(state.Front(0), 7U);
  EXPECT_EQ(state.Front(4), 7U);
  EXPECT_EQ(state.Front(9), 9U);
  EXPECT_EQ(After({Delete{.ranges = {{1, kGreatest}}}}).Front(1), kGreatest + 1);
}

TEST(Positions, DeletingANumberEndsItsMoveAndWhatIsPending) {
  const Positions state =
      After({NewGroup("a"), NewGroup("b"), To("a", {{1, 2}}), To("b", {{2, 3}}),
             Moving{.number = 2, .to = {"/d", "p"}}, Delete{.ranges = {{2, 2}}}});
  EXPECT_TRUE(state.moves().empty());
  EXPECT_EQ(state.FindGroup("a")->Deliveries(1), 1U);
  EXPECT_EQ(state.FindGroup("a")->Deliveries(2), 0U);
  EXPECT_EQ(state.FindGroup("a")->consumers().at("anna"), 1U);
  EXPECT_EQ(state.FindGroup("b")->pending().size(), 1U);
  EXPECT_EQ(state.NextUndelivered(*state.FindGroup("a")), 3U);
}

TEST(Positions, WhatAllGroupsAreDoneWithIsDeletedOnRequest) {
  const std::vector<Change> before = {NewGroup("a"), NewGroup("b"), To("a", {{1, 3}}),
                                      To("b", {{1, 2}}),
                                      Acknowledge{.group = "b", .ranges = {{1, 1}}}};
  Positions state = After(before);
  EXPECT_EQ(state.deleted().total(), 0U);
  ASSERT_TRUE(state.Apply(Acknowledge{.group = "a", .delete_when_done = true, .ranges = {{1, 3}}}));
  // 2 is pending in b, 3 was never delivered to it.
  EXPECT_EQ(state.ToCheckpoint().deleted, (std::vector<Range>{{1, 1}}));
  ASSERT_TRUE(state.Apply(Acknowledge{.group = "b", .delete_when_done = true, .ranges = {{2, 2}}}));
  EXPECT_EQ(state.ToCheckpoint().deleted, (std::vector<Range>{{1, 2}}));
}

TEST(Positions, DeliveriesAreCountedAndTheLatestConsumerHasIt) {
  Positions state = After({NewGroup("a", 5), To("a", {{7, 7}})});
  const Group& group = *state.FindGroup("a");
  EXPECT_EQ(group.next(), 8U);
  Deliver again = To("a", {{7, 7}}, 200);
  again.consumer = "bert";
  again.now_ms = 120;
  ASSERT_TRUE(state.Apply(again));
  EXPECT_EQ(group.Deliveries(7), 2U);
  EXPECT_EQ(group.next(), 8U);
  EXPECT_EQ(group.consumers(), (Group::Consumers{{"bert", 1}}));
  EXPECT_EQ(group.pending().at(7).consumer(), "bert");
  EXPECT_EQ(group.pending().at(7).delivered_at_ms, 120);
  EXPECT_FALSE(state.MostOverdue(group, 199));
  EXPECT_EQ(state.MostOverdue(group, 200), 7U);
  EXPECT_EQ(state.NextDeadline(group), 200);
}

TEST(Positions, WhatIsReleasedIsOfNobodyAndDueWhenItIsSaid) {
  Positions state = After({NewGroup("a"), To("a", {{1, 3}}, 100),
                           Release{.group = "a", .available_at_ms = 70, .ranges = {{2, 3}}},
                           Extend{.group = "a", .deadline_ms = 60, .ranges = {{3, 3}}}});
  const Group& group = *state.FindGroup("a");
  EXPECT_EQ(group.consumers(), (Group::Consumers{{"", 2}, {"anna", 1}}));
  EXPECT_EQ(group.Deliveries(2), 1U);
  EXPECT_EQ(group.pending().at(2).delivered_at_ms, 50);
  EXPECT_EQ(state.MostOverdue(group, 80), 3U);
  ASSERT_TRUE(state.Apply(Moving{.number = 3, .to = {"/d", "p"}}));
  EXPECT_EQ(state.MostOverdue(group, 80), 2U);
  EXPECT_EQ(state.NextDeadline(group), 70);
}

TEST(Positions, AGroupThatIsSetBackPassesOverWhatIsPending) {
  const Positions state = After({NewGroup("a"), To("a", {{1, 6}}),
                                 Acknowledge{.group = "a", .ranges = {{3, 3}, {6, 6}}},
                                 NewGroup("a", 2), Delete{.ranges = {{3, 3}}}});
  EXPECT_EQ(state.FindGroup("a")->next(), 2U);
  EXPECT_EQ(state.NextUndelivered(*state.FindGroup("a")), 6U);
}

TEST(Positions, AlteringAGroupKeepsWhatItHas) {
  SetGroup altered{.group = "a", .settings = {}, .next = 0};
  altered.settings.max_deliveries = 9;
  const Positions state = After({NewGroup("a"), To("a", {{1, 6}}), altered});
  EXPECT_EQ(state.FindGroup("a")->next(), 7U);
  EXPECT_EQ(state.FindGroup("a")->pending().size(), 6U);
  EXPECT_EQ(state.FindGroup("a")->settings(), altered.settings);
}

TEST(Positions, ArrivalsAreKnownAsLongAsTheyAreNeeded) {
  const QueueId from{'f'};
  Positions state =
      After({Arrived{.from = from, .needed_behind = 2, .records = {{3, 30}, {5, 10}}}});
  EXPECT_TRUE(state.HasArrived(from, 30, 2));
  EXPECT_TRUE(state.HasArrived(from, 10, 4));
  // It came in an earlier move.
  EXPECT_FALSE(state.HasArrived(from, 30, 3));
  EXPECT_FALSE(state.HasArrived(from, 5, 0));
  EXPECT_FALSE(state.HasArrived(QueueId{'g'}, 30, 0));
  // Once more, as who was killed before the segment was removed.
  ASSERT_TRUE(state.Apply(Arrived{.from = from, .needed_behind = 2, .records = {{3, 30}}}));
  ASSERT_TRUE(state.Apply(Arrived{.from = QueueId{'g'}, .needed_behind = 9, .records = {}}));
  EXPECT_TRUE(state.HasArrived(from, 30, 2));
  ASSERT_TRUE(state.Apply(Arrived{.from = from, .needed_behind = 4, .records = {{9, 31}}}));
  EXPECT_FALSE(state.HasArrived(from, 30, 0));
  EXPECT_TRUE(state.HasArrived(from, 10, 0));
  // Of a segment that goes later than those behind it.
  ASSERT_TRUE(state.Apply(Arrived{.from = from, .needed_behind = 0, .records = {{1, 1}}}));
  EXPECT_FALSE(state.HasArrived(from, 1, 0));
  ExpectRefused(state, Arrived{.from = from, .needed_behind = 0, .records = {{9, 32}}});
}

TEST(Positions, WhatDoesNotFitChangesNothing) {
  const Positions state =
      After({NewGroup("a"), To("a", {{1, 2}, {4, 4}}), Delete{.ranges = {{9, 9}}},
             Moving{.number = 5, .to = {"/d", "p"}}});
  ExpectRefused(state, SetGroup{.group = "b", .settings = {}, .next = 0});
  ExpectRefused(state, DropGroup{.group = "b"});
  ExpectRefused(state, To("b", {{1, 1}}));
  ExpectRefused(state, To("a", {{8, 10}}));
  ExpectRefused(state, Acknowledge{.group = "a", .ranges = {{1, 4}}});
  ExpectRefused(state, Acknowledge{.group = "a", .ranges = {{1, 2}, {5, 5}}});
  ExpectRefused(state, Release{.group = "a", .ranges = {{3, 4}}});
  ExpectRefused(state, Extend{.group = "a", .ranges = {{4, kGreatest}}});
  ExpectRefused(state, Moving{.number = 5, .to = {"/e", "p"}});
  ExpectRefused(state, Moving{.number = 9, .to = {"/e", "p"}});
  ExpectRefused(state, CancelMove{.number = 4});
  ExpectRefused(state, Delete{.ranges = {{0, 1}}});
  Checkpoint wrong = state.ToCheckpoint();
  wrong.groups[0].next = 0;
  ExpectRefused(state, wrong);
}

TEST(Positions, ACheckpointIsTheWholeState) {
  const Checkpoint checkpoint = CheckpointForTest();
  const Positions state = After({NewGroup("gone"), Delete{.ranges = {{1000, 2000}}}, checkpoint});
  EXPECT_EQ(state.ToCheckpoint(), checkpoint);
}

// ---- Against maps that know nothing of intervals and orders.

struct PlainPending {
  std::string consumer;
  int64_t delivered_at_ms = 0;
  int64_t deadline_ms = 0;
  uint64_t deliveries = 0;
};

struct PlainGroup {
  GroupSettings settings;
  uint64_t next = 0;
  std::map<uint64_t, PlainPending> pending;
};

std::vector<uint64_t> NumbersOf(const std::vector<Range>& ranges) {
  std::vector<uint64_t> numbers;
  for (const Range& range : ranges)
    for (uint64_t number = range.first; number <= range.last; ++number) numbers.push_back(number);
  return numbers;
}

struct PlainModel {
  std::set<uint64_t> deleted;
  std::map<std::string, PlainGroup> groups;
  std::map<uint64_t, Moving> moves;
  Positions::ArrivalsByQueue arrivals;

  bool AllPending(const std::string& group, const std::vector<Range>& ranges) {
    if (!groups.contains(group)) return false;
    for (const uint64_t number : NumbersOf(ranges))
      if (!groups[group].pending.contains(number)) return false;
    return true;
  }
  void Remove(uint64_t number) {
    deleted.insert(number);
    moves.erase(number);
    for (auto& [name, group] : groups) group.pending.erase(number);
  }

  // Whether it fits; nothing has changed when it does not.
  bool operator()(const Delete& change) {
    for (const uint64_t number : NumbersOf(change.ranges)) Remove(number);
    return true;
  }
  bool operator()(const SetGroup& change) {
    if (change.next == 0 && !groups.contains(change.group)) return false;
    groups[change.group].settings = change.settings;
    if (change.next != 0) groups[change.group].next = change.next;
    return true;
  }
  bool operator()(const DropGroup& change) { return groups.erase(change.group) == 1; }
  bool operator()(const Deliver& change) {
    if (!groups.contains(change.group)) return false;
    for (const uint64_t number : NumbersOf(change.ranges))
      if (deleted.contains(number)) return false;
    PlainGroup& group = groups[change.group];
    for (const uint64_t number : NumbersOf(change.ranges)) {
      PlainPending& pending = group.pending[number];
      pending = {change.consumer, change.now_ms, change.deadline_ms, pending.deliveries + 1};
      group.next = std::max(group.next, number + 1);
    }
    return true;
  }
  bool operator()(const Acknowledge& change) {
    if (!AllPending(change.group, change.ranges)) return false;
    for (const uint64_t number : NumbersOf(change.ranges)) {
      groups[change.group].pending.erase(number);
      bool done = change.delete_when_done;
      for (auto& [name, group] : groups)
        done = done && number < group.next && !group.pending.contains(number);
      if (done) Remove(number);
    }
    return true;
  }
  bool operator()(const Release& change) {
    if (!AllPending(change.group, change.ranges)) return false;
    for (const uint64_t number : NumbersOf(change.ranges)) {
      groups[change.group].pending[number].consumer = "";
      groups[change.group].pending[number].deadline_ms = change.available_at_ms;
    }
    return true;
  }
  bool operator()(const Extend& change) {
    if (!AllPending(change.group, change.ranges)) return false;
    for (const uint64_t number : NumbersOf(change.ranges))
      groups[change.group].pending[number].deadline_ms = change.deadline_ms;
    return true;
  }
  bool operator()(const Moving& change) {
    return !deleted.contains(change.number) && moves.emplace(change.number, change).second;
  }
  bool operator()(const CancelMove& change) { return moves.erase(change.number) == 1; }
  bool operator()(const Checkpoint&) { return true; }
  bool operator()(const Arrived& change) {
    Arrivals known;
    if (arrivals.contains(change.from)) known = arrivals[change.from];
    for (const Arrived::Record& record : change.records) {
      if (known.records.contains(record.here) && known.records[record.here] != record.there)
        return false;
    }
    for (const Arrived::Record& record : change.records) known.records[record.here] = record.there;
    known.needed_behind = std::max(known.needed_behind, change.needed_behind);
    std::erase_if(known.records,
                  [&](const auto& record) { return record.first <= known.needed_behind; });
    arrivals[change.from] = known;
    return true;
  }
};

constexpr uint64_t kNumbers = 30;

class RandomChanges {
 public:
  explicit RandomChanges(uint64_t seed) : random_(seed) {}

  Change Next() {
    switch (Below(13)) {
      case 0:
        return Delete{.ranges = Ranges(3)};
      case 1:
      case 2:
        return SetGroup{.group = Name(), .settings = Settings(), .next = Below(kNumbers)};
      case 3:
        if (Below(4) != 0) return Next();
        return DropGroup{.group = Name()};
      case 4:
      case 5:
      case 6:
        return Deliver{.group = Name(),
                       .consumer = Name(),
                       .now_ms = Time(),
                       .deadline_ms = Time(),
                       .ranges = Ranges(3)};
      case 7:
      case 8:
        return Acknowledge{.group = Name(), .delete_when_done = Below(2) == 0, .ranges = Ranges(2)};
      case 9:
        return Release{.group = Name(), .available_at_ms = Time(), .ranges = Ranges(2)};
      case 10:
        return Extend{.group = Name(), .deadline_ms = Time(), .ranges = Ranges(2)};
      case 11:
        return Arrivals();
      default:
        if (Below(3) == 0) return CancelMove{.number = Number()};
        return Moving{.number = Number(), .to = {"/d", Name()}, .destination_committed = Below(9)};
    }
  }

 private:
  // Now and then of a record that came otherwise already.
  Arrived Arrivals() {
    Arrived arrived{.from = {static_cast<char>('a' + Below(2))},
                    .needed_behind = Below(kNumbers),
                    .records = {}};
    for (uint64_t here = arrived.needed_behind + 1; here <= kNumbers; here += 1 + Below(9))
      arrived.records.push_back({.here = here, .there = 100 - here + (Below(20) == 0 ? 1 : 0)});
    return arrived;
  }

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  uint64_t Number() { return 1 + Below(kNumbers); }
  int64_t Time() { return static_cast<int64_t>(Below(20)) - 5; }
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(3))); }
  GroupSettings Settings() {
    return {.visibility_timeout_ms = Time(), .max_deliveries = Below(5), .dead_letter = {}};
  }
  std::vector<Range> Ranges(uint64_t most) {
    std::vector<uint64_t> numbers;
    for (uint64_t left = 1 + Below(most); left != 0; --left) numbers.push_back(Number());
    return RangesOf(numbers);
  }

  std::mt19937_64 random_;
};

uint64_t FrontOf(const PlainModel& model, uint64_t from) {
  while (model.deleted.contains(from) || model.moves.contains(from)) ++from;
  return from;
}

void ExpectSameGroup(const Positions& state, const Group& group, const PlainModel& model,
                     const PlainGroup& plain) {
  EXPECT_EQ(group.settings(), plain.settings);
  EXPECT_EQ(group.next(), plain.next);
  ASSERT_EQ(group.pending().size(), plain.pending.size());
  Group::Consumers consumers;
  std::set<std::pair<int64_t, uint64_t>> due;
  for (const auto& [number, pending] : plain.pending) {
    ASSERT_TRUE(group.pending().contains(number));
    const Group::Pending& found = group.pending().at(number);
    EXPECT_EQ(found.consumer(), pending.consumer);
    EXPECT_EQ(found.delivered_at_ms, pending.delivered_at_ms);
    EXPECT_EQ(found.deadline_ms, pending.deadline_ms);
    EXPECT_EQ(group.Deliveries(number), pending.deliveries);
    ++consumers[pending.consumer];
    if (!model.moves.contains(number)) due.emplace(pending.deadline_ms, number);
  }
  EXPECT_EQ(group.consumers(), consumers);
  EXPECT_EQ(group.due().size(), plain.pending.size());
  for (int64_t now = -7; now < 20; ++now) {
    const auto overdue = state.MostOverdue(group, now);
    ASSERT_EQ(overdue.has_value(), !due.empty() && due.begin()->first <= now);
    EXPECT_TRUE(!overdue || *overdue == due.begin()->second);
  }
  EXPECT_EQ(state.NextDeadline(group),
            due.empty() ? std::nullopt : std::optional(due.begin()->first));
  uint64_t next = FrontOf(model, std::max<uint64_t>(plain.next, 1));
  while (plain.pending.contains(next)) next = FrontOf(model, next + 1);
  EXPECT_EQ(state.NextUndelivered(group), next);
}

void ExpectSame(const Positions& state, const PlainModel& model) {
  EXPECT_EQ(state.deleted().total(), model.deleted.size());
  for (uint64_t number = 1; number <= kNumbers; ++number) {
    EXPECT_EQ(state.deleted().Contains(number), model.deleted.contains(number));
    EXPECT_EQ(state.Front(number), FrontOf(model, number));
  }
  EXPECT_EQ(state.moves(), model.moves);
  EXPECT_EQ(state.arrivals(), model.arrivals);
  ASSERT_EQ(state.groups().size(), model.groups.size());
  for (const auto& [name, group] : model.groups) {
    ASSERT_NE(state.FindGroup(name), nullptr);
    ExpectSameGroup(state, *state.FindGroup(name), model, group);
  }
}

TEST(Positions, AgreeWithPlainMaps) {
  uint64_t fitting = 0;
  for (uint64_t seed = 0; seed < ScaledCount(200, 20); ++seed) {
    RandomChanges changes(seed);
    Positions state;
    PlainModel model;
    for (int step = 0; step < 120; ++step) {
      const Change change = changes.Next();
      const std::string before = Encoded(state);
      const bool fits = std::visit(model, change);
      EXPECT_EQ(state.Check(change).has_value(), fits);
      const auto applied = state.Apply(change);
      EXPECT_EQ(applied.has_value(), fits);
      fitting += fits ? 1 : 0;
      EXPECT_TRUE(fits || Encoded(state) == before);
      ExpectSame(state, model);
      // A process that starts here sees the same.
      if (step % 10 == 0) {
        state = After({*DecodeChange(Encoded(state))});
        ExpectSame(state, model);
      }
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
  EXPECT_GT(fitting, ScaledCount(200, 20) * 40);
}

}  // namespace
}  // namespace larder::queue

// For tests: one of each kind of change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "queue/changes.h"

namespace larder::queue {

inline constexpr uint64_t kGreatest = UINT64_MAX - 1;

inline GroupSettings SettingsForTest() {
  return {.visibility_timeout_ms = 30'000,
          .max_deliveries = 5,
          .dead_letter = {.directory = "/q", .prefix = "dead"}};
}

inline Checkpoint CheckpointForTest() {
  Checkpoint::Group group{.name = "mail",
                          .settings = SettingsForTest(),
                          .next = 300,
                          .consumers = {"", "anna"},
                          .pending = {}};
  group.pending = {{.number = 3,
                    .consumer = 1,
                    .delivered_at_ms = 1'700'000'000'000,
                    .deadline_ms = 1'700'000'030'000,
                    .deliveries = 1},
                   {.number = 299,
                    .consumer = 0,
                    .delivered_at_ms = 1'699'999'999'999,
                    .deadline_ms = 0,
                    .deliveries = 7}};
  return {
      .deleted = {{1, 2}, {5, 200}},
      .groups = {{.name = "a", .settings = {}, .next = 1, .consumers = {}, .pending = {}}, group},
      .moves = {{.number = 3, .to = {"/other", "log"}, .destination_committed = 9},
                {.number = kGreatest, .to = {}, .destination_committed = 0}},
      .arrivals = {{.from = {'a'}, .needed_behind = 9, .records = {{10, 7}, {300, 2}}},
                   {.from = {'\xff'}, .needed_behind = kGreatest, .records = {}}}};
}

inline std::vector<Change> ChangesForTest() {
  return {
      Delete{.ranges = {{1, 2}, {5, 200}, {kGreatest, kGreatest}}},
      Delete{},
      SetGroup{.group = "mail", .settings = SettingsForTest(), .next = 7},
      SetGroup{.group = "m", .settings = {}, .next = 0},
      DropGroup{.group = "mail"},
      Deliver{.group = "mail",
              .consumer = "anna",
              .now_ms = 1'700'000'000'000,
              .deadline_ms = 1'700'000'030'000,
              .ranges = {{1, kMaxDelivered - 1}, {70'000, 70'000}}},
      Acknowledge{.group = "mail", .delete_when_done = true, .ranges = {{4, 4}}},
      Acknowledge{.group = "mail", .delete_when_done = false, .ranges = {{4, 4}, {6, 9}}},
      Release{.group = "mail", .available_at_ms = -1, .ranges = {{4, 4}}},
      Extend{.group = "mail", .deadline_ms = 17, .ranges = {{4, 5}}},
      Moving{.number = 300, .to = {"/other", "log"}, .destination_committed = 77},
      CancelMove{.number = 300},
      CheckpointForTest(),
      Checkpoint{},
      Arrived{.from = {'a', 'b'},
              .needed_behind = 9,
              .records = {{10, kGreatest}, {11, 1}, {kGreatest, 300}}},
      Arrived{},
  };
}

}  // namespace larder::queue

#include "cli/watch_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

dataset::Status Serving(uint64_t version) {
  dataset::Status status;
  status.name = "features";
  status.current = version;
  status.records = 3;
  status.file_bytes = 8192;
  return status;
}

std::vector<std::string> Lines(const dataset::Status& before, const dataset::Status& now) {
  std::vector<std::string> lines;
  for (const WatchEvent& event : EventsBetween(&before, &now)) lines.push_back(EventText(event));
  return lines;
}

TEST(WatchEvents, NothingHappensWhenNothingChanges) {
  EXPECT_THAT(Lines(Serving(7), Serving(7)), IsEmpty());
}

TEST(WatchEvents, ASwitchIsTold) {
  EXPECT_THAT(Lines(Serving(7), Serving(8)),
              ElementsAre("switched 7 -> 8 (3 records, 8192 bytes)"));
  // The source went back by itself.
  EXPECT_THAT(Lines(Serving(8), Serving(7)),
              ElementsAre("switched 8 -> 7 (3 records, 8192 bytes)"));
}

TEST(WatchEvents, ARollbackIsASwitchBackThatPins) {
  auto now = Serving(7);
  now.pinned = true;
  EXPECT_THAT(Lines(Serving(8), now),
              ElementsAre("rolled back 8 -> 7 (3 records, 8192 bytes)", "pinned at 7"));
  EXPECT_THAT(Lines(now, Serving(8)),
              ElementsAre("switched 7 -> 8 (3 records, 8192 bytes)", "unpinned"));
}

TEST(WatchEvents, AFailedProbationIsARollbackAndARefusal) {
  auto now = Serving(7);
  now.refused_version = 8;
  now.refused = 1;
  now.verdict = "too many misses";
  EXPECT_THAT(Lines(Serving(8), now), ElementsAre("rolled back 8 -> 7 (3 records, 8192 bytes)",
                                                  "refused version 8: too many misses"));
}

TEST(WatchEvents, ARefusalIsToldOnce) {
  auto now = Serving(7);
  now.refused_version = 9;
  now.refused = 1;
  now.verdict = "shrank";
  now.last_error = "refused: shrank";
  EXPECT_THAT(Lines(Serving(7), now), ElementsAre("refused version 9: shrank"));
  EXPECT_THAT(Lines(now, now), IsEmpty());
}

TEST(WatchEvents, WhatLeavesNothingOnDiskHasNoNumber) {
  auto now = Serving(7);
  now.last_error = "cannot open";
  EXPECT_THAT(Lines(Serving(7), now), ElementsAre("failed: cannot open"));
  now.refused = 1;
  EXPECT_THAT(Lines(Serving(7), now), ElementsAre("refused: cannot open"));
}

TEST(WatchEvents, DamageAndCompilingAreTold) {
  auto now = Serving(6);
  now.damaged = 1;
  now.compiling = true;
  EXPECT_THAT(
      Lines(Serving(7), now),
      ElementsAre("damaged version 7", "switched 7 -> 6 (3 records, 8192 bytes)", "compiling"));
}

TEST(WatchEvents, StoresComeAndGo) {
  const auto status = Serving(7);
  EXPECT_EQ(EventText(EventsBetween(nullptr, &status).at(0)),
            "added, serves 7 (3 records, 8192 bytes)");
  EXPECT_EQ(EventText(EventsBetween(&status, nullptr).at(0)), "removed");
}

TEST(WatchEvents, JsonSaysTheSame) {
  const auto before = Serving(7);
  const auto now = Serving(8);
  const Json json = EventJson(EventsBetween(&before, &now).at(0));
  EXPECT_EQ(json["event"], "switched");
  EXPECT_EQ(json["store"], "features");
  EXPECT_EQ(json["previous"], 7);
  EXPECT_EQ(json["current"], 8);
  EXPECT_EQ(json["records"], 3);
}

}  // namespace
}  // namespace larder::cli

#include "server/activity.h"

#include <gtest/gtest.h>

namespace larder::server {
namespace {

TEST(Activity, RatesAreMeansOfTheLastSeconds) {
  Activity activity;
  activity.Reset(10'000, {});
  EXPECT_EQ(activity.RatesUntil(12'000, {.commands = 400}).commands, 200);
  EXPECT_EQ(activity.RatesUntil(14'000, {.commands = 400}).commands, 0);
  EXPECT_EQ(activity.RatesUntil(15'000, {.commands = 400, .input_bytes = 50}).input_bytes, 50);
}

TEST(Activity, LooksCloseTogetherShareTheirBegin) {
  Activity activity;
  activity.Reset(0, {});
  EXPECT_EQ(activity.RatesUntil(2'000, {.commands = 20}).commands, 10);
  // Not since the look 10 ms ago.
  EXPECT_NEAR(activity.RatesUntil(2'010, {.commands = 201}).commands, 100, 0.001);
}

TEST(Activity, CountsSinceTheReset) {
  Activity activity;
  EXPECT_EQ(activity.SinceReset({.commands = 5}).commands, 5U);
  activity.Reset(0, {.commands = 5, .connections = 2});
  EXPECT_EQ(activity.SinceReset({.commands = 7, .connections = 2}).commands, 2U);
  EXPECT_EQ(activity.SinceReset({.commands = 7, .connections = 2}).connections, 0U);
}

}  // namespace
}  // namespace larder::server

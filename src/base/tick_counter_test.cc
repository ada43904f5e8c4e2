#include "base/tick_counter.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(TickCounter, TellsTheTimeThatTheClockTells) {
  const TickScale scale;
  const uint64_t first = ReadTicks();
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(5)) {
  }
  const auto taken = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::steady_clock::now() - begin);
  const uint64_t told = scale.Nanoseconds(ReadTicks() - first);
  // Whoever takes the processor away in between is in both.
  EXPECT_GE(told, static_cast<uint64_t>(taken.count()) / 2);
}

TEST(TickCounter, CountsMoreThanTheBoundInAMillisecond) {
  const TickScale scale;
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(2)) {
  }
  EXPECT_LT(scale.Nanoseconds(kTicksBelowMillisecond), 1'000'000U);
}

}  // namespace
}  // namespace larder

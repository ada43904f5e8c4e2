// ScaledCount: how often a test repeats itself, lowered where each repetition is slow.
//
// LARDER_TEST_SCALE is a percentage: 100 (or unset) in ./dev test, 10 under the sanitizers of
// ./dev check (docs/development.md, "The scale of tests"). For tests only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace larder {

// `full` repetitions at 100 %; never fewer than `least`.
inline uint64_t ScaledCount(uint64_t full, uint64_t least = 1) {
  // Tests read it before they start threads. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* const text = std::getenv("LARDER_TEST_SCALE");
  const uint64_t percent = text == nullptr ? 100 : std::strtoull(text, nullptr, 10);
  return std::max(least, full * (percent == 0 ? 100 : percent) / 100);
}

}  // namespace larder

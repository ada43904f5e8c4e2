// The processor's own counter, to measure what is too short to ask the operating system about.
//
// Threads:    any. Two readings are compared on one thread.
// Cost:       a reading is one instruction, some 20 cycles; a conversion asks the clock once.
#pragma once

#include <chrono>
#include <cstdint>

namespace larder {

// Counts at a constant rate, which differs from machine to machine.
inline uint64_t ReadTicks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks = 0;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// So many ticks last less than a millisecond on every machine: 50 to 500 microseconds at the usual
// rates (x86-64: 1 to 5 GHz; arm64: 24 MHz to 1 GHz).
#if defined(__aarch64__)
inline constexpr uint64_t kTicksBelowMillisecond = 12'000;
#else
inline constexpr uint64_t kTicksBelowMillisecond = 500'000;
#endif

// Tells ticks as time, by what the clock has counted beside them since it was made.
class TickScale {
 public:
  uint64_t Nanoseconds(uint64_t ticks) const {
    const uint64_t ticks_since = ReadTicks() - first_ticks_;
    const auto time_since = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::steady_clock::now() - first_time_);
    if (ticks_since == 0) return 0;
    return static_cast<uint64_t>(static_cast<double>(ticks) *
                                 static_cast<double>(time_since.count()) /
                                 static_cast<double>(ticks_since));
  }

 private:
  uint64_t first_ticks_ = ReadTicks();
  std::chrono::steady_clock::time_point first_time_ = std::chrono::steady_clock::now();
};

}  // namespace larder

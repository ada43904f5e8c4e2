// RandomSource: the choices of SRANDMEMBER, ZRANDMEMBER, HRANDFIELD and their kin. Cheap, even, and
// no secret: not for passwords.
//
// Threads:    WorkerRandom() gives each thread its own; no two begin alike.
// Cost:       a few instructions a number; choosing `count` of `size` elements allocates once or
//             twice and is linear in `count`, and in `size` / 64 where that is smaller.
#pragma once

#include <chrono>
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace larder::command {

// A negative count asks for as many elements, repeated ones among them. Redis collects any number
// of them in memory; here it is refused beyond this, with the error that Redis has for numbers of
// twice the size that it can count.
inline constexpr int64_t kMaxRepeatedElements = int64_t{1} << 24;

// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
class RandomSource {
 public:
  explicit RandomSource(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  // Below `size`, which is not 0. The bias is under size / 2^64.
  uint64_t Below(uint64_t size) {
    __extension__ using Product = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Product>(Next()) * size) >> 64);
  }

 private:
  uint64_t state_;
};

// Seeded by when and where: of two threads at least one differs.
inline uint64_t SeedOf(const void* place) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return static_cast<uint64_t>(now) ^ (reinterpret_cast<uintptr_t>(place) << 16);
}

inline RandomSource& WorkerRandom() {
  thread_local RandomSource random(SeedOf(&random));
  return random;
}

// `count` different numbers below `size`; all of them, in their order, when it has no more.
inline std::vector<uint64_t> ChooseDistinct(RandomSource& random, uint64_t count, uint64_t size) {
  std::vector<uint64_t> chosen;
  if (count >= size) {
    chosen.resize(size);
    for (uint64_t i = 0; i < size; ++i) chosen[i] = i;
    return chosen;
  }
  chosen.reserve(count);
  // Floyd's way: one number for each element, whatever the two sizes.
  const auto choose = [&](auto&& is_new) {
    for (uint64_t last = size - count; last < size; ++last) {
      const uint64_t number = random.Below(last + 1);
      if (is_new(number)) {
        chosen.push_back(number);
      } else {
        is_new(last);
        chosen.push_back(last);
      }
    }
  };
  if (count < size / 64) {
    std::unordered_set<uint64_t> taken;
    taken.reserve(count);
    choose([&](uint64_t number) { return taken.insert(number).second; });
  } else {
    std::vector<bool> taken(size);
    choose([&](uint64_t number) {
      const bool is_new = !taken[number];
      taken[number] = true;
      return is_new;
    });
  }
  return chosen;
}

}  // namespace larder::command

// Pause: CLIENT PAUSE of one server: whether connections execute anything just now.
//
// Threads: any. Cost: asking whether there may be one is a load.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/mutex.h"

namespace larder::server {

class Pause {
 public:
  enum class Kind : uint8_t { kNone, kWrites, kAll };

  // False: nobody is paused. True: ask kind().
  bool possible() const { return until_ms_.load(std::memory_order_relaxed) != 0; }
  // Of `now_ms` on the workers' clock.
  Kind kind(int64_t now_ms) const {
    return now_ms < until_ms() ? kind_.load(std::memory_order_relaxed) : Kind::kNone;
  }
  int64_t until_ms() const { return until_ms_.load(std::memory_order_acquire); }

  // One that is on becomes no shorter and no milder, as in Redis.
  void Begin(int64_t now_ms, int64_t until_ms, Kind kind) {
    const MutexLock lock(mutex_);
    const bool on = now_ms < until_ms_.load(std::memory_order_relaxed);
    kind_.store(on ? std::max(kind, kind_.load(std::memory_order_relaxed)) : kind,
                std::memory_order_relaxed);
    until_ms_.store(on ? std::max(until_ms, this->until_ms()) : until_ms,
                    std::memory_order_release);
  }
  void EndIfOver(int64_t now_ms) {
    const MutexLock lock(mutex_);
    if (until_ms() <= now_ms) until_ms_.store(0, std::memory_order_release);
  }
  void End() {
    const MutexLock lock(mutex_);
    until_ms_.store(0, std::memory_order_release);
  }

 private:
  Mutex mutex_;
  std::atomic<int64_t> until_ms_{0};
  std::atomic<Kind> kind_{Kind::kNone};
};

}  // namespace larder::server

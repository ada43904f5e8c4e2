// Activity: what all workers together have done so far, for INFO, and how fast they do it.
//
// Rates are means since an earlier look that is a second old or more, so that nothing is sampled
// while nobody asks; 0 at the first look.
//
// Ownership:  of the SharedState.
// Threads:    any; takes a lock.
#pragma once

#include <cstdint>
#include <deque>

#include "base/mutex.h"

namespace larder::server {

// Sums since the start, or differences of two of them.
struct ActivitySums {
  uint64_t commands = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  uint64_t connections = 0;
  uint64_t rejected_connections = 0;
};

class Activity {
 public:
  struct Rates {
    double commands = 0;  // per second
    double input_bytes = 0;
    double output_bytes = 0;
  };

  // What was done since the last reset; `sums` are those of now, `now_ms` a monotonic clock.
  ActivitySums SinceReset(const ActivitySums& sums) const;
  Rates RatesUntil(int64_t now_ms, const ActivitySums& sums);
  void Reset(int64_t now_ms, const ActivitySums& sums);

 private:
  struct Look {
    int64_t at_ms = 0;
    ActivitySums sums;
  };
  // Looks that a rate may begin at are kept this far apart, and for so long.
  static constexpr int64_t kApartMs = 100;
  static constexpr int64_t kLeastMs = 1000;

  mutable Mutex mutex_;
  ActivitySums before_ LARDER_GUARDED_BY(mutex_);  // at the last reset
  std::deque<Look> looks_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::server

// LatencyMonitor: the latest moments at which something took long, by event, for LATENCY.
//
// Events: "command" and "fast-command" (a command of that kind took at least the threshold). Each
// keeps its 160 latest seconds, the worst of each, as Redis does.
//
// Ownership:  of the Instruments.
// Threads:    any; Add takes a lock, after one look at the threshold.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace larder::command {

class LatencyMonitor {
 public:
  static constexpr size_t kSamples = 160;

  struct Sample {
    int64_t unix_seconds = 0;
    uint64_t milliseconds = 0;
  };
  struct Event {
    std::string name;
    uint64_t longest_ms = 0;  // since it was reset
    std::deque<Sample> samples;
  };

  // What takes shorter is not kept; 0: nothing is.
  std::atomic<uint64_t> threshold_ms{0};

  bool Keeps(uint64_t milliseconds) const {
    const uint64_t least = threshold_ms.load(std::memory_order_relaxed);
    return least != 0 && milliseconds >= least;
  }
  void Add(std::string_view event, Sample sample);
  // By name.
  std::vector<Event> events() const;
  // Forgets one; false: there is none.
  bool Reset(std::string_view event);
  // Forgets all; how many they were.
  size_t ResetAll();

 private:
  mutable Mutex mutex_;
  std::map<std::string, Event, std::less<>> events_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::command

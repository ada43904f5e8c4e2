// Latencies: percentiles in bounded memory (command/latency_histogram.h), and the longest.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "command/latency_histogram.h"

namespace larder::bench {

class Latencies {
 public:
  void Add(std::chrono::nanoseconds latency) {
    const auto nanoseconds = static_cast<uint64_t>(std::max<int64_t>(latency.count(), 0));
    buckets_.Add(nanoseconds);
    longest_ns_ = std::max(longest_ns_, nanoseconds);
  }

  command::LatencyCounts Counts() const {
    command::LatencyCounts counts(command::LatencyBuckets::kBuckets);
    buckets_.AddTo(counts);
    return counts;
  }
  double LongestUs() const { return static_cast<double>(longest_ns_) / 1000; }

 private:
  command::LatencyBuckets buckets_;
  uint64_t longest_ns_ = 0;
};

}  // namespace larder::bench

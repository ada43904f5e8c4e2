// LatencyBuckets: how long the calls of one command took, in buckets of equal relative width.
//
// The buckets are those of Redis's histograms, so that percentiles have Redis's form: exact up to
// 255 ns, then 128 of equal width per doubling (an error below 0.8 %), up to one second; what took
// longer counts as a second.
//
// Ownership:  of a CommandStatistics; 24 KiB, made when the command is first timed.
// Threads:    one writes, any read.
// Cost:       a store per call that is timed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace larder::command {

class LatencyBuckets {
 public:
  static constexpr size_t kBuckets = 3072;
  static constexpr uint64_t kLongestNs = 1'000'000'000;

  void Add(uint64_t nanoseconds);
  void AddTo(std::span<uint64_t> counts) const;

 private:
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
};

// Counts by bucket, of all workers; empty: the command was not timed.
using LatencyCounts = std::vector<uint64_t>;

uint64_t SumOf(const LatencyCounts& counts);

// The longest time that counts as equal to that below which `percent` of the calls took, in
// nanoseconds; 0 when there were none.
uint64_t PercentileNs(const LatencyCounts& counts, double percent);

// As LATENCY HISTOGRAM tells it: how many calls took up to so many microseconds, at every doubling
// where the number changes.
struct CumulativeStep {
  uint64_t up_to_us = 0;
  uint64_t calls = 0;
};
std::vector<CumulativeStep> Cumulative(const LatencyCounts& counts);

}  // namespace larder::command

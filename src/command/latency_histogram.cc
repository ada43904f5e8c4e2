#include "command/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace larder::command {
namespace {

constexpr uint64_t kExactBits = 8;  // values below 1 << kExactBits have a bucket each
constexpr size_t kPerDoubling = size_t{1} << (kExactBits - 1);

size_t BucketOf(uint64_t value) {
  const auto bits = static_cast<uint64_t>(std::bit_width(value));
  const uint64_t shift = bits > kExactBits ? bits - kExactBits : 0;
  return shift * kPerDoubling + (value >> shift);
}

// The largest value of a bucket.
uint64_t UpperEnd(size_t bucket) {
  if (bucket < 2 * kPerDoubling) return bucket;
  const uint64_t shift = bucket / kPerDoubling - 1;
  const uint64_t mantissa = bucket - shift * kPerDoubling;
  return ((mantissa + 1) << shift) - 1;
}

}  // namespace

void LatencyBuckets::Add(uint64_t nanoseconds) {
  std::atomic<uint64_t>& bucket = buckets_[BucketOf(std::min(nanoseconds, kLongestNs))];
  bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void LatencyBuckets::AddTo(std::span<uint64_t> counts) const {
  for (size_t i = 0; i < kBuckets; ++i) counts[i] += buckets_[i].load(std::memory_order_relaxed);
}

uint64_t SumOf(const LatencyCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

uint64_t PercentileNs(const LatencyCounts& counts, double percent) {
  const uint64_t total = SumOf(counts);
  if (total == 0) return 0;
  const double wanted = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(total);
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(wanted)));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen >= rank) return UpperEnd(i);
  }
  return UpperEnd(counts.size() - 1);
}

std::vector<CumulativeStep> Cumulative(const LatencyCounts& counts) {
  std::vector<CumulativeStep> steps;
  uint64_t seen = 0;
  size_t next = 0;
  const auto count_through = [&](size_t last) {
    const uint64_t before = seen;
    for (; next <= last; ++next) seen += counts[next];
    if (seen != before) steps.push_back({.up_to_us = UpperEnd(last) / 1000, .calls = seen});
  };
  if (counts.empty()) return steps;
  // 1,024 ns, as Redis begins, and every doubling.
  for (uint64_t level = 1024; BucketOf(level) < counts.size(); level *= 2) {
    count_through(BucketOf(level));
  }
  count_through(counts.size() - 1);
  return steps;
}

}  // namespace larder::command

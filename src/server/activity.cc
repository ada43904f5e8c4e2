#include "server/activity.h"

namespace larder::server {
namespace {

ActivitySums Difference(const ActivitySums& now, const ActivitySums& before) {
  return {.commands = now.commands - before.commands,
          .keyspace_hits = now.keyspace_hits - before.keyspace_hits,
          .keyspace_misses = now.keyspace_misses - before.keyspace_misses,
          .input_bytes = now.input_bytes - before.input_bytes,
          .output_bytes = now.output_bytes - before.output_bytes,
          .connections = now.connections - before.connections,
          .rejected_connections = now.rejected_connections - before.rejected_connections};
}

}  // namespace

ActivitySums Activity::SinceReset(const ActivitySums& sums) const {
  const MutexLock lock(mutex_);
  return Difference(sums, before_);
}

Activity::Rates Activity::RatesUntil(int64_t now_ms, const ActivitySums& sums) {
  const MutexLock lock(mutex_);
  // The latest look that is old enough stays in front; what came before it serves nobody.
  while (looks_.size() > 1 && now_ms - looks_[1].at_ms >= kLeastMs) looks_.pop_front();
  Rates rates;
  if (!looks_.empty() && now_ms > looks_.front().at_ms) {
    const double seconds = static_cast<double>(now_ms - looks_.front().at_ms) / 1000;
    const ActivitySums done = Difference(sums, looks_.front().sums);
    rates = {.commands = static_cast<double>(done.commands) / seconds,
             .input_bytes = static_cast<double>(done.input_bytes) / seconds,
             .output_bytes = static_cast<double>(done.output_bytes) / seconds};
  }
  if (looks_.empty() || now_ms - looks_.back().at_ms >= kApartMs) {
    looks_.push_back({.at_ms = now_ms, .sums = sums});
  }
  return rates;
}

void Activity::Reset(int64_t now_ms, const ActivitySums& sums) {
  const MutexLock lock(mutex_);
  before_ = sums;
  looks_.clear();
  looks_.push_back({.at_ms = now_ms, .sums = sums});
}

}  // namespace larder::server

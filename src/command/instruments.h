// Instruments: what a server records of the commands it executes: calls, errors, time, the slow
// ones, and who watches them.
//
// Calls and errors are counted exactly. Time is taken of one call in kSampleEvery of each command,
// the first among them, so that most requests read no clock: `usec` is the mean of those, times
// calls. Commands that are not marked fast, and fast ones with many arguments, are timed the first
// kSampleEvery times, and watched by the processor's counter from then on, so that the slow log and
// the latency monitor miss none of them. While the slow log is to keep what takes less than a
// millisecond, everything is timed.
//
// Ownership:  of the server; a worker's statistics live as long as the Instruments.
// Threads:    a CommandStatistics is written by its worker with plain stores and read by any
//             thread; everything else from any thread (slow paths take a lock). A reset changes no
//             counter: it remembers what they were.
// Cost:       two additions a command.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/tick_counter.h"
#include "command/access_log.h"
#include "command/latency.h"
#include "command/latency_histogram.h"
#include "command/slow_log.h"
#include "command/table.h"
#include "protocol/resp/reply.h"

namespace larder::command {

struct Context;

// One in so many calls is timed; a power of two.
inline constexpr uint32_t kSampleEvery = 64;
// More arguments than this make a fast command worth watching.
inline constexpr size_t kManyArguments = 16;
// More codes of errors than this are counted together.
inline constexpr size_t kMaxErrorCodes = 128;

// How many replies were errors, by their code ("ERR", "WRONGTYPE"...).
using ErrorCounts = std::map<std::string, uint64_t, std::less<>>;

// Of one worker. Its owner alone writes: loads and stores, no atomic read-modify-write.
class CommandStatistics final : public resp::ErrorListener {
 public:
  struct PerCommand {
    std::atomic<uint64_t> calls{0};
    std::atomic<uint64_t> rejected{0};  // before it was executed: arity, permission, READONLY...
    std::atomic<uint64_t> failed{0};    // executed, and answered with an error
    std::atomic<uint64_t> timed{0};
    std::atomic<uint64_t> timed_ns{0};
    std::atomic<LatencyBuckets*> latencies{nullptr};  // owned by histograms_
  };

  CommandStatistics();

  PerCommand& operator[](size_t number) { return per_command_[number]; }
  const PerCommand& operator[](size_t number) const { return per_command_[number]; }

  // Whether a command that was called so often before is timed: the first call of it is.
  bool TakesSample(uint64_t calls_before) const {
    return (calls_before & sample_mask_.load(std::memory_order_relaxed)) == 0;
  }
  void TimeAll(bool all) {
    sample_mask_.store(all ? 0 : kSampleEvery - 1, std::memory_order_relaxed);
  }

  // A call took so long; `latency_tracking`: it goes into the histogram, too.
  void Took(const CommandSpec& spec, uint64_t nanoseconds, bool latency_tracking);

  // An error reply: counts its code.
  void OnError(std::string_view text) override;
  ErrorCounts errors() const;

  static void Add(std::atomic<uint64_t>& to, uint64_t count) {
    to.store(to.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

 private:
  std::unique_ptr<PerCommand[]> per_command_;
  std::vector<std::unique_ptr<LatencyBuckets>> histograms_;
  std::atomic<uint64_t> sample_mask_{kSampleEvery - 1};
  mutable Mutex errors_mutex_;
  ErrorCounts errors_ LARDER_GUARDED_BY(errors_mutex_);
};

class Instruments {
 public:
  CommandStatistics& AddWorker();

  // How many connections follow every command (MONITOR). Looked at once a batch.
  std::atomic<uint32_t> monitors{0};
  // CONFIG SET latency-tracking and slowlog-max-len.
  std::atomic<bool> latency_tracking{true};
  std::atomic<uint64_t> slow_log_max_entries{128};

  SlowLog slow_log;
  AccessLog access_log;
  LatencyMonitor latency_monitor;

  // CONFIG SET slowlog-log-slower-than: microseconds; negative: none.
  int64_t slow_log_min_us() const { return slow_log_min_us_.load(std::memory_order_relaxed); }
  void SetSlowLogMin(int64_t microseconds);
  // CONFIG SET latency-tracking-info-percentiles.
  std::vector<double> percentiles() const;
  void SetPercentiles(std::vector<double> percentiles);

  // A call that was timed has ended: the one place that statistics, the slow log and the latency
  // monitor learn of it from.
  void Took(Context& context, CommandStatistics& statistics, const CommandSpec& spec,
            Arguments args, uint64_t nanoseconds);

  // The same for a call that was only watched: it is no sample, so the statistics do not learn of
  // it.
  void TookLong(Context& context, const CommandSpec& spec, Arguments args, uint64_t ticks);

  // ---- Sums of all workers since the last Reset.
  struct Totals {
    uint64_t calls = 0;
    uint64_t rejected = 0;
    uint64_t failed = 0;
    uint64_t timed = 0;
    uint64_t timed_ns = 0;

    // Of all calls, from those that were timed.
    uint64_t microseconds() const;
    bool empty() const { return calls == 0 && rejected == 0 && failed == 0; }
  };
  std::vector<Totals> totals() const;  // by CommandSpec::number
  LatencyCounts Latencies(size_t number) const;
  ErrorCounts errors() const;
  // CONFIG RESETSTAT.
  void Reset();

 private:
  void KeepIfSlow(Context& context, const CommandSpec& spec, Arguments args, uint64_t nanoseconds);
  std::vector<Totals> SumTotals() const LARDER_REQUIRES(mutex_);
  LatencyCounts SumLatencies(size_t number) const LARDER_REQUIRES(mutex_);
  ErrorCounts SumErrors() const LARDER_REQUIRES(mutex_);

  std::atomic<int64_t> slow_log_min_us_{10'000};
  TickScale tick_scale_;

  mutable Mutex mutex_;
  std::vector<std::unique_ptr<CommandStatistics>> workers_ LARDER_GUARDED_BY(mutex_);
  std::vector<double> percentiles_ LARDER_GUARDED_BY(mutex_) = {50, 99, 99.9};
  // What the sums were at the last Reset; empty: there was none.
  std::vector<Totals> totals_before_ LARDER_GUARDED_BY(mutex_);
  std::map<size_t, LatencyCounts> latencies_before_ LARDER_GUARDED_BY(mutex_);
  ErrorCounts errors_before_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::command

// Instruments: what a server records of the commands it executes: calls, errors, time, the slow
// ones, and who watches them.
//
// Calls and errors are counted exactly. Time is taken of every command that is not marked fast, of
// every fast one with many arguments, and of one in kSampleEvery of the other fast ones, so that
// the read path reads no clock for most requests: their `usec` is the mean of those, times calls.
//
// Ownership:  of the server; a worker's statistics live as long as the Instruments.
// Threads:    a CommandStatistics is written by its worker with plain stores and read by any
// thread;
//             everything else from any thread (slow paths take a lock).
// Cost:       two additions a command.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "command/table.h"

namespace larder::command {

// One in so many fast commands is timed.
inline constexpr uint32_t kSampleEvery = 64;
// More arguments than this make a fast command worth timing.
inline constexpr size_t kManyArguments = 16;

// Of one worker. Its owner alone writes: loads and stores, no atomic read-modify-write.
class CommandStatistics {
 public:
  struct PerCommand {
    std::atomic<uint64_t> calls{0};
    std::atomic<uint64_t> rejected{0};  // before it was executed: arity, permission, READONLY...
    std::atomic<uint64_t> failed{0};    // executed, and answered with an error
    std::atomic<uint64_t> timed{0};
    std::atomic<uint64_t> timed_ns{0};
  };

  CommandStatistics();

  PerCommand& operator[](size_t number) { return per_command_[number]; }
  const PerCommand& operator[](size_t number) const { return per_command_[number]; }

  // Whether this call of a fast command is the one that is timed.
  bool TakesSample() { return ++sample_ % kSampleEvery == 0; }

  static void Add(std::atomic<uint64_t>& to, uint64_t count) {
    to.store(to.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

 private:
  std::unique_ptr<PerCommand[]> per_command_;
  uint32_t sample_ = 0;
};

class Instruments {
 public:
  CommandStatistics& AddWorker();

  // How many connections follow every command (MONITOR). Looked at once a batch.
  std::atomic<uint32_t> monitors{0};
  // CONFIG SET latency-tracking, slowlog-log-slower-than (microseconds, negative: none) and
  // slowlog-max-len.
  std::atomic<bool> latency_tracking{true};
  std::atomic<int64_t> slow_log_min_us{10'000};
  std::atomic<uint64_t> slow_log_max_entries{128};

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<CommandStatistics>> workers_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::command

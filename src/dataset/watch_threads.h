// WatchThreads: the background of a Dataset: one thread that looks at the source now and then and
// notices damage, one that verifies the version found at the start.
//
// Ownership:  owns its threads; what it calls must outlive Stop().
// Threads:    Start and Stop from one thread, Wake from any.
// Cost:       a wake-up a second. Of all verifications of the process one runs at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace larder::dataset {

// How long damage that no reader reports may go unnoticed.
inline constexpr std::chrono::milliseconds kDamagePollInterval{1000};

struct WatchWork {
  std::function<std::chrono::milliseconds()> interval;  // asked after each look
  std::function<void()> look;    // at once, then every interval, and when woken
  std::function<void()> poll;    // before each look, and every kDamagePollInterval
  std::function<void()> verify;  // once, on a thread of its own, of low priority
};

class WatchThreads {
 public:
  WatchThreads() = default;
  ~WatchThreads() { Stop(); }
  WatchThreads(const WatchThreads&) = delete;
  WatchThreads& operator=(const WatchThreads&) = delete;

  void Start(WatchWork work);
  void Stop();
  // The next look is now, also when there was one just before.
  void Wake();
  // What the work asks now and then, to end early.
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  void Run(const WatchWork& work);
  // Returns whether it is time for a look (else: for a poll), or that all is over.
  enum class Due : uint8_t { kLook, kPoll, kStop };
  Due Sleep(Clock::time_point next_look);

  Mutex mutex_;
  CondVar wake_up_;
  std::atomic<bool> stopping_{false};  // written under the lock
  bool woken_ LARDER_GUARDED_BY(mutex_) = false;
  std::jthread watcher_;
  std::jthread verifier_;
};

}  // namespace larder::dataset

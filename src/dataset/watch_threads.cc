#include "dataset/watch_threads.h"

#include <algorithm>
#include <utility>

#include "base/thread_priority.h"

namespace larder::dataset {

void WatchThreads::Start(WatchWork work) {
  if (watcher_.joinable()) return;
  stopping_.store(false);
  verifier_ = std::jthread([verify = work.verify] {
    LowerThreadPriority();
    verify();
  });
  watcher_ = std::jthread([this, work = std::move(work)] { Run(work); });
}

void WatchThreads::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_.store(true);
    wake_up_.NotifyAll();
  }
  if (watcher_.joinable()) watcher_.join();
  if (verifier_.joinable()) verifier_.join();
}

void WatchThreads::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  wake_up_.NotifyAll();
}

void WatchThreads::Run(const WatchWork& work) {
  Clock::time_point next_look = Clock::now();
  for (;;) {
    const Due due = Sleep(next_look);
    if (due == Due::kStop) return;
    work.poll();
    if (due != Due::kLook) continue;
    work.look();
    next_look = Clock::now() + work.interval();
  }
}

WatchThreads::Due WatchThreads::Sleep(Clock::time_point next_look) {
  const Clock::time_point next_poll = Clock::now() + kDamagePollInterval;
  const Clock::time_point until = std::min(next_look, next_poll);
  MutexLock lock(mutex_);
  while (!stopping_.load() && !woken_ && Clock::now() < until) wake_up_.WaitUntil(mutex_, until);
  if (stopping_.load()) return Due::kStop;
  if (std::exchange(woken_, false)) return Due::kLook;
  return Clock::now() >= next_look ? Due::kLook : Due::kPoll;
}

}  // namespace larder::dataset

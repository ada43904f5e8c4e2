#include "dataset/watch_threads.h"

#include <algorithm>
#include <utility>

#include "base/thread_priority.h"

namespace larder::dataset {

namespace {

// One verification at a time in the whole process: a server of a hundred stores reads its disk from
// front to back once, instead of in a hundred places.
class VerifyTurn {
 public:
  // False: `stopping` came first.
  bool Take(const std::atomic<bool>& stopping) {
    MutexLock lock(mutex_);
    while (taken_ && !stopping.load()) changed_.Wait(mutex_);
    return !stopping.load() && !std::exchange(taken_, true);
  }
  void GiveBack() {
    MutexLock lock(mutex_);
    taken_ = false;
    changed_.NotifyAll();
  }
  // For those whose `stopping` has come true.
  void LookAgain() {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool taken_ LARDER_GUARDED_BY(mutex_) = false;
};

VerifyTurn verify_turn;

}  // namespace

void WatchThreads::Start(WatchWork work) {
  if (watcher_.joinable()) return;
  stopping_.store(false);
  verifier_ = std::jthread([this, verify = work.verify] {
    LowerThreadPriority();
    if (!verify_turn.Take(stopping_)) return;
    verify();
    verify_turn.GiveBack();
  });
  watcher_ = std::jthread([this, work = std::move(work)] { Run(work); });
}

void WatchThreads::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_.store(true);
    wake_up_.NotifyAll();
  }
  verify_turn.LookAgain();
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

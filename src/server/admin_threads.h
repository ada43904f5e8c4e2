// AdminThreads: a few threads for work that may wait, outside any epoch.
//
// A command that compiles, or that waits until all workers have moved to another version, would
// hold up every connection of its worker, and wait for itself. It runs here; what compiles has
// other AdminThreads than what waits for readers, so that no rollback stands behind a reload.
//
// Ownership:  owns the threads and the work given to them.
// Threads:    Post from any thread; Stop once, by the owner.
// Errors:     none of its own.
// Cost:       a lock per Post.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace larder::server {

class AdminThreads {
 public:
  using Work = std::function<void()>;

  AdminThreads() = default;
  ~AdminThreads() { Stop(); }
  AdminThreads(const AdminThreads&) = delete;
  AdminThreads& operator=(const AdminThreads&) = delete;

  void Start(unsigned threads);
  void Post(Work work);
  // Waits for the work that is under way; what has not begun is dropped.
  void Stop();

 private:
  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::deque<Work> queue_ LARDER_GUARDED_BY(mutex_);
  bool stopping_ LARDER_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace larder::server

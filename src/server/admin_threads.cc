#include "server/admin_threads.h"

#include <utility>

namespace larder::server {

void AdminThreads::Start(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void AdminThreads::Post(Work work) {
  const MutexLock lock(mutex_);
  queue_.push_back(std::move(work));
  changed_.NotifyOne();
}

void AdminThreads::Stop() {
  std::deque<Work> dropped;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void AdminThreads::Run() {
  while (true) {
    Work work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(mutex_);
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace larder::server

// StickyError: the first failure of a file, which is the answer to everything after it.
//
// After a failed write the bytes of the file are unknown, and after a failed fsync the kernel has
// dropped the pages: another fsync would claim a success that is none.
//
// Threads: any. Cost: Check is one load while nothing has failed.
#pragma once

#include <atomic>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"

namespace larder::io {

class StickyError {
 public:
  Result<void> Check() const {
    if (!failed_.load(std::memory_order_acquire)) return {};
    const MutexLock lock(mutex_);
    return first_;
  }

  // Returns the first one.
  std::unexpected<Error> Set(Error error) {
    const MutexLock lock(mutex_);
    if (first_) first_ = std::unexpected(std::move(error));
    failed_.store(true, std::memory_order_release);
    return std::unexpected(first_.error());
  }

 private:
  mutable Mutex mutex_;
  Result<void> first_ LARDER_GUARDED_BY(mutex_);
  std::atomic<bool> failed_{false};
};

}  // namespace larder::io

// NameCounts: how many different names are in use, by any number of users each.
//
// Threads: any; one lock.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/mutex.h"

namespace larder::server {

class NameCounts {
 public:
  void Add(const std::string& name) {
    const MutexLock lock(mutex_);
    ++uses_[name];
  }
  void Remove(const std::string& name) {
    const MutexLock lock(mutex_);
    const auto found = uses_.find(name);
    if (--found->second == 0) uses_.erase(found);
  }
  uint64_t count() const {
    const MutexLock lock(mutex_);
    return uses_.size();
  }

 private:
  mutable Mutex mutex_;
  std::unordered_map<std::string, uint64_t> uses_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::server

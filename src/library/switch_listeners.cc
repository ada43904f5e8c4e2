#include "library/switch_listeners.h"

#include <utility>

namespace larder::library {

uint64_t SwitchListeners::Add(Callback callback) {
  MutexLock lock(mutex_);
  callbacks_.emplace(++last_, std::make_shared<const Callback>(std::move(callback)));
  return last_;
}

void SwitchListeners::Remove(uint64_t number) {
  MutexLock lock(mutex_);
  callbacks_.erase(number);
  while (running_ == number && runner_ != std::this_thread::get_id()) changed_.Wait(mutex_);
}

void SwitchListeners::Tell(const SwitchEvent& event) {
  uint64_t told = 0;
  for (;;) {
    std::shared_ptr<const Callback> callback;
    {
      MutexLock lock(mutex_);
      running_ = 0;
      changed_.NotifyAll();
      // In the order that they came; those that come or go meanwhile are no trouble.
      const auto next = callbacks_.upper_bound(told);
      if (next == callbacks_.end()) return;
      told = running_ = next->first;
      runner_ = std::this_thread::get_id();
      callback = next->second;
    }
    (*callback)(event);
  }
}

}  // namespace larder::library

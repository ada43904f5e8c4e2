#include "library/switch_listeners.h"

#include <utility>

namespace larder::library {

uint64_t SwitchListeners::Add(Callback callback, const std::function<uint64_t()>& current) {
  auto shared = std::make_shared<const Callback>(std::move(callback));
  // Asked under the lock: what is told from here on comes to this listener too.
  MutexLock lock(mutex_);
  listeners_.emplace(++last_, Listener{std::move(shared), current()});
  return last_;
}

void SwitchListeners::Remove(uint64_t number) {
  MutexLock lock(mutex_);
  listeners_.erase(number);
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
      const auto next = listeners_.upper_bound(told);
      if (next == listeners_.end()) return;
      told = next->first;
      if (std::exchange(next->second.known, std::nullopt) == event.current) continue;
      running_ = told;
      runner_ = std::this_thread::get_id();
      callback = next->second.callback;
    }
    (*callback)(event);
  }
}

bool SwitchListeners::TellingHere() const {
  MutexLock lock(mutex_);
  return running_ != 0 && runner_ == std::this_thread::get_id();
}

}  // namespace larder::library

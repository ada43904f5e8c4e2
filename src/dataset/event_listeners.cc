#include "dataset/event_listeners.h"

namespace larder::dataset {

void EventListeners::Add(EventListener& listener) {
  const MutexLock lock(mutex_);
  listeners_.push_back(&listener);
}

void EventListeners::Remove(EventListener& listener) {
  const MutexLock lock(mutex_);
  std::erase(listeners_, &listener);
}

void EventListeners::Tell(const Event& event) {
  const MutexLock lock(mutex_);
  for (EventListener* const listener : listeners_) listener->Happened(event);
}

void EventListeners::TellStoresChanged() {
  const MutexLock lock(mutex_);
  for (EventListener* const listener : listeners_) listener->StoresChanged();
}

}  // namespace larder::dataset

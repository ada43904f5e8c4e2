// EventListeners: who else follows what happens to stores, besides a store's own on_event.
//
// Whoever serves stores to others (server/) listens to all of them at once, those to come included.
//
// Ownership:  borrows the listeners, which take themselves out before they end.
// Threads:    any. A listener is called by the thread that makes a change, one call at a time;
//             Remove returns when no call of it is under way, so it is not called from one.
// Cost:       a lock an event.
#pragma once

#include <vector>

#include "base/mutex.h"
#include "dataset/dataset.h"

namespace larder::dataset {

class EventListener {
 public:
  virtual ~EventListener() = default;
  // After readers have moved, as Options::on_event; what it does, a switch waits for.
  virtual void Happened(const Event& event) = 0;
  // Readers see other stores than before, or see them under other numbers.
  virtual void StoresChanged() = 0;
};

class EventListeners {
 public:
  void Add(EventListener& listener);
  void Remove(EventListener& listener);

  void Tell(const Event& event);
  void TellStoresChanged();

 private:
  Mutex mutex_;
  std::vector<EventListener*> listeners_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::dataset

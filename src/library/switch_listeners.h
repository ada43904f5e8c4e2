// SwitchListeners: who wants to know of a Dataset's switches.
//
// Ownership:  owns the callbacks; shared by the Dataset that tells and the Subscriptions.
// Threads:    Tell from one thread at a time (the dataset sees to that), the rest from any.
// Errors:     none; callbacks do not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "larder/dataset.h"

namespace larder::library {

class SwitchListeners {
 public:
  using Callback = std::function<void(const SwitchEvent&)>;

  // `current` says which version is current. A switch to it may still be on its way to the
  // listeners: the new one is not told of that.
  uint64_t Add(Callback callback, const std::function<uint64_t()>& current);
  // When it returns the callback is not running, unless the caller is the callback.
  void Remove(uint64_t number);
  void Tell(const SwitchEvent& event);
  // Whether the caller is a callback.
  bool TellingHere() const;

 private:
  struct Listener {
    std::shared_ptr<const Callback> callback;
    std::optional<uint64_t> known;  // the version that was current, until the first switch is told
  };

  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t last_ LARDER_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Listener> listeners_ LARDER_GUARDED_BY(mutex_);
  uint64_t running_ LARDER_GUARDED_BY(mutex_) = 0;  // 0: none
  std::thread::id runner_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::library

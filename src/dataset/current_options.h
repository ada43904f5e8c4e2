// CurrentOptions: the options of a Dataset as of now, replaced whole.
//
// An operation reads them once, at its begin, and keeps what it got: it never sees a mixture of old
// and new.
//
// Ownership: shares each set of options with whoever has read it.
// Threads:   any.
// Cost:      a lock and a shared count: once per operation, never per request.
#pragma once

#include <memory>

#include "base/mutex.h"
#include "dataset/dataset.h"

namespace larder::dataset {

class CurrentOptions {
 public:
  explicit CurrentOptions(Options options);
  std::shared_ptr<const Options> Get() const;
  void Set(Options options);

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Options> options_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::dataset

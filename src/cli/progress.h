// Progress: one line on a terminal that tells how far long work is; silent everywhere else.
//
// Threads: any. Cost: at most ten lines a second.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace larder::cli {

class Progress {
 public:
  explicit Progress(std::string title);
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `share` between 0 and 1. At 1 the line goes away.
  void Show(std::string_view step, double share);
  void Clear();

 private:
  const std::string title_;
  const bool terminal_;
  Mutex mutex_;
  bool shown_ LARDER_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point next_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::cli

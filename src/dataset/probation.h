// Probation: the time after a switch to content that was never served before, during which its
// readers' luck is counted.
//
// Ownership:  shares the counts with the Version, so that readers may add to them as long as they
//             hold it.
// Threads:    one at a time, but what readers add.
// Errors:     none.
// Durability: none: a restart ends a probation.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "dataset/dataset.h"
#include "dataset/gate.h"

namespace larder::dataset {

class Probation {
 public:
  using Clock = std::chrono::steady_clock;

  Probation() = default;
  ~Probation() { End(); }
  Probation(const Probation&) = delete;
  Probation& operator=(const Probation&) = delete;

  // What the new Version is to be given. `previous` is where to go back to.
  std::shared_ptr<ReadCounts> Begin(uint64_t number, uint64_t previous,
                                    std::chrono::milliseconds window);
  // Readers stop counting.
  void End();

  bool running() const { return counts_ != nullptr; }
  bool over(Clock::time_point now) const { return now >= end_; }
  uint64_t number() const { return number_; }      // 0: none
  uint64_t previous() const { return previous_; }  // 0: none
  int64_t until_ms() const { return until_ms_; }   // Unix time; 0: none
  Verdict Check(const ProbationOptions& options) const { return CheckProbation(options, *counts_); }

 private:
  std::shared_ptr<ReadCounts> counts_;  // null: nothing is on probation
  uint64_t number_ = 0;
  uint64_t previous_ = 0;
  Clock::time_point end_;
  int64_t until_ms_ = 0;
};

}  // namespace larder::dataset

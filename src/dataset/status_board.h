// StatusBoard: what a Dataset shows of itself, kept apart from what it does, so that looking never
// waits for a change.
//
// Ownership:  shares the current Version; everything else is a copy.
// Threads:    any, also inside an epoch: its lock is the innermost and never held while waiting.
// Cost:       copies; an error is logged when it changes, not each time that it is told.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "dataset/dataset.h"

namespace larder::dataset {

class StatusBoard {
 public:
  explicit StatusBoard(const Options& options);
  // Of other options; what went wrong under the old ones counts no longer.
  void ShowOptions(const Options& options);

  Status status() const;
  std::vector<VersionInfo> versions() const;
  std::shared_ptr<const Version> current() const;
  // Waits until `done` likes the status; false when `timeout` has passed before.
  bool WaitFor(const std::function<bool(const Status&)>& done,
               std::chrono::milliseconds timeout) const;

  void ShowVersions(std::vector<VersionInfo> versions);
  void ShowPinned(bool pinned);
  // Returns the version that was current; the caller lets it go when no reader can see it.
  std::shared_ptr<const Version> ReplaceCurrent(std::shared_ptr<const Version> version);
  void CountSwitch();
  // How much of `version` is in memory, if it is still the one that is served.
  void ShowResident(const Version& version, uint64_t bytes);

  void ShowCheck();
  void ShowCompiling(bool compiling);
  // How the last attempt at the source ended; empty: well. A `refused` one is counted. Returns
  // whether this is news, and bad.
  bool ShowAttempt(const std::string& error, bool refused = false);
  // The error of the last attempt, if it was refused for what it holds; else empty.
  std::string RefusedAttempt() const;
  // What the gates and probation have to say about the versions.
  struct Judgement {
    uint64_t refused_version = 0;
    std::string verdict;
    uint64_t skipped_lines = 0;
    int64_t probation_until_ms = 0;
  };
  void ShowJudgement(Judgement judgement);
  // Why STATE, or the directory, is not as it should be; empty: it is.
  void ShowDirectoryError(const std::string& error);
  void ShowDamage(uint64_t number, const std::string& problem);

 private:
  // Whether it is another error than before.
  bool Say(std::string& place, const std::string& error) LARDER_REQUIRES(mutex_);

  mutable Mutex mutex_;
  mutable CondVar changed_;
  Status status_ LARDER_GUARDED_BY(mutex_);
  std::string attempt_error_ LARDER_GUARDED_BY(mutex_);
  std::string refused_attempt_ LARDER_GUARDED_BY(mutex_);  // of attempt_error_'s
  std::string directory_error_ LARDER_GUARDED_BY(mutex_);
  std::vector<VersionInfo> versions_ LARDER_GUARDED_BY(mutex_);
  std::shared_ptr<const Version> current_ LARDER_GUARDED_BY(mutex_);
};

// Unix time in ms.
int64_t NowMs();

}  // namespace larder::dataset

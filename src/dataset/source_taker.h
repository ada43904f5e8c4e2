// SourceTaker: notices that the source has changed, and takes it when it is whole.
//
// Whole: its size, mtime and inode (and those of the digest files beside it) are the same in two
// looks one after another; the first look after the start, and one that is told to, take it at
// once. Either way it is looked at again after it was read, and an attempt during which it changed
// is thrown away.
//
// A file that was taken is left alone until it changes. So is one that was refused for what it
// holds. What failed for a reason that may pass (no space, an I/O error, held, not permitted) is
// tried again after 1 look, then after 2, 4, 8, and from then on every 12 looks. A version that
// turned out to be damaged is compiled anew at once, but when that happens again with the same file
// only after as many looks: the disk, not the file, is at fault.
//
// While a version is served, reading, compiling and verifying (all of the new file: checksums, form
// and counts) run on a thread of low priority. With nothing served, what was compiled is served as
// soon as the builder has looked every key up.
//
// Threads: any, not inside an epoch; one look at a time, the others wait.
// Errors:  told to the caller and shown on the board.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/mutex.h"
#include "dataset/current_options.h"
#include "dataset/dataset.h"
#include "dataset/source_sight.h"
#include "dataset/status_board.h"
#include "dataset/version_maker.h"
#include "dataset/version_switch.h"
#include "io/file_system.h"

namespace larder::dataset {

// Looks between two attempts at an unchanged file, at most.
inline constexpr unsigned kMaxLooksBetweenAttempts = 12;

class SourceTaker {
 public:
  SourceTaker(io::FileSystem& files, CurrentOptions& options, VersionSwitch& versions,
              StatusBoard& board);

  Result<SwitchReport> Look(bool at_once);
  // The next look takes the source even if it is known: what was made of it is lost.
  void LookAnew() { anew_.store(true); }
  // The last attempt is seen otherwise by now: its version was accepted (empty), or left again.
  void Overrule(std::string error);
  // Ends the look that is running, sets other options and forgets what was seen under the old ones:
  // the next look takes the source at once.
  void Reconfigure(Options options);
  // Ends a compile that is running, and those that begin, until as many calls of Resume.
  void Cancel();
  // Waits for the look that is running.
  void Resume();

 private:
  struct Outcome {
    SourceSight sight;
    std::string error;  // empty: it was taken
  };
  struct Retry {
    SourceSight sight;
    unsigned failures = 0;
    unsigned looks_to_wait = 0;
  };

  void EndCancel();
  bool IsDue(const Options& options, const SourceSight& sight, bool at_once)
      LARDER_REQUIRES(mutex_);
  bool IsDueAnew(const SourceSight& sight) LARDER_REQUIRES(mutex_);
  void WaitLonger(std::optional<Retry>& retry, const SourceSight& sight) LARDER_REQUIRES(mutex_);
  Result<SwitchReport> Take(const Options& options, const SourceSight& sight, bool reread)
      LARDER_REQUIRES(mutex_);
  // Begun, or ended: what Overrule has said before means another one.
  void CountAttempt();
  void ApplyOverruling() LARDER_REQUIRES(mutex_);
  void ShowFailure(const std::string& error, bool refused);
  void Conclude(const Options& options, const SourceSight& sight, const Error& error)
      LARDER_REQUIRES(mutex_);

  CurrentOptions& options_;
  VersionSwitch& versions_;
  StatusBoard& board_;
  std::atomic<bool> anew_{false};

  Mutex cancel_mutex_;  // innermost
  unsigned cancels_ LARDER_GUARDED_BY(cancel_mutex_) = 0;
  std::atomic<bool> cancelled_{false};  // whether there are any; written under the lock

  struct Overruling {
    uint64_t attempts = 0;
    std::string error;
  };
  Mutex overruling_mutex_;  // innermost
  uint64_t attempts_ LARDER_GUARDED_BY(overruling_mutex_) = 0;
  std::optional<Overruling> overruling_ LARDER_GUARDED_BY(overruling_mutex_);

  // Held during a whole look, a compile included; taken before VersionSwitch's and StatusBoard's.
  Mutex mutex_;
  SourceObserver observer_ LARDER_GUARDED_BY(mutex_);
  VersionMaker maker_ LARDER_GUARDED_BY(mutex_);
  bool looked_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<SourceSight> seen_ LARDER_GUARDED_BY(mutex_);
  std::optional<Outcome> outcome_ LARDER_GUARDED_BY(mutex_);
  std::optional<Retry> retry_ LARDER_GUARDED_BY(mutex_);
  std::optional<Retry> lost_ LARDER_GUARDED_BY(mutex_);  // versions of one sight that were damaged
};

}  // namespace larder::dataset

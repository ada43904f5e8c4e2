// Dataset: the versions of one read-only store, and which of them is served.
//
// A directory holds numbered Snapshots, one of them current. A new source file is noticed, checked,
// compiled, verified and switched to while the current version serves on; a step that fails leaves
// everything as it was and is told by status(). Rolling back is the same switch to a version that
// is already on disk, and holds (pinned) until Unpin.
//
// Ownership:  owns the directory (one process, locked), its versions and a watching thread.
// Versions
//             that workers may still read live until the epoch has passed; a shared_ptr of a
//             Version (PinCurrent) keeps one longer.
// Threads:    Current() from a reader inside its epoch; everything else from any thread except from
//             inside an epoch (they wait for readers); changes are serialised inside.
// Errors:     Open: kBusy (who holds the directory), kIoError...; the calls that change: what was
//             wrong; the version that was current serves on.
// Durability: a version is on disk, synced and looked up whole before it is served; which one is
//             current, and whether pinned, is on disk before a switch is acknowledged: both survive
//             a power cut.
// Cost:       Current() is one load.
// Format:     docs/formats/dataset.md
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/epoch.h"
#include "base/error.h"
#include "dataset/gate.h"
#include "import/importer.h"
#include "io/file_system.h"
#include "larder/dataset_options.h"
#include "larder/dataset_status.h"
#include "snapshot/builder.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

struct Event;
class EventListeners;  // dataset/event_listeners.h

struct Options : DatasetOptions {
  // Called on the thread that makes a change, one call at a time, after readers have moved; a
  // switch waits for it. It may read, and change nothing of this Dataset.
  std::function<void(const Event&)> on_event;
  // Told after it; null: nobody. The Catalogue's, for all its stores.
  std::shared_ptr<EventListeners> listeners;
};

// Whether both mean the same, whatever their callbacks.
bool SameSettings(const Options& a, const Options& b);

// What readers met in a version that is on probation; added to by workers, once per command.
struct ReadCounts {
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> errors{0};  // commands answered with an error
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> misses{0};
  std::atomic<bool> ended{false};  // nobody asks any more: stop counting
};

struct Version {
  uint64_t number = 0;
  std::shared_ptr<const snapshot::Snapshot> snapshot;
  // Not null while it is on probation when it is switched to: whoever executes a command on this
  // version counts it here.
  std::shared_ptr<ReadCounts> probation;
};

// What happened to a Dataset, for whoever follows it.
struct Event {
  enum class Kind : uint8_t {
    kSwitched,    // to a new version of the source, or one it went back to
    kRolledBack,  // by an operator (rollback, pin) or by probation
    kRefused,     // `version` was not taken: `reason`
    kDamaged,     // `version` became unreadable and was left: `reason`
    kFailed,      // the source could not be taken: `reason`
  };
  Kind kind = Kind::kSwitched;
  std::string store = {};
  uint64_t previous = 0;
  uint64_t current = 0;
  uint64_t version = 0;  // 0: none came to be
  std::string reason = {};
  std::shared_ptr<const Version> served = {};  // null: none
};

using larder::SwitchReport;
using larder::VersionInfo;
using Status = larder::DatasetStatus;

class Dataset {
  struct State;

 public:
  // Locks the directory (made when missing), removes unfinished files and opens the current version
  // (or, when it cannot be opened, the nearest before it that can, else the newest that can).
  // Compiles nothing and starts no thread.
  static Result<std::unique_ptr<Dataset>> Open(io::FileSystem& files, EpochDomain& epochs,
                                               Options options);
  explicit Dataset(std::unique_ptr<State> state);  // for Open
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  // As of now; Reconfigure replaces them.
  std::shared_ptr<const Options> options() const;
  // Takes other options, all but the directory, which stays; what is served is served on. A look
  // or compile under way is cancelled, the next look takes the source at once. Waits for them, not
  // for readers. Whether it is watching stays as it is.
  void Reconfigure(Options options);

  // The version to read, null when there is none yet. The caller is inside its epoch, or is the
  // only thread; the pointer is good until it leaves.
  const Version* Current() const { return current_.load(std::memory_order_seq_cst); }
  // The same, kept alive by the pointer. Takes a lock: for slow paths. During a switch it may be a
  // moment ahead of Current(): a connection asks one of the two only.
  std::shared_ptr<const Version> PinCurrent() const;

  // One look at the source: takes it when it is new and (unless `at_once`) has stopped changing
  // since the last look. While pinned, a new version is compiled and kept but not switched to.
  Result<SwitchReport> Refresh(bool at_once);
  // To the version before the current one, or to `number`; pins it. Errors: kNotFound.
  Result<SwitchReport> Rollback(std::optional<uint64_t> number);
  // Switches to `number` and holds it. Errors: kNotFound.
  Result<SwitchReport> Pin(uint64_t number);
  // Follows the source again: switches to the newest version.
  Result<SwitchReport> Unpin();
  // Takes the version that a gate or probation has refused, once: switches to it, or, while pinned,
  // lets it pass. Errors: kNotFound (none is refused).
  Result<SwitchReport> Accept();
  // Goes back from a version on probation whose readers fare too badly, as of `now`; ends a
  // probation whose time has passed. The watching thread calls it every second.
  void CheckProbation(std::chrono::steady_clock::time_point now);
  // For the reader that saw Current()->snapshot->damaged(): leaves that version for the newest good
  // one and forgets it, so that the source is compiled anew. Does nothing when already done.
  Result<SwitchReport> LeaveDamaged(uint64_t number);

  std::vector<VersionInfo> Versions() const;  // oldest first
  Status status() const;
  // Waits until `done` likes the status (for instance: something is served); false when `timeout`
  // has passed before. `done` is called with a lock held, and calls nothing of this Dataset.
  bool WaitFor(const std::function<bool(const Status&)>& done,
               std::chrono::milliseconds timeout) const;

  // Starts the thread that calls Refresh every `watch` (the first time at once) and leaves a
  // version that became damaged, and another that verifies the version found at the start. Stop
  // cancels what they do, and a compile of any thread, and waits for them. Both from one thread.
  void StartWatching();
  void StopWatching();

 private:
  std::atomic<const Version*> current_{nullptr};
  std::unique_ptr<State> state_;
};

}  // namespace larder::dataset

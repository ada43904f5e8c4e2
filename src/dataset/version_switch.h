// VersionSwitch: decides which version is served, and changes it under load.
//
// A switch goes: version on disk -> STATE published -> pointer replaced -> readers waited for ->
// old version let go (docs/formats/dataset.md, "Changes, and what a crash leaves").
//
// Ownership:  owns the directory, and through the board the Version that is served.
// Threads:    any, but never from inside an epoch: a change waits for readers. Changes are
//             serialised by one lock, which is never held while a source is read or compiled.
// Errors:     the version that was current serves on, except in LeaveDamaged.
// Durability: what is served, and whether pinned, is on disk before a change returns well.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/error.h"
#include "base/mutex.h"
#include "dataset/current_options.h"
#include "dataset/dataset.h"
#include "dataset/probation.h"
#include "dataset/status_board.h"
#include "dataset/version_directory.h"

namespace larder::dataset {

class VersionSwitch {
 public:
  VersionSwitch(const CurrentOptions& options, EpochDomain& epochs, StatusBoard& board,
                std::unique_ptr<VersionDirectory> directory);

  // Opens what STATE says, or what can be served in its place. Before there are readers; `served`
  // is where they look, and outlives this.
  void Begin(std::atomic<const Version*>& served);

  Result<SwitchReport> Rollback(std::optional<uint64_t> number);
  Result<SwitchReport> Pin(uint64_t number);
  Result<SwitchReport> Unpin();
  Result<SwitchReport> Accept();
  // As of `now`; returns why it went back to the version before, empty: it did not.
  std::string CheckProbation(Probation::Clock::time_point now);
  // Brings the version that is served into memory, if it is served without that: one that was found
  // at the start, or that was gone back to in a hurry. Errors: kCorrupt, and its number in
  // `number`.
  Result<void> Settle(uint64_t& number);
  // Ends what is being brought into memory, and what is begun until as many calls of Resume.
  void Cancel() { ++cancels_; }
  void Resume() { --cancels_; }
  // `problem` says what was found. Nothing happens when the version is known to be damaged or gone.
  Result<SwitchReport> LeaveDamaged(uint64_t number, const std::string& problem);

  // ---- For whoever takes new versions in (dataset/source_taker.h).
  SwitchReport Unchanged();
  struct Birth {
    uint64_t number = 0;
    std::string path;
    std::optional<uint64_t> key_seed;  // those of the version served last
    std::optional<uint64_t> member_seed;
  };
  // Errors: those of writing a STATE where there is none yet.
  Result<Birth> PrepareVersion();
  std::optional<uint64_t> FindContent(const ContentKey& content);
  // `number` holds what the source holds now: when the gates let it pass, switches to it (or, while
  // pinned, keeps it), then drops what is no longer kept. `compiled`: its file was published just
  // now. Errors: kRefused, with all that the gates found; its verdict is on disk then.
  Result<SwitchReport> Take(uint64_t number, bool compiled);
  // Writes STATE when an earlier attempt at that has failed.
  void SaveAgain();
  // For on_event: the source could not be taken.
  void TellFailure(const std::string& problem);

 private:
  using SnapshotPointer = VersionDirectory::SnapshotPointer;

  struct Opened {
    uint64_t number = 0;
    SnapshotPointer snapshot;
  };
  struct Move {
    uint64_t number = 0;
    bool pinned = false;
    Event::Kind kind = Event::Kind::kSwitched;
    std::string reason = {};
    bool on_probation = false;
  };
  // Brings a version into memory that is about to be switched to, before the lock is taken for
  // that. Errors: kCorrupt (it is damaged from then on), kCancelled.
  Result<void> Prepare(uint64_t number) LARDER_EXCLUDES(mutex_);
  // The same where an error comes to light with the switch itself, and for no number.
  void PrepareOther(std::optional<uint64_t> number) LARDER_EXCLUDES(mutex_);
  // What Rollback, Unpin and Accept would switch to now.
  std::optional<uint64_t> Before() const LARDER_EXCLUDES(mutex_);
  std::optional<uint64_t> Followed() const LARDER_EXCLUDES(mutex_);
  uint64_t FollowedNumber() const LARDER_REQUIRES(mutex_);
  std::optional<uint64_t> RefusedNumber() const LARDER_EXCLUDES(mutex_);
  // Lets the gates see the version, and prepares it when it will be switched to.
  Result<void> PrepareTaken(uint64_t number, bool compiled) LARDER_EXCLUDES(mutex_);
  Result<SwitchReport> SwitchTo(const Move& move) LARDER_REQUIRES(mutex_);
  // What Prepare has opened, else opened now.
  Result<SnapshotPointer> OpenToServe(uint64_t number) LARDER_REQUIRES(mutex_);
  // Replaces what readers see and waits until none sees the old version.
  void Serve(uint64_t number, SnapshotPointer snapshot,
             std::shared_ptr<ReadCounts> probation = nullptr) LARDER_REQUIRES(mutex_);
  // Null: there is none.
  std::shared_ptr<ReadCounts> BeginProbation(const Move& move) LARDER_REQUIRES(mutex_);
  void EndProbation(std::string_view how) LARDER_REQUIRES(mutex_);
  // Error: they refused it, now or before.
  Result<void> PassGates(uint64_t number, bool compiled) LARDER_REQUIRES(mutex_);
  // Says that it is refused.
  Result<void> Refused(uint64_t number) LARDER_REQUIRES(mutex_);
  Result<void> CheckWaits(const std::string& name, const Refusal& refusal) const
      LARDER_REQUIRES(mutex_);
  // Opens `number`, or what to serve in its place; null when nothing can be.
  Opened OpenOrFallBack(uint64_t number) LARDER_REQUIRES(mutex_);
  Result<void> CheckGood(uint64_t number) const LARDER_REQUIRES(mutex_);
  SwitchReport Report(uint64_t previous) const LARDER_REQUIRES(mutex_);
  void DropOld(bool compiled = false) LARDER_REQUIRES(mutex_);
  void Complain(const std::vector<std::string>& complaints) const;
  void Show() LARDER_REQUIRES(mutex_);
  // Shows how writing STATE went, and hands it on.
  Result<void> Noted(Result<void> saved) LARDER_REQUIRES(mutex_);
  // Calls on_event with what `event` lacks filled in.
  void Tell(Event event) LARDER_REQUIRES(mutex_);

  const CurrentOptions& options_;
  EpochDomain& epochs_;
  StatusBoard& board_;
  io::FileSystem& files_;
  std::atomic<unsigned> cancels_{0};
  std::atomic<const Version*>* served_ = nullptr;  // set by Begin

  // Taken after SourceTaker's, before StatusBoard's.
  mutable Mutex mutex_;
  std::unique_ptr<VersionDirectory> directory_ LARDER_PT_GUARDED_BY(mutex_);
  Opened prepared_ LARDER_GUARDED_BY(mutex_);
  bool unsettled_ LARDER_GUARDED_BY(mutex_) = false;
  // The version that holds what the source held when it was last taken; 0: not known.
  uint64_t followed_ LARDER_GUARDED_BY(mutex_) = 0;
  Probation probation_ LARDER_GUARDED_BY(mutex_);
  // Passed the gates while another was pinned: their probation is yet to come.
  std::set<uint64_t> unserved_ LARDER_GUARDED_BY(mutex_);
  // Those of the version served last: new ones are built with them, so that SCAN goes on.
  std::optional<uint64_t> key_seed_ LARDER_GUARDED_BY(mutex_);
  std::optional<uint64_t> member_seed_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::dataset

// Dataset: a handle of the versions of one source, the newest good one always at hand.
//
//   auto features = larder::Dataset::Open({.name = "features", .source = "features.jsonl",
//                                          .directory = "/var/lib/shop/features"});
//   if (!features) return Complain(features.error().message());
//   if (auto user = features->Find("user:1")) Use(user->text());
//
// The source is watched in the background: a new one is checked, compiled, verified and switched to
// while readers go on with the version they have; one that does not pass is left out, and status()
// says why. Versions stay on disk: a restart serves at once, a rollback compiles nothing.
//
// Three ways to read, from comfortable to fast; all see one whole version:
//   Find(key)         finds one value and keeps its version alive with it;
//   Current()         a Snapshot, for as many look-ups and as long as you like;
//   NewReader()       for a thread that reads all the time: no lock and no shared count.
//
// Ownership:  handles share the Dataset; the last one (a Reader counts) stops watching, waits for a
//             compile to be cancelled and gives the directory back. Snapshots and values that were
//             taken stay good. The last handle must not go in a callback of the Dataset itself. A
//             handle that was moved from is assigned to or destroyed, and nothing else.
// Threads:    everything from any thread, except from inside a Reader's Guard: what changes the
//             Dataset waits for Guards to end, its own thread's too. Two threads of its own watch;
//             compiling adds one per core at the lowest priority.
// Errors:     Open: kBusy (another Dataset or process has the directory), kPermissionDenied,
//             kIoError, kInvalidArgument; that there is no source yet is none. The calls that
//             change: what was wrong (kBusy: in a callback of its own); what was current stays
//             current.
// Durability: a version is on disk, synced and looked up whole before it is current; which one is
//             current, and whether pinned, survives a power cut once the call has returned.
// Cost:       Current() and Find() take a lock for a moment and touch a shared count: some 25 ns,
// and
//             twice the time of a look-up because it keeps one from overlapping with the next; more
//             when many threads do it at once. A Guard is some 7 ns and shares nothing.
// Fork:       a child has none of the threads: it must not use a Dataset of its parent (Snapshots
//             are fine). Fork first, or exec.
// Format:     docs/formats/dataset.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/api.h"
#include "larder/dataset_options.h"
#include "larder/dataset_status.h"
#include "larder/error.h"
#include "larder/snapshot.h"
#include "larder/value.h"

namespace larder {

namespace dataset {
struct Version;
}
namespace library {
class SwitchListeners;
}
class Reader;

// A Value that keeps the version that it was found in.
class PinnedValue : public Value {
 public:
  PinnedValue(Snapshot snapshot, const Value& value)
      : Value(value), snapshot_(std::move(snapshot)) {}
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  Snapshot snapshot_;
};

// What is current has become another version, or none.
struct SwitchEvent {
  enum class Cause : uint8_t {
    kNewVersion,  // of the source, or one that it went back to
    kRolledBack,  // Rollback, Pin, or a probation that was not passed
    kDamaged,     // the version before became unreadable
  };
  Cause cause = Cause::kNewVersion;
  uint64_t previous = 0;  // version number; 0: there was none
  uint64_t current = 0;   // 0: there is none
  std::string reason;     // of a probation's or a damage's switch
  Snapshot snapshot;      // the current version
};

// Subscription: a callback's stay. When it ends (or is Ended), the callback runs no more and is not
// running, unless it ends its own from inside.
class Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&& other) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    End();
    listeners_ = std::move(other.listeners_);
    number_ = other.number_;
    return *this;
  }
  ~Subscription() { End(); }
  LARDER_API void End();

 private:
  friend class Dataset;
  Subscription(std::shared_ptr<library::SwitchListeners> listeners, uint64_t number)
      : listeners_(std::move(listeners)), number_(number) {}

  std::shared_ptr<library::SwitchListeners> listeners_;
  uint64_t number_ = 0;
};

class Dataset {
 public:
  // Opens the directory (made when missing) and what it holds, and begins to watch the source.
  // Returns before a source that is new is compiled: WaitForVersion.
  LARDER_API static Result<Dataset> Open(DatasetOptions options);

  // The current version; empty when there is none yet.
  LARDER_API Snapshot Current() const;
  // Waits until there is a version. Errors: kNotFound after `timeout`, with what keeps the source.
  LARDER_API Result<Snapshot> WaitForVersion(std::chrono::milliseconds timeout) const;
  // Waits until `done` likes the status; false when `timeout` has passed before. `done` is called
  // with a lock held, and calls nothing of this Dataset.
  LARDER_API bool WaitFor(const std::function<bool(const DatasetStatus&)>& done,
                          std::chrono::milliseconds timeout) const;

  LARDER_API std::optional<PinnedValue> Find(std::string_view key,
                                             Expired expired = Expired::kMissing) const;
  // values[i] is what keys[i] has in the version that is returned, all in the same: keep it as long
  // as the values.
  [[nodiscard]] LARDER_API Snapshot FindMany(std::span<const std::string_view> keys,
                                             std::span<std::optional<Value>> values,
                                             Expired expired = Expired::kMissing) const;
  // For one thread. Errors: kLimit (more than a thousand at once).
  LARDER_API Result<Reader> NewReader() const;

  // `callback` is called after every switch, when no Guard sees the version before any more; one
  // call at a time, on the thread that switched: the watching one, or that of Rollback and its kin,
  // which returns afterwards. It may read and look around; it must not throw, and cannot change
  // this Dataset (kBusy). Not called for the version that is current now.
  [[nodiscard]] LARDER_API Subscription
  OnSwitch(std::function<void(const SwitchEvent&)> callback) const;

  // ---- Looking around.
  LARDER_API DatasetOptions options() const;
  LARDER_API DatasetStatus status() const;
  LARDER_API std::vector<VersionInfo> versions() const;  // on disk, oldest first

  // ---- Changing. Each returns when readers have moved and callbacks have returned.
  // Takes the source at once if it is new, on this thread. While pinned, it is compiled and kept.
  LARDER_API Result<SwitchReport> Refresh() const;
  // To the version before the current one, or to `number`, and holds it. kNotFound.
  LARDER_API Result<SwitchReport> Rollback(std::optional<uint64_t> number = {}) const;
  // Switches to `number` and holds it: new versions are compiled and kept. kNotFound.
  LARDER_API Result<SwitchReport> Pin(uint64_t number) const;
  // Follows the source again.
  LARDER_API Result<SwitchReport> Unpin() const;
  // Takes the version that a gate has refused, once. kNotFound: none is refused.
  LARDER_API Result<SwitchReport> Accept() const;

 private:
  friend class Reader;
  friend class Server;
  struct State;
  explicit Dataset(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

// Reader: one thread's own way into a Dataset, for reading all the time.
//
//   auto reader = features->NewReader();  // once
//   ...
//   const auto guard = reader->Enter();   // for each request
//   if (auto user = guard.Find("user:1")) Use(user->text());
//
// Ownership:  shares the Dataset. A Guard must end before its Reader; what it found is good until
//             then, and no longer.
// Threads:    one at a time. A Guard holds up whoever switches versions, so keep it for a request
//             and not for a wait; inside, call nothing that changes the Dataset.
// Cost:       Enter is one exchange on a word of its own, the Guard's end a store.
class Reader {
  struct State;

 public:
  class Guard {
   public:
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    LARDER_API ~Guard();

    // Of the version that was current when the Guard began; 0: none.
    LARDER_API uint64_t version_number() const;
    LARDER_API std::optional<Value> Find(std::string_view key,
                                         Expired expired = Expired::kMissing) const;
    LARDER_API void FindMany(std::span<const std::string_view> keys,
                             std::span<std::optional<Value>> values,
                             Expired expired = Expired::kMissing) const;

   private:
    friend class Reader;
    explicit Guard(State& state);
    State& state_;
    const dataset::Version* version_;
  };

  LARDER_API Reader(Reader&&) noexcept;
  LARDER_API Reader& operator=(Reader&&) noexcept;
  LARDER_API ~Reader();

  // Guards of one Reader may be nested; the outermost counts.
  [[nodiscard]] LARDER_API Guard Enter();

 private:
  friend class Dataset;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace larder

// Catalogue: the named stores of one server, by name and by database number, while it runs.
//
// What readers see is one immutable View; a change of the configuration makes a new one and
// switches to it like a dataset to a new version: whole, between two batches, without a lock.
//
// Ownership:  owns the epoch domain that protects its readers, and the current View; shares the
//             stores with whoever pins a View. A store that was removed is closed (its directory's
//             lock given back) when the last pin of it goes.
// Threads:    view() from a reader inside its epoch, PinView() from any thread, changes from one
//             thread at a time that is not inside an epoch.
//             A removed store is closed by whoever lets it go last, a deferred command perhaps: one
//             that is added again before that is the same Dataset once more.
// Errors:     Prepare: those of Dataset::Open, kAlreadyExists (name, directory or number taken),
//             kInvalidArgument (number out of range); nothing has changed then.
// Cost:       view() is one load.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/error.h"
#include "base/mutex.h"
#include "dataset/dataset.h"
#include "dataset/event_listeners.h"
#include "io/file_system.h"

namespace larder::store {

inline constexpr uint32_t kDefaultDatabases = 16;  // SELECT 0 .. 15, as Redis's default
inline constexpr uint32_t kMaxDatabases = 1024;

struct StoreOptions {
  uint32_t database = 0;
  dataset::Options options;
};

struct Entry {
  uint32_t database = 0;
  std::string name;
  std::shared_ptr<dataset::Dataset> dataset;
};

class View {
 public:
  // In the order of the configuration.
  const std::vector<Entry>& entries() const { return entries_; }
  // Null: no store there (an empty database, as in Redis), or no such database.
  dataset::Dataset* ByDatabase(uint32_t database) const {
    return database < by_database_.size() ? by_database_[database] : nullptr;
  }
  // Null: there is none.
  std::shared_ptr<dataset::Dataset> ByName(std::string_view name) const;
  // How many SELECT knows: kDefaultDatabases, or enough for the highest number in use.
  uint32_t databases() const { return static_cast<uint32_t>(by_database_.size()); }

 private:
  friend class Catalogue;
  std::vector<Entry> entries_;
  std::vector<dataset::Dataset*> by_database_;
};

// Whether no two of them have one name, one database or one directory (however it is written).
// Errors: kAlreadyExists, kInvalidArgument (number out of range).
Result<void> CheckStores(io::FileSystem& files, const std::vector<StoreOptions>& wanted);

class Catalogue {
 public:
  explicit Catalogue(io::FileSystem& files);
  ~Catalogue();
  Catalogue(const Catalogue&) = delete;
  Catalogue& operator=(const Catalogue&) = delete;

  // For a reader inside its epoch; good until it leaves.
  const View& view() const { return *view_.load(std::memory_order_seq_cst); }
  std::shared_ptr<const View> PinView() const;

  // A change of all stores at once, in two steps, so that nothing happens when any part of it (or
  // of the caller's) cannot: Prepare opens what is new (a store is the same when its directory is
  // the same; the rest of its options may be others), Commit cannot fail. What was prepared and not
  // committed is closed again.
  class Change {
   public:
    Change(Change&&) noexcept;
    Change& operator=(Change&&) noexcept;
    ~Change();

   private:
    friend class Catalogue;
    struct State;
    std::unique_ptr<State> state_;
    explicit Change(std::unique_ptr<State> state);
  };
  Result<Change> Prepare(std::vector<StoreOptions> wanted);
  // Readers get the new View; stores whose options are others are reconfigured, those that are gone
  // stop watching and are let go, those that are new start watching if the catalogue does. Waits
  // for readers.
  void Commit(Change change);

  // Prepare and Commit of what there is and one store more.
  Result<std::shared_ptr<dataset::Dataset>> AddDataset(uint32_t database, dataset::Options options);
  // The same without the store of that name. kNotFound.
  Result<void> RemoveDataset(std::string_view name);

  // The store of that directory, however it is written, be it removed and still held by somebody.
  // Null: none is open.
  std::shared_ptr<dataset::Dataset> FindByDirectory(const std::string& directory) const;

  // For all stores, now and to come.
  void StartWatching();
  void StopWatching();

  // What happens to any of its stores is told here, once readers have moved.
  dataset::EventListeners& listeners() { return *listeners_; }

  EpochDomain& epochs() { return epochs_; }

 private:
  // Readers see `view` when it returns; hands back the one before.
  std::shared_ptr<const View> Replace(std::shared_ptr<const View> view);
  std::vector<StoreOptions> Stores() const;

  io::FileSystem& files_;
  EpochDomain epochs_;
  const std::shared_ptr<dataset::EventListeners> listeners_;
  bool watching_ = false;
  std::vector<std::weak_ptr<dataset::Dataset>> removed_;  // perhaps still held by somebody
  std::atomic<const View*> view_{nullptr};
  mutable Mutex mutex_;
  std::shared_ptr<const View> pinned_ LARDER_GUARDED_BY(mutex_);  // what view_ points to
};

}  // namespace larder::store

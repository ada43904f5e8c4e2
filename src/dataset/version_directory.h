// VersionDirectory: the files of one Dataset: versions, STATE and the lock.
//
// It knows what is on disk and changes it step by step; which version is served, when and to whom
// is its owner's business (dataset/version_switch.h).
//
// Ownership:  holds the directory's lock while it lives; owns no open Snapshot.
// Threads:    one at a time.
// Errors:     Open: kBusy (held, and by whom), kUnsupported (written by a newer Larder), and those
//             of the file system. A version that cannot be opened is an entry with a problem.
// Durability: Save returns once STATE survives a power cut.
// Cost:       Open opens every version, constant time each.
// Format:     docs/formats/dataset.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/state_file.h"
#include "io/file_system.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

class VersionDirectory {
  struct OnlyOpen {};

 public:
  struct Entry {
    VersionInfo info;  // .current is not kept here
    std::string import_options;
    std::string problem;  // why it cannot be served; empty: it is good
    bool good() const { return problem.empty(); }
  };
  using SnapshotPointer = std::shared_ptr<const snapshot::Snapshot>;

  static Result<std::unique_ptr<VersionDirectory>> Open(io::FileSystem& files, std::string path);

  const DirectoryState& state() const { return state_; }
  const std::map<uint64_t, Entry>& entries() const { return entries_; }
  // What was odd about the directory when it was opened; empty: nothing.
  const std::string& complaint() const { return complaint_; }

  bool IsGood(uint64_t number) const;
  std::optional<uint64_t> Newest() const;                 // good ones only, as all of these
  std::optional<uint64_t> Before(uint64_t number) const;  // the nearest smaller number
  // Where to go when `number` cannot be served: the one before it, else the newest other.
  std::optional<uint64_t> Fallback(uint64_t number) const;
  std::optional<uint64_t> FindContent(std::string_view source_checksum,
                                      std::string_view import_options) const;
  std::string ListNumbers() const;  // "4, 6 (damaged), 7" for messages

  // A number for a new version; it is used up even when the version never comes to be.
  uint64_t GiveNumber() { return state_.next++; }
  std::string PathOf(uint64_t number) const;
  // Opens a version that is on disk, and makes an entry of it when it is new. A file that is
  // corrupt is damaged from then on.
  Result<SnapshotPointer> OpenVersion(uint64_t number);
  void MarkDamaged(uint64_t number, std::string problem);

  // Says what is served before STATE has ever said so, or in its place when it cannot be.
  void Assume(uint64_t current, bool pinned);
  // Publishes STATE with `current` and `pinned`. On failure nothing has changed in memory, but what
  // is on disk is uncertain until SaveAgain.
  Result<void> Save(uint64_t current, bool pinned);
  // The same, but in memory it holds even when it could not be written.
  Result<void> SaveAnyway(uint64_t current, bool pinned);
  // Writes STATE once more, because an earlier attempt failed: unsaved().
  Result<void> SaveAgain() { return Write(state_); }
  bool unsaved() const { return unsaved_; }

  // Unlinks what is neither among the newest `keep` good versions nor current; returns one sentence
  // per file that could not be removed (it is tried again the next time).
  std::vector<std::string> Drop(unsigned keep);

  VersionDirectory(OnlyOpen, io::FileSystem& files, std::string path)
      : files_(files), path_(std::move(path)) {}

 private:
  Result<void> MakeAndLock();
  Result<void> ReadState();
  Result<void> ReadVersions();
  Result<void> Write(const DirectoryState& state);
  bool IsDroppable(uint64_t number, const Entry& entry, uint64_t oldest_kept) const;
  std::string Join(std::string_view name) const;

  io::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<io::FileLock> lock_;
  DirectoryState state_;
  bool unsaved_ = false;
  std::map<uint64_t, Entry> entries_;
  std::string complaint_;
};

}  // namespace larder::dataset

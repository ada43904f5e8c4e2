// VersionDirectory: the files of one Dataset: versions, their verdicts and origins, STATE
// and the lock.
//
// It knows what is on disk and changes it step by step; which version is served, when and to whom
// is its owner's business (dataset/version_switch.h).
//
// Ownership:  holds the directory's lock while it lives; owns no open Snapshot.
// Threads:    one at a time.
// Errors:     Open: kBusy (held, and by whom), kUnsupported (written by a newer Larder), and those
//             of the file system. A version that cannot be opened is an entry with a problem.
// Durability: Save, Refuse and Forgive return once what they wrote survives a power cut.
// Cost:       Open opens every version, constant time each.
// Format:     docs/formats/dataset.md
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/state_file.h"
#include "dataset/verdict_file.h"
#include "io/file_system.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

// What decides the content of a version that is made of a source.
struct ContentKey {
  std::string source_checksum;
  std::string import_options;
  int64_t source_mtime_ns = 0;  // counts for versions with times to live, which begin there
};

class VersionDirectory {
  struct OnlyOpen {};

 public:
  struct Entry {
    VersionInfo info;  // .current is not kept here
    std::string import_options;
    int64_t source_mtime_ns = 0;
    bool depends_on_mtime = false;
    bool has_origin = false;  // it was copied, and its origin file says from where
    bool Holds(const ContentKey& content) const;
    uint64_t skipped_lines = 0;
    std::string problem;             // why it cannot be opened; empty: it can
    std::optional<Refusal> refusal;  // stands on disk beside it
    // Whether it passed the gates, or was made before there were any. What has not is never served.
    bool passed = false;
    bool opens() const { return problem.empty(); }
    bool good() const { return opens() && passed && !refusal; }  // may be served
  };
  using SnapshotPointer = std::shared_ptr<const snapshot::Snapshot>;

  static Result<std::unique_ptr<VersionDirectory>> Open(io::FileSystem& files, std::string path);

  const DirectoryState& state() const { return state_; }
  const std::map<uint64_t, Entry>& entries() const { return entries_; }
  // What was odd about the directory when it was opened; empty: nothing.
  const std::string& complaint() const { return complaint_; }

  bool IsGood(uint64_t number) const;
  bool Opens(uint64_t number) const;
  std::optional<uint64_t> Newest() const;                 // good ones only, as all of these
  std::optional<uint64_t> Before(uint64_t number) const;  // the nearest smaller number
  // Where to go when `number` cannot be served: the one before it, else the newest other.
  std::optional<uint64_t> Fallback(uint64_t number) const;
  // Also among those that are refused, or have not passed the gates yet.
  std::optional<uint64_t> FindContent(const ContentKey& content) const;
  // Whether another version of the same content passed the gates before (and may be damaged now).
  bool PassedBefore(uint64_t number) const;
  // The version that waits for somebody to accept it: the newest that is refused.
  const Entry* Refused() const;
  std::string ListNumbers() const;  // "4, 6 (unusable), 7, 8 (refused)" for messages

  // A number for a new version; it is used up even when the version never comes to be.
  uint64_t GiveNumber() { return unborn_ = state_.next++; }
  std::string PathOf(uint64_t number) const;
  io::FileSystem& files() const { return files_; }
  // Opens a version that is on disk, and makes an entry of it when it is new. A file that is
  // corrupt is damaged from then on.
  Result<SnapshotPointer> OpenVersion(uint64_t number);
  void MarkDamaged(uint64_t number, std::string problem);

  // Writes the verdict beside its version, which may not be served from here on.
  Result<void> Refuse(Refusal refusal);
  // Removes the verdict of a version that STATE knows to have passed (Save).
  Result<void> Forgive(uint64_t number);
  // The same for the version that STATE has just named as current, where a verdict means nothing:
  // one that cannot be removed now goes before STATE names another.
  void VoidVerdict(uint64_t number);

  // Says what is served before STATE has ever said so, or in its place when it cannot be.
  void Assume(uint64_t current, bool pinned);
  // Publishes STATE with `current` and `pinned`; `current` and (another one) `passed` have passed
  // the gates with it. On failure nothing has changed in memory, but what is on disk is uncertain
  // until SaveAgain.
  Result<void> Save(uint64_t current, bool pinned, uint64_t passed = 0);
  // The same when there is none yet, so that a directory without a STATE is one that lost it.
  Result<void> SaveFirst();
  // The same, but in memory it holds even when it could not be written.
  Result<void> SaveAnyway(uint64_t current, bool pinned);
  // Does once more what an earlier attempt failed at: unsaved().
  Result<void> SaveAgain() { return Write(state_, 0); }
  bool unsaved() const { return unsaved_ || !void_verdicts_.empty(); }

  // Unlinks what is neither among the newest `keep` good versions nor current nor `spared`; returns
  // one sentence per file that could not be removed (it is tried again the next time).
  std::vector<std::string> Drop(unsigned keep, const std::set<uint64_t>& spared);
  // Only those that are refused, but `spared`.
  std::vector<std::string> DropRefused(uint64_t spared);

  VersionDirectory(OnlyOpen, io::FileSystem& files, std::string path)
      : files_(files), path_(std::move(path)) {}

 private:
  Result<void> MakeAndLock();
  Result<void> ReadState();
  Result<void> ReadVersions();
  void ReadVersion(uint64_t number, uint64_t next);
  void ReadVerdict(uint64_t number);
  void ReadOrigin(Entry& entry);
  Result<void> RemoveVoidVerdicts();
  void RemoveLeftover(const std::string& name);
  Result<void> Write(const DirectoryState& state, uint64_t passed);
  std::vector<std::string> Unlink(const std::vector<uint64_t>& numbers);
  std::string VerdictPathOf(uint64_t number) const;
  std::string OriginPathOf(uint64_t number) const;
  std::string Join(std::string_view name) const;

  io::FileSystem& files_;
  const std::string path_;
  std::unique_ptr<io::FileLock> lock_;
  DirectoryState state_;
  uint64_t unborn_ = 0;  // the number given out last, until its version has passed the gates
  std::set<uint64_t> void_verdicts_;
  bool stored_ = false;  // there is a STATE
  bool unsaved_ = false;
  std::map<uint64_t, Entry> entries_;
  std::string complaint_;
};

}  // namespace larder::dataset

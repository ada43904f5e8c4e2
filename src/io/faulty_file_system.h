// FaultyFileSystem: the twin of the real file system for tests, in memory, that fails on cue.
//
// It can crash at the n-th operation and show after a reboot what a power cut may have left, run
// out of space, and fail a chosen read, write, sync or other operation. A recovery test runs its
// workload once to count the operations, then once for every operation with a crash there:
//
//   for (const Survival survival : kAllSurvivals) {
//     for (uint64_t n = 1;; ++n) {
//       FaultyFileSystem files(/*seed=*/n);
//       files.PutFile("/d/config", "old");
//       files.CrashAtOperation(n);
//       const auto done = PublishFile(files, "new", "/d/config");
//       if (!files.crashed()) break;         // the workload has fewer than n operations
//       files.Reboot(survival);
//       EXPECT_THAT(files.Contents("/d/config"), AnyOf(Optional("old"), Optional("new")));
//     }
//   }
//
// Operations are the calls that change something: Create, Write, Sync, Close, MakeDirectories,
// Remove, SyncDirectory, Lock, LockShared, OpenTurnLock and the rename in PublishFile;
// CreateAllocated, OpenAllocated, Allocate, WriteAt, Truncate and OpenShared. They are counted from
// 1, "the next". The operation at which it crashes does not happen, but a Write or WriteAt leaves a
// random beginning of its bytes. From then on every call fails (IsCrash tells) until Reboot;
// handles, locks, mappings and shared memory of the time before the crash stay valid objects:
// handles go on failing, mappings keep their bytes, and nobody sees what is written to the memory
// any more.
//
// Reboot(kEverything) is a new process on the same machine: nothing is lost, nothing is more synced
// than it was, shared memory is as it was at the crash and BootId the same. The other
// survivals are power cuts.
//
// A mapping shows what is written later with WriteAt, and zeros where the file is cut, which does
// not damage it. The bytes of a SharedMemory are seen by whoever opens it, and not by who reads or
// maps the file; when one opens it with another size, those who have it open are left with theirs.
//
// Ownership:  what it hands out may not outlive it.
// Threads:    any. Which operation is the n-th is up to the threads; with one it is deterministic.
// Errors:     as the real one's; faults say that they are simulated.
// Durability: that of the strictest file system that POSIX allows; see io/model_disk.h.
// Cost:       files live in memory; Map makes a copy of exact size, so that the address sanitizer
//             sees a read past its end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "io/model_disk.h"

namespace larder::io {

inline constexpr std::array kAllSurvivals = {Survival::kSyncedOnly, Survival::kEverything,
                                             Survival::kTorn};

class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(uint64_t seed = 1);
  ~FaultyFileSystem() override;

  // ---- Faults. `n` counts from the call on: 1 is the next one. Each happens once.
  void CrashAtOperation(uint64_t n);
  void FailOperation(uint64_t n, ErrorCode code = ErrorCode::kIoError);
  void FailRead(uint64_t n);  // of the calls ReadAt and Map: EIO
  // Of the calls Write and WriteAt: EIO, a beginning of the bytes is written.
  void FailWrite(uint64_t n);
  // Of the calls Sync and SyncDirectory: EIO. Of a file no written block is on the disk then, nor
  // will a later Sync bring it there; see io/model_disk.h.
  void FailSync(uint64_t n);
  // After `bytes` more bytes Write, Allocate and OpenShared fail with ENOSPC, until ClearFaults.
  // Removing gives no space.
  void LimitSpace(uint64_t bytes);
  // Opening the file fails with EACCES, until ClearFaults.
  void DenyReading(const std::string& path);
  void ClearFaults();
  // Marks the live mappings of the file damaged, as if a page could not be read. Their bytes stay.
  void DamageMappings(const std::string& path);

  // ---- Crashes.
  void Crash();  // now, between two operations
  bool crashed() const;
  // The machine is on again: what survived is on disk, faults are cleared, locks are free. Without
  // a crash before it is a power cut (or a kill) at this moment.
  void Reboot(Survival survival);
  static bool IsCrash(const Error& error);

  // ---- For the test itself: no operations, no faults. PutFile makes the directories and a synced
  // file, as somebody else's finished work (a new inode); Contents is empty when there is none.
  void PutFile(const std::string& path, std::string_view bytes);
  std::optional<std::string> Contents(const std::string& path) const;
  uint64_t operations() const;  // since it was made
  // How many bytes ReadAt has returned of files opened under `path`, since it was made.
  uint64_t bytes_read(const std::string& path) const;

  // ---- FileSystem.
  Result<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override;
  Result<std::unique_ptr<AllocatedFile>> CreateAllocated(const std::string& path) override;
  Result<std::unique_ptr<AllocatedFile>> OpenAllocated(const std::string& path) override;
  Result<std::unique_ptr<SharedMemory>> OpenShared(const std::string& path,
                                                   uint64_t bytes) override;
  Result<std::unique_ptr<Mapping>> Map(const std::string& path) override;
  Result<FileInfo> Stat(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& directory) override;
  Result<void> MakeDirectories(const std::string& path) override;
  Result<void> Remove(const std::string& path) override;
  Result<void> SyncDirectory(const std::string& directory) override;
  std::string BootId() const override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> LockShared(const std::string& path) override;
  Result<std::unique_ptr<TurnLock>> OpenTurnLock(const std::string& path) override;

 private:
  class Reader;
  class Writer;
  class InPlaceWriter;
  class SharedBuffer;
  class HeldLock;
  class Turns;
  class CopiedMapping;
  struct Copy;

  // Counts down to a fault; 0 is none.
  struct Countdown {
    uint64_t left = 0;
    bool Reached() {
      if (left == 0) return false;
      --left;
      return left == 0;
    }
  };

  Result<void> Rename(const std::string& from, const std::string& to) override;

  void StopNow() LARDER_REQUIRES(mutex_);
  // What every call asks first: of one that changes something, and of one that reads.
  Result<void> BeginOperation(std::string_view operation, std::string_view path)
      LARDER_REQUIRES(mutex_);
  Result<void> CheckAlive(std::string_view operation, std::string_view path) const
      LARDER_REQUIRES(mutex_);
  Result<void> BeginRead(std::string_view operation, std::string_view path) LARDER_REQUIRES(mutex_);
  Result<void> BeginWrite(std::string_view path) LARDER_REQUIRES(mutex_);
  Result<void> BeginSync(std::string_view operation, std::string_view path) LARDER_REQUIRES(mutex_);
  Result<void> SyncModel(ModelFile& file, std::string_view path) LARDER_REQUIRES(mutex_);
  // Space for so many more bytes, all or none.
  Result<void> TakeSpace(uint64_t bytes, std::string_view path) LARDER_REQUIRES(mutex_);

  Result<void> CheckAllowed(const std::string& path) const LARDER_REQUIRES(mutex_);
  Result<void> CheckBoot(uint64_t boot, std::string_view operation, std::string_view path) const
      LARDER_REQUIRES(mutex_);

  Result<FileInfo> InfoOf(const Reader& reader);
  Result<size_t> ReadFile(const Reader& reader, uint64_t offset, char* to, size_t bytes);
  Result<void> WriteFile(Writer& writer, std::string_view bytes);
  Result<void> SyncFile(Writer& writer);
  Result<void> CloseFile(Writer& writer);
  Result<std::unique_ptr<FileLock>> LockFor(const std::string& path, bool shared);
  Result<void> MakeLockFile(const std::string& path) LARDER_REQUIRES(mutex_);
  void Unlock(const std::string& path, uint64_t boot);
  Result<void> TakeTurn(const std::string& path, uint64_t boot);
  void ReleaseTurn(const std::string& path, uint64_t boot);
  Result<void> Allocate(InPlaceWriter& writer, uint64_t bytes);
  Result<void> WriteAt(InPlaceWriter& writer, uint64_t offset, std::string_view bytes);
  Result<void> Truncate(InPlaceWriter& writer, uint64_t bytes);
  Result<uint64_t> BytesOf(const InPlaceWriter& writer);
  Result<void> Sync(InPlaceWriter& writer);
  std::string_view Beginning(std::string_view bytes) LARDER_REQUIRES(mutex_);
  // Live mappings of the file show its bytes [from, to).
  void ShowInMappings(const ModelFile& file, uint64_t from, uint64_t to) LARDER_REQUIRES(mutex_);

  mutable Mutex mutex_;
  ModelDisk disk_ LARDER_GUARDED_BY(mutex_);
  std::mt19937_64 random_ LARDER_GUARDED_BY(mutex_);
  uint64_t operations_ LARDER_GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t> bytes_read_ LARDER_GUARDED_BY(mutex_);
  std::set<std::string> denied_ LARDER_GUARDED_BY(mutex_);
  uint64_t boot_ LARDER_GUARDED_BY(mutex_) = 0;  // handles of another boot are dead
  uint64_t power_cuts_ LARDER_GUARDED_BY(mutex_) = 0;
  bool crashed_ LARDER_GUARDED_BY(mutex_) = false;
  Countdown crash_ LARDER_GUARDED_BY(mutex_);
  Countdown failing_operation_ LARDER_GUARDED_BY(mutex_);
  ErrorCode failing_code_ LARDER_GUARDED_BY(mutex_) = ErrorCode::kIoError;
  Countdown failing_read_ LARDER_GUARDED_BY(mutex_);
  Countdown failing_write_ LARDER_GUARDED_BY(mutex_);
  Countdown failing_sync_ LARDER_GUARDED_BY(mutex_);
  std::optional<uint64_t> space_left_ LARDER_GUARDED_BY(mutex_);
  // How many share a lock; 0: held by one alone.
  std::map<std::string, uint64_t> locked_ LARDER_GUARDED_BY(mutex_);
  std::set<std::string> turns_ LARDER_GUARDED_BY(mutex_);  // taken
  CondVar turns_changed_;
  std::vector<std::weak_ptr<Copy>> mapped_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::io

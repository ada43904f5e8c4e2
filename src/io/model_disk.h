// ModelDisk: a file system in memory that knows what a power cut would leave of it.
//
// Of every file it keeps what was synced, and which blocks were written since; of every directory
// the changes of names since it was synced. PowerCut() then forgets as much of the rest as POSIX
// allows:
//
//   - Each block that was written since the last sync is whole as it was then, or as it is now, or
//     as it was before some later write in place.
//   - The size is as it was, as it is now, or between. Had the file been shorter meanwhile, then
//     either what was cut off is back, and nothing that came in its place is there; or it is gone.
//   - What was appended (not written in place) may also turn to zeros within a block.
//   - A sync that failed has taken all written blocks for clean: they can be read until the power
//     is cut, and are then as they were before, whatever was synced later.
//   - Shared memory is as it was, or zeros, or any mixture of both.
//
// Faults, counting, locking and open handles are FaultyFileSystem's business.
//
// Ownership:  files are shared with whoever opened them: an inode outlives its name.
// Threads:    one at a time.
// Errors:     those of the kernel (ENOENT, ENOTDIR, EISDIR), named as the real file system does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"

namespace larder::io {

// What is left of what was not synced.
enum class Survival : uint8_t {
  kSyncedOnly,  // a power cut that leaves nothing: every file and directory is as at its last sync
  kEverything,  // a mere kill of the process: all of it, and it is no more synced than before
  kTorn,        // a power cut that leaves a part (see above); of the changes of names a random
                // subset or beginning has happened
};

// What SharedMemory shows: on the heap, aligned as a mapping, so that it can be shared by threads.
class SharedBytes {
 public:
  // Takes the beginning of `bytes`; the rest is zeros.
  SharedBytes(std::string_view bytes, size_t size);
  SharedBytes(const SharedBytes&) = delete;
  SharedBytes& operator=(const SharedBytes&) = delete;
  ~SharedBytes();

  char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view bytes() const { return {data_, size_}; }

 private:
  size_t size_;
  char* data_;
};

struct ModelFile {
  uint64_t inode = 0;
  std::string bytes;   // what is read now
  std::string synced;  // what is on the disk for certain
  uint64_t kept = 0;   // the least size since the last sync: so much of `synced` was never cut off
  // The blocks of `bytes` that were written since, by number, and what the kernel has written of
  // each meanwhile; "" for nothing.
  std::map<uint64_t, std::string> dirty;
  bool in_place = false;  // an AllocatedFile: it grows by blocks
  int64_t mtime_ns = 0;
  std::shared_ptr<SharedBytes> shared;  // made by the first OpenShared
};

class ModelDisk {
 public:
  using FilePointer = std::shared_ptr<ModelFile>;

  ModelDisk();

  // Absolute and relative paths are two trees, "/" and ".".
  static std::string Normalise(const std::string& path);

  Result<FilePointer> Find(const std::string& path, std::string_view operation) const;
  Result<FilePointer> CreateOrEmpty(const std::string& path);
  Result<FilePointer> CreateNew(const std::string& path);
  void Append(ModelFile& file, std::string_view bytes);
  // Inside of the file.
  void WriteAt(ModelFile& file, uint64_t offset, std::string_view bytes, std::mt19937_64& random);
  void Resize(ModelFile& file, uint64_t bytes);
  // Who has shared memory open is left with it; who opens it later sees it as it is now.
  void LeaveShared();
  // The file's shared memory, made as large.
  std::shared_ptr<SharedBytes> Share(ModelFile& file, uint64_t bytes);
  static void SyncFile(ModelFile& file);
  static void FailToSyncFile(ModelFile& file);

  Result<FileInfo> Stat(const std::string& path) const;
  static FileInfo InfoOf(const ModelFile& file);
  Result<std::vector<std::string>> List(const std::string& path) const;
  // The new directories are synced.
  Result<void> MakeDirectories(const std::string& path);
  Result<void> Remove(const std::string& path);
  Result<void> MoveName(const std::string& from, const std::string& to);
  Result<void> SyncDirectory(const std::string& path);
  // This name survives as it is now, whatever happens to the others of its directory.
  void SyncName(const std::string& path);

  // Power off and on: what survives is then synced. kEverything changes nothing.
  void PowerCut(Survival survival, std::mt19937_64& random);

 private:
  using Names = std::map<std::string, FilePointer>;
  struct NameChange {
    std::string name;
    FilePointer file;  // none: the name was removed
  };
  // One operation's changes: a rename takes one name and gives another, together.
  using NameChanges = std::vector<NameChange>;
  struct Directory {
    uint64_t inode = 0;
    Names names;
    Names synced_names;
    std::vector<NameChanges> unsynced;
  };
  struct Place {
    std::string directory;
    std::string name;
  };

  static Place Split(const std::string& path);
  static void Apply(const NameChanges& changes, Names& names);
  static void TearNames(Directory& directory, std::mt19937_64& random);
  static uint64_t TornSize(const ModelFile& file, std::mt19937_64& random);
  static std::string TornBytes(const ModelFile& file, std::mt19937_64& random);
  static void TearShared(ModelFile& file, std::mt19937_64& random);
  Result<Directory*> FindDirectory(const std::string& directory, std::string_view operation,
                                   const std::string& path);
  void Change(Directory& directory, NameChanges changes);
  int64_t Tick() { return ++clock_ * 1'000'000; }

  std::map<std::string, Directory> directories_;
  uint64_t last_inode_ = 0;
  int64_t clock_ = 0;
};

}  // namespace larder::io

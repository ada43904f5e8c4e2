// ModelDisk: a file system in memory that knows what a power cut would leave of it.
//
// Of every file it keeps how much was synced, of every directory the changes of names since it was
// synced. PowerCut() then forgets as much of the rest as POSIX allows. Faults, counting, locking
// and open handles are FaultyFileSystem's business.
//
// Ownership:  files are shared with whoever opened them: an inode outlives its name.
// Threads:    one at a time.
// Errors:     those of the kernel (ENOENT, ENOTDIR, EISDIR), named as the real file system does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"

namespace larder::io {

// What a power cut leaves of what was not synced.
enum class Survival : uint8_t {
  kSyncedOnly,  // nothing: every file and directory is as at its last sync
  kEverything,  // all of it, as after a mere kill of the process
  kTorn,        // a part: files end, or turn to zeros, at a random byte; of the changes of names a
                // random subset or beginning has happened
};

struct ModelFile {
  uint64_t inode = 0;
  std::string bytes;
  uint64_t synced_bytes = 0;  // the beginning of `bytes` that survives
  // What a power cut brings back when the file was emptied and not synced since.
  std::optional<std::string> before_truncation;
  int64_t mtime_ns = 0;
};

class ModelDisk {
 public:
  using FilePointer = std::shared_ptr<ModelFile>;

  ModelDisk();

  // Absolute and relative paths are two trees, "/" and ".".
  static std::string Normalise(const std::string& path);

  Result<FilePointer> Find(const std::string& path, std::string_view operation) const;
  Result<FilePointer> CreateOrEmpty(const std::string& path);
  void Append(ModelFile& file, std::string_view bytes);
  static void SyncFile(ModelFile& file);

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

  // Power off and on: what survives is then synced.
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
  static void TearFile(ModelFile& file, std::mt19937_64& random);
  Result<Directory*> FindDirectory(const std::string& directory, std::string_view operation,
                                   const std::string& path);
  void Change(Directory& directory, NameChanges changes);
  int64_t Tick() { return ++clock_ * 1'000'000; }

  std::map<std::string, Directory> directories_;
  uint64_t last_inode_ = 0;
  int64_t clock_ = 0;
};

}  // namespace larder::io

// FileSystem: the one seam between Larder and the operating system's files.
//
// Everything durable goes through here (importers of foreign database files, which bring libraries
// that open files themselves, are the only exception). The real one talks to the kernel; the faulty
// twin (io/faulty_file_system.h) can crash at the n-th operation, forget what was not synced, tear
// writes and return ENOSPC or EIO, so that every recovery path is tested by crashing at every step.
//
// Ownership:  objects handed out may outlive neither their FileSystem nor, for a lock, the process.
// Threads:    FileSystem, ReadableFile::ReadAt and Mapping from any thread; a WritableFile from
// one.
//
// Errors:     name the operation, the path and the system's reason.
//
// Durability: bytes survive a process kill once Write() returned, a power cut once Sync() did; a
//             name survives a power cut once its directory was synced. PublishFile does all three.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/mapping.h"

namespace larder::io {

enum class FileKind : uint8_t { kRegular, kDirectory, kOther };

struct FileInfo {
  FileKind kind = FileKind::kRegular;
  uint64_t bytes = 0;
  int64_t mtime_ns = 0;  // Unix time
  uint64_t inode = 0;
  uint64_t device = 0;

  bool operator==(const FileInfo&) const = default;
};

// A file opened for reading: the inode, whatever happens to its name afterwards.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Fills `to` from `offset`; returns how many bytes, fewer than asked only at the end of the file.
  virtual Result<size_t> ReadAt(uint64_t offset, char* to, size_t bytes) const = 0;
  // Tells the kernel that the file will be read from front to back.
  virtual void AdviseSequential() const = 0;
  virtual Result<FileInfo> Info() const = 0;
  virtual const std::string& path() const = 0;
};

// A new file, appended to. Unbuffered: callers write large pieces.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Result<void> Write(std::string_view bytes) = 0;
  // After a failed Write or Sync every later call fails with the same error: the kernel may have
  // dropped the bytes, and a second Sync would claim a success that is none.
  virtual Result<void> Sync() = 0;
  virtual Result<void> Close() = 0;  // the destructor closes too, and cannot say what went wrong
  virtual uint64_t size() const = 0;
  virtual const std::string& path() const = 0;
};

// A file whose space is reserved before it is written, in place: what a Log's segment is. What is
// allocated and not yet written reads as zeros. A mapping of the file shows what is written later.
class AllocatedFile {
 public:
  virtual ~AllocatedFile() = default;
  // Makes the file at least `bytes` long. The disk is full here or never: WriteAt needs no space.
  // When it fails the file is as it was. Holes of an opened file are filled by the first call.
  virtual Result<void> Allocate(uint64_t bytes) = 0;
  // Inside of what is allocated, anywhere (kInvalidArgument otherwise). A process kill leaves a
  // beginning of the bytes, a power cut any of the blocks that were not synced. When a page could
  // not be written (somebody truncated the file), the file has failed for good, as after Sync.
  virtual Result<void> WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Gives back what lies behind `bytes`.
  virtual Result<void> Truncate(uint64_t bytes) = 0;
  // Takes notice of the size that another process has given the file.
  virtual Result<void> Refresh() = 0;
  // Everything written before the call, by any thread. As with WritableFile: once it has failed,
  // every later call does.
  virtual Result<void> Sync() = 0;
  // Hints, which never fail: to begin to write [from, to) to the disk, so that Sync has less to do;
  // and that they need not stay in this process's memory.
  virtual void StartWriting(uint64_t from, uint64_t to) = 0;
  virtual void Forget(uint64_t from, uint64_t to) = 0;
  virtual uint64_t allocated() const = 0;
  virtual const std::string& path() const = 0;
};

// Memory that processes share by the name of a file. It is as durable as a power cut pleases: what
// must not be lost stands elsewhere.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  virtual char* data() = 0;  // aligned to a page; others change it at any time
  virtual uint64_t size() const = 0;
  // A page could not be reached since it was opened (somebody truncated the file): this process
  // sees memory there that it shares with nobody.
  virtual bool damaged() const = 0;
};

// Held until destroyed, or until the process ends, however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// A lock that is taken and given back often, by processes that take turns. The kernel gives it back
// for a process that dies. Threads: one at a time, and what one takes another may release.
class TurnLock {
 public:
  virtual ~TurnLock() = default;
  virtual Result<void> Take() = 0;  // waits
  virtual void Release() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Regular files only, and never waiting: a directory, pipe or device is kInvalidArgument. So with
  // Map.
  virtual Result<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) = 0;
  // Creates the file, or empties it when it exists.
  virtual Result<std::unique_ptr<WritableFile>> Create(const std::string& path) = 0;
  // A new file (the name exists: kAlreadyExists), or an existing regular one as it is. Threads: all
  // members by one, and Sync also by others beside it.
  virtual Result<std::unique_ptr<AllocatedFile>> CreateAllocated(const std::string& path) = 0;
  virtual Result<std::unique_ptr<AllocatedFile>> OpenAllocated(const std::string& path) = 0;
  // A file of `bytes`, created as zeros when it is missing; another size is made right.
  virtual Result<std::unique_ptr<SharedMemory>> OpenShared(const std::string& path,
                                                           uint64_t bytes) = 0;
  // Maps a whole file for reading. A page that cannot be read later does not raise SIGBUS: see
  // Mapping::damaged(). An empty file gives an empty mapping.
  virtual Result<std::unique_ptr<Mapping>> Map(const std::string& path) = 0;

  virtual Result<FileInfo> Stat(const std::string& path) = 0;
  // Names (not paths) in the directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const std::string& directory) = 0;
  // Makes what is missing of the path; the new names survive a power cut when it returns.
  virtual Result<void> MakeDirectories(const std::string& path) = 0;
  virtual Result<void> Remove(const std::string& path) = 0;
  virtual Result<void> SyncDirectory(const std::string& directory) = 0;

  // Another one after every start of the machine: what a killed process wrote is still there while
  // this is the same. "" when it cannot be known.
  virtual std::string BootId() const = 0;

  // Takes an exclusive lock on the file `path` (created when missing), without waiting, and writes
  // this process's id into it. Held by another, also by another FileLock of this process: kBusy,
  // and the message says which process holds it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  // Many may hold it, while nobody has the exclusive one.
  virtual Result<std::unique_ptr<FileLock>> LockShared(const std::string& path) = 0;
  // On a file of its own (created when missing); each TurnLock waits for every other of this path.
  virtual Result<std::unique_ptr<TurnLock>> OpenTurnLock(const std::string& path) = 0;

 private:
  // Only PublishFile renames.
  friend Result<void> PublishFile(FileSystem& files, std::unique_ptr<WritableFile> file,
                                  const std::string& path);
  virtual Result<void> Rename(const std::string& from, const std::string& to) = 0;
};

// The kernel's. One object for the whole program.
FileSystem& RealFileSystem();

// The one atomic publish: syncs and closes `file` (a finished temporary in the same directory as
// `path`), renames it to `path` (replacing what was there) and syncs the directory. When it returns
// without an error, the file is whole under its name after any crash; when it fails or the process
// dies, `path` is what it was before, whole, or (when only the last step could not be done) the new
// file, whole. A temporary that could not be published is removed.
Result<void> PublishFile(FileSystem& files, std::unique_ptr<WritableFile> file,
                         const std::string& path);

// The same for a small file whose bytes are at hand; the temporary is `path` + kTemporarySuffix.
Result<void> PublishFile(FileSystem& files, std::string_view bytes, const std::string& path);

// The whole of a small file. Larger than `max_bytes`: kLimit.
Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path, uint64_t max_bytes);

// Ends the name of every unpublished file; whoever owns a directory removes them when it opens it.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

}  // namespace larder::io

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/file_system.h"
#include "io/real_allocated_file.h"
#include "io/real_mapping.h"
#include "io/system_call.h"

namespace larder::io {

namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

Result<Descriptor> Open(const std::string& path, int flags, std::string_view operation) {
  const int number =
      Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, kFileMode); });
  if (number < 0) return FailErrno(operation, path);
  return Descriptor(number);
}

FileInfo InfoOf(const struct stat& status) {
  FileInfo info;
  info.kind = S_ISREG(status.st_mode)   ? FileKind::kRegular
              : S_ISDIR(status.st_mode) ? FileKind::kDirectory
                                        : FileKind::kOther;
  info.bytes = static_cast<uint64_t>(status.st_size);
  info.mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  info.inode = status.st_ino;
  info.device = status.st_dev;
  return info;
}

Result<FileInfo> InfoOfDescriptor(int descriptor, const std::string& path) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0) return FailErrno("stat", path);
  return InfoOf(status);
}

// Reads until `bytes` are there or the file ends.
Result<size_t> ReadFully(int descriptor, uint64_t offset, char* to, size_t bytes,
                         const std::string& path) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got = Uninterrupted([&] {
      return ::pread(descriptor, to + done, bytes - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) return FailErrno("read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

// Opens a regular file. Without waiting: a pipe that nobody writes to would hang us.
struct OpenedFile {
  Descriptor descriptor;
  FileInfo info;
};
Result<OpenedFile> OpenRegular(const std::string& path, int flags = O_RDONLY) {
  LARDER_ASSIGN(Descriptor descriptor, Open(path, flags | O_NONBLOCK, "open"));
  LARDER_ASSIGN(const FileInfo info, InfoOfDescriptor(descriptor.number(), path));
  if (info.kind == FileKind::kRegular) return OpenedFile{std::move(descriptor), info};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("open {}: {}, where a regular file is expected", path,
                          info.kind == FileKind::kDirectory ? "a directory" : "a pipe or device"));
}

class RealReadableFile final : public ReadableFile {
 public:
  RealReadableFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, char* to, size_t bytes) const override {
    return ReadFully(descriptor_.number(), offset, to, bytes, path_);
  }
  void AdviseSequential() const override {
    posix_fadvise(descriptor_.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  Result<FileInfo> Info() const override { return InfoOfDescriptor(descriptor_.number(), path_); }
  const std::string& path() const override { return path_; }

 private:
  Descriptor descriptor_;
  std::string path_;
};

class RealWritableFile final : public WritableFile {
 public:
  RealWritableFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> Write(std::string_view bytes) override;
  Result<void> Sync() override;
  Result<void> Close() override;
  uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }

 private:
  std::unexpected<Error> FailForGood(std::string_view operation) {
    failure_ = ErrnoError(errno, operation, path_);
    return std::unexpected(*failure_);
  }

  Descriptor descriptor_;
  std::string path_;
  uint64_t size_ = 0;
  // After a failed write the end of the file is unknown, and after a failed fsync the kernel has
  // dropped the pages: another fsync would claim success. So the first failure is also the answer
  // to everything after it, and such a file is never published.
  std::optional<Error> failure_;
};

Result<void> RealWritableFile::Write(std::string_view bytes) {
  if (failure_) return std::unexpected(*failure_);
  while (!bytes.empty()) {
    const ssize_t wrote =
        Uninterrupted([&] { return ::write(descriptor_.number(), bytes.data(), bytes.size()); });
    if (wrote < 0) return FailForGood("write");
    size_ += static_cast<uint64_t>(wrote);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

Result<void> RealWritableFile::Sync() {
  if (failure_) return std::unexpected(*failure_);
  if (Uninterrupted([&] { return ::fsync(descriptor_.number()); }) != 0) return FailForGood("sync");
  return {};
}

Result<void> RealWritableFile::Close() {
  if (!descriptor_.open()) return {};
  // Not repeated on EINTR: Linux has released the descriptor all the same.
  if (::close(descriptor_.Release()) != 0 && errno != EINTR) return FailForGood("close");
  if (failure_) return std::unexpected(*failure_);
  return {};
}

// The lock belongs to the open file, not to the process: a second Lock opens the file anew and is
// refused in this process too, and no close of another descriptor releases it.
class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

class RealTurnLock final : public TurnLock {
 public:
  RealTurnLock(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> Take() override {
    if (Uninterrupted([&] { return ::flock(descriptor_.number(), LOCK_EX); }) == 0) return {};
    return FailErrno("lock", path_);
  }
  void Release() override { ::flock(descriptor_.number(), LOCK_UN); }

 private:
  Descriptor descriptor_;
  std::string path_;
};

std::string HolderOf(const Descriptor& descriptor, const std::string& path) {
  std::array<char, 32> text{};
  const auto got = ReadFully(descriptor.number(), 0, text.data(), text.size(), path);
  const std::string_view all(text.data(), got.value_or(0));
  const std::string_view pid = all.substr(0, all.find_first_not_of("0123456789"));
  if (pid.empty()) return "another process";
  if (pid == std::to_string(getpid())) return fmt::format("this process ({})", pid);
  return fmt::format("process {}", pid);
}

// In one write, so that whoever is refused meanwhile reads the old holder or the new one.
Result<void> WriteHolder(const Descriptor& descriptor, const std::string& path) {
  const std::string text = fmt::format("{:<15}\n", getpid());
  const ssize_t wrote =
      Uninterrupted([&] { return ::pwrite(descriptor.number(), text.data(), text.size(), 0); });
  if (wrote < 0) return FailErrno("write", path);
  return {};
}

class KernelFileSystem final : public FileSystem {
 public:
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
  Result<void> Rename(const std::string& from, const std::string& to) override;
};

Result<std::unique_ptr<ReadableFile>> KernelFileSystem::OpenForRead(const std::string& path) {
  LARDER_ASSIGN(OpenedFile opened, OpenRegular(path));
  return std::make_unique<RealReadableFile>(std::move(opened.descriptor), path);
}

Result<std::unique_ptr<WritableFile>> KernelFileSystem::Create(const std::string& path) {
  LARDER_ASSIGN(Descriptor descriptor,
                Open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, "create"));
  return std::make_unique<RealWritableFile>(std::move(descriptor), path);
}

Result<std::unique_ptr<AllocatedFile>> KernelFileSystem::CreateAllocated(const std::string& path) {
  LARDER_ASSIGN(Descriptor descriptor, Open(path, O_RDWR | O_CREAT | O_EXCL, "create"));
  return MakeAllocatedFile(std::move(descriptor), 0, path);
}

Result<std::unique_ptr<AllocatedFile>> KernelFileSystem::OpenAllocated(const std::string& path) {
  LARDER_ASSIGN(OpenedFile opened, OpenRegular(path, O_RDWR));
  return MakeAllocatedFile(std::move(opened.descriptor), opened.info.bytes, path);
}

Result<std::unique_ptr<SharedMemory>> KernelFileSystem::OpenShared(const std::string& path,
                                                                   uint64_t bytes) {
  LARDER_ASSIGN(const OpenedFile opened, OpenRegular(path, O_RDWR | O_CREAT));
  return MakeSharedMemory(opened.descriptor.number(), opened.info.bytes, bytes, path);
}

Result<std::unique_ptr<Mapping>> KernelFileSystem::Map(const std::string& path) {
  LARDER_ASSIGN(const OpenedFile opened, OpenRegular(path));
  return MapDescriptor(opened.descriptor.number(), opened.info.bytes, path);
}

Result<FileInfo> KernelFileSystem::Stat(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return FailErrno("stat", path);
  return InfoOf(status);
}

Result<std::vector<std::string>> KernelFileSystem::List(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return std::unexpected(ErrnoError(error.value(), "list", directory));
  std::ranges::sort(names);
  return names;
}

Result<void> KernelFileSystem::MakeDirectories(const std::string& path) {
  const std::filesystem::path whole(path);
  std::filesystem::path made;
  for (const auto& part : whole) {
    const std::filesystem::path parent = made;
    made /= part;
    if (::mkdir(made.c_str(), kDirectoryMode) == 0) {
      LARDER_TRY(SyncDirectory(parent.empty() ? "." : parent.string()));
      continue;
    }
    const int reason = errno;
    struct stat status = {};
    if (::stat(made.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) continue;
    return std::unexpected(ErrnoError(reason, "make directory", made.string()));
  }
  return {};
}

Result<void> KernelFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return FailErrno("remove", path);
  return {};
}

Result<void> KernelFileSystem::SyncDirectory(const std::string& directory) {
  LARDER_ASSIGN(const Descriptor descriptor,
                Open(directory, O_RDONLY | O_DIRECTORY, "open directory"));
  if (Uninterrupted([&] { return ::fsync(descriptor.number()); }) != 0) {
    return FailErrno("sync directory", directory);
  }
  return {};
}

std::string KernelFileSystem::BootId() const {
  const std::string path = "/proc/sys/kernel/random/boot_id";
  const auto descriptor = Open(path, O_RDONLY, "open");
  if (!descriptor) return "";
  std::array<char, 64> text{};
  const auto got = ReadFully(descriptor->number(), 0, text.data(), text.size(), path);
  const std::string_view all(text.data(), got.value_or(0));
  return std::string(all.substr(0, all.find('\n')));
}

Result<Descriptor> OpenLocked(const std::string& path, int how) {
  LARDER_ASSIGN(Descriptor descriptor, Open(path, O_RDWR | O_CREAT, "lock"));
  if (Uninterrupted([&] { return ::flock(descriptor.number(), how | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return FailErrno("lock", path);
    return Fail(ErrorCode::kBusy,
                fmt::format("lock {}: held by {}", path, HolderOf(descriptor, path)));
  }
  // Of those who share it, the last one's.
  LARDER_TRY(WriteHolder(descriptor, path));
  return descriptor;
}

Result<std::unique_ptr<FileLock>> KernelFileSystem::Lock(const std::string& path) {
  LARDER_ASSIGN(Descriptor descriptor, OpenLocked(path, LOCK_EX));
  return std::make_unique<RealFileLock>(std::move(descriptor));
}

Result<std::unique_ptr<FileLock>> KernelFileSystem::LockShared(const std::string& path) {
  LARDER_ASSIGN(Descriptor descriptor, OpenLocked(path, LOCK_SH));
  return std::make_unique<RealFileLock>(std::move(descriptor));
}

Result<std::unique_ptr<TurnLock>> KernelFileSystem::OpenTurnLock(const std::string& path) {
  LARDER_ASSIGN(Descriptor descriptor, Open(path, O_RDWR | O_CREAT, "lock"));
  return std::make_unique<RealTurnLock>(std::move(descriptor), path);
}

Result<void> KernelFileSystem::Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return FailErrno("rename", fmt::format("{} to {}", from, to));
  }
  return {};
}

}  // namespace

FileSystem& RealFileSystem() {
  static KernelFileSystem files;
  return files;
}

}  // namespace larder::io

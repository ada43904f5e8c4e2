#include "io/real_allocated_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/sticky_error.h"
#include "io/system_call.h"
#include "io/writable_pages.h"

namespace larder::io {

namespace {

// Space for [from, to), and the file at least `to` long.
Result<void> Reserve(int descriptor, uint64_t from, uint64_t to, const std::string& path) {
  if (to > static_cast<uint64_t>(std::numeric_limits<off_t>::max())) {
    return std::unexpected(ErrnoError(EFBIG, "allocate", path));
  }
  int reason = EINTR;
  while (reason == EINTR) {
    reason = posix_fallocate(descriptor, static_cast<off_t>(from), static_cast<off_t>(to - from));
  }
  if (reason != 0) return std::unexpected(ErrnoError(reason, "allocate", path));
  return {};
}

Result<void> Cut(int descriptor, uint64_t bytes, const std::string& path) {
  if (Uninterrupted([&] { return ::ftruncate(descriptor, static_cast<off_t>(bytes)); }) != 0) {
    return FailErrno("truncate", path);
  }
  return {};
}

// With space, so that no page is missing when the disk is full. Where a file system cannot do that
// the C library's substitute (in Reserve) writes into every block, also what another process has
// just changed: so there without space.
Result<void> Extend(int descriptor, uint64_t bytes, const std::string& path) {
  const auto end = static_cast<off_t>(bytes);
  if (Uninterrupted([&] { return ::fallocate(descriptor, 0, 0, end); }) == 0) return {};
  if (errno == EOPNOTSUPP) return Cut(descriptor, bytes, path);
  return FailErrno("allocate", path);
}

// From here on a system call costs less than the faults of the pages that a copy touches first.
// What is written so is seen in the mapping, and the other way round.
constexpr size_t kLargeWrite = 4096;

class RealAllocatedFile final : public AllocatedFile {
 public:
  RealAllocatedFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<void> Map(uint64_t bytes) { return pages_.Resize(descriptor_.number(), bytes, path_); }

  Result<void> Allocate(uint64_t bytes) override;
  Result<void> WriteAt(uint64_t offset, std::string_view bytes) override;
  Result<void> Truncate(uint64_t bytes) override;
  Result<void> Refresh() override;
  Result<void> Sync() override;
  void StartWriting(uint64_t from, uint64_t to) override;
  void Forget(uint64_t from, uint64_t to) override;
  uint64_t allocated() const override { return pages_.size(); }
  const std::string& path() const override { return path_; }

 private:
  Result<uint64_t> FileBytes() const;
  std::unexpected<Error> FailTruncated();
  Result<void> WriteThroughKernel(uint64_t offset, std::string_view bytes);

  Descriptor descriptor_;
  std::string path_;
  WritablePages pages_;
  uint64_t reserved_ = 0;  // up to here the file is known to have no holes
  // Since the last write. The kernel has made the page of the end read-only then, and a copy would
  // fault once more, which costs more than the call.
  std::atomic<bool> synced_ = false;
  StickyError failure_;
};

Result<void> RealAllocatedFile::Allocate(uint64_t bytes) {
  LARDER_TRY(failure_.Check());
  if (bytes <= reserved_) return {};
  LARDER_ASSIGN(const uint64_t had, FileBytes());
  auto done = Reserve(descriptor_.number(), reserved_, bytes, path_);
  if (done && bytes > pages_.size()) done = Map(bytes);
  if (done) {
    reserved_ = bytes;
    return {};
  }
  // A part may have been added before the disk was full. Whether that can be given back or not,
  // what is told is why there was not more.
  std::ignore = Cut(descriptor_.number(), had, path_);
  return done;
}

Result<void> RealAllocatedFile::WriteAt(uint64_t offset, std::string_view bytes) {
  LARDER_TRY(failure_.Check());
  if (offset > pages_.size() || bytes.size() > pages_.size() - offset) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("write {}: {} bytes at {}, where {} are allocated", path_, bytes.size(),
                            offset, pages_.size()));
  }
  if (bytes.empty()) return {};
  if (bytes.size() >= kLargeWrite || synced_.exchange(false, std::memory_order_relaxed))
    return WriteThroughKernel(offset, bytes);
  // To ask the kernel for the next pages together (MADV_POPULATE_WRITE) is no faster on ext4.
  std::memcpy(pages_.data() + offset, bytes.data(), bytes.size());
  if (!pages_.damaged()) return {};
  return FailTruncated();
}

std::unexpected<Error> RealAllocatedFile::FailTruncated() {
  return failure_.Set(Error(
      ErrorCode::kIoError,
      fmt::format("write {}: a page of the file could not be written; was it truncated?", path_)));
}

Result<void> RealAllocatedFile::WriteThroughKernel(uint64_t offset, std::string_view bytes) {
  // The kernel would make the file longer again.
  LARDER_ASSIGN(const uint64_t there, FileBytes());
  if (there < offset + bytes.size()) return FailTruncated();
  while (!bytes.empty()) {
    const ssize_t wrote = Uninterrupted([&] {
      return ::pwrite(descriptor_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    });
    if (wrote < 0) return failure_.Set(ErrnoError(errno, "write", path_));
    offset += static_cast<uint64_t>(wrote);
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

Result<void> RealAllocatedFile::Truncate(uint64_t bytes) {
  LARDER_TRY(failure_.Check());
  if (bytes >= pages_.size()) return {};
  LARDER_TRY(Cut(descriptor_.number(), bytes, path_));
  reserved_ = std::min(reserved_, bytes);
  if (auto mapped = Map(bytes); !mapped) return failure_.Set(std::move(mapped).error());
  return {};
}

// Not by fstat: who has asked for a file's times gets a new one at the next write (since Linux
// 6.13), and a sync behind that writes the inode, too. (Nothing here uses the descriptor's place.)
Result<uint64_t> RealAllocatedFile::FileBytes() const {
  const off_t end = ::lseek(descriptor_.number(), 0, SEEK_END);
  if (end < 0) return FailErrno("seek to the end of", path_);
  return static_cast<uint64_t>(end);
}

Result<void> RealAllocatedFile::Refresh() {
  LARDER_TRY(failure_.Check());
  LARDER_ASSIGN(const uint64_t bytes, FileBytes());
  if (bytes == pages_.size()) return {};
  reserved_ = std::min(reserved_, bytes);
  if (auto mapped = Map(bytes); !mapped) return failure_.Set(std::move(mapped).error());
  return {};
}

void RealAllocatedFile::StartWriting(uint64_t from, uint64_t to) {
  if (from >= to) return;
  // What it cannot do, Sync says.
  std::ignore = ::sync_file_range(descriptor_.number(), static_cast<off_t>(from),
                                  static_cast<off_t>(to - from), SYNC_FILE_RANGE_WRITE);
}

void RealAllocatedFile::Forget(uint64_t from, uint64_t to) {
  static const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t begin = AlignUp(from, page);
  const uint64_t end = std::min(to, pages_.size()) / page * page;
  if (begin < end) std::ignore = ::madvise(pages_.data() + begin, end - begin, MADV_DONTNEED);
}

Result<void> RealAllocatedFile::Sync() {
  LARDER_TRY(failure_.Check());
  // It writes what came through the mapping too.
  if (Uninterrupted([&] { return ::fdatasync(descriptor_.number()); }) != 0) {
    return failure_.Set(ErrnoError(errno, "sync", path_));
  }
  synced_.store(true, std::memory_order_relaxed);
  return failure_.Check();
}

class RealSharedMemory final : public SharedMemory {
 public:
  Result<void> Map(int descriptor, uint64_t bytes, const std::string& path) {
    return pages_.Resize(descriptor, bytes, path);
  }

  char* data() override { return pages_.data(); }
  uint64_t size() const override { return pages_.size(); }
  bool damaged() const override { return pages_.damaged(); }

 private:
  WritablePages pages_;
};

}  // namespace

Result<std::unique_ptr<AllocatedFile>> MakeAllocatedFile(Descriptor descriptor, uint64_t bytes,
                                                         const std::string& path) {
  auto file = std::make_unique<RealAllocatedFile>(std::move(descriptor), path);
  LARDER_TRY(file->Map(bytes));
  return file;
}

Result<std::unique_ptr<SharedMemory>> MakeSharedMemory(int descriptor, uint64_t bytes,
                                                       uint64_t wanted, const std::string& path) {
  if (wanted == 0) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("share {}: no bytes", path));
  }
  if (bytes > wanted) LARDER_TRY(Cut(descriptor, wanted, path));
  if (bytes < wanted) LARDER_TRY(Extend(descriptor, wanted, path));
  auto memory = std::make_unique<RealSharedMemory>();
  LARDER_TRY(memory->Map(descriptor, wanted, path));
  return memory;
}

}  // namespace larder::io

// The faulty twin's AllocatedFile and SharedMemory.

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "io/faulty_file_system.h"
#include "io/sticky_error.h"

namespace larder::io {

class FaultyFileSystem::InPlaceWriter final : public AllocatedFile {
 public:
  InPlaceWriter(FaultyFileSystem& files, ModelDisk::FilePointer opened, std::string path,
                uint64_t now)
      : file(std::move(opened)),
        boot(now),
        files_(files),
        path_(std::move(path)),
        allocated_(file->bytes.size()) {
    file->in_place = true;
  }

  Result<void> Allocate(uint64_t bytes) override {
    LARDER_TRY(failure_.Check());
    LARDER_TRY(files_.Allocate(*this, bytes));
    allocated_ = std::max(allocated_, bytes);
    return {};
  }
  Result<void> WriteAt(uint64_t offset, std::string_view bytes) override {
    LARDER_TRY(failure_.Check());
    if (offset > allocated_ || bytes.size() > allocated_ - offset) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("write {}: {} bytes at {}, where {} are allocated", path_,
                              bytes.size(), offset, allocated_));
    }
    return Remember(files_.WriteAt(*this, offset, bytes));
  }
  Result<void> Truncate(uint64_t bytes) override {
    LARDER_TRY(failure_.Check());
    LARDER_TRY(files_.Truncate(*this, bytes));
    allocated_ = std::min(allocated_, bytes);
    return {};
  }
  Result<void> Sync() override {
    LARDER_TRY(failure_.Check());
    return Remember(files_.Sync(*this));
  }
  Result<void> Refresh() override {
    LARDER_TRY(failure_.Check());
    LARDER_ASSIGN(allocated_, files_.BytesOf(*this));
    return {};
  }
  void StartWriting(uint64_t /*from*/, uint64_t /*to*/) override {}
  void Forget(uint64_t /*from*/, uint64_t /*to*/) override {}
  uint64_t allocated() const override { return allocated_; }
  const std::string& path() const override { return path_; }

  const ModelDisk::FilePointer file;
  const uint64_t boot;

 private:
  Result<void> Remember(Result<void> done) {
    if (!done) return failure_.Set(std::move(done).error());
    return done;
  }

  FaultyFileSystem& files_;
  std::string path_;
  uint64_t allocated_;
  StickyError failure_;
};

class FaultyFileSystem::SharedBuffer final : public SharedMemory {
 public:
  explicit SharedBuffer(std::shared_ptr<SharedBytes> bytes) : bytes_(std::move(bytes)) {}

  char* data() override { return bytes_->data(); }
  uint64_t size() const override { return bytes_->size(); }
  bool damaged() const override { return false; }

 private:
  std::shared_ptr<SharedBytes> bytes_;
};

Result<void> FaultyFileSystem::Allocate(InPlaceWriter& writer, uint64_t bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "allocate", writer.path()));
  LARDER_TRY(BeginOperation("allocate", writer.path()));
  const uint64_t had = writer.file->bytes.size();
  if (bytes <= had) return {};
  LARDER_TRY(TakeSpace(bytes - had, writer.path()));
  disk_.Resize(*writer.file, bytes);
  return {};
}

Result<void> FaultyFileSystem::WriteAt(InPlaceWriter& writer, uint64_t offset,
                                       std::string_view bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "write", writer.path()));
  LARDER_TRY(CheckAlive("write", writer.path()));
  auto begun = BeginWrite(writer.path());
  const std::string_view written = begun ? bytes : Beginning(bytes);
  ModelFile& file = *writer.file;
  if (offset + written.size() > file.bytes.size()) {
    return Fail(ErrorCode::kIoError,
                fmt::format("write {}: a page of the file could not be written; was it truncated?",
                            writer.path()));
  }
  disk_.WriteAt(file, offset, written, random_);
  ShowInMappings(file, offset, offset + written.size());
  return begun;
}

Result<void> FaultyFileSystem::Truncate(InPlaceWriter& writer, uint64_t bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "truncate", writer.path()));
  LARDER_TRY(BeginOperation("truncate", writer.path()));
  const uint64_t had = writer.file->bytes.size();
  if (bytes >= had) return {};
  disk_.Resize(*writer.file, bytes);
  ShowInMappings(*writer.file, bytes, had);
  return {};
}

Result<uint64_t> FaultyFileSystem::BytesOf(const InPlaceWriter& writer) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "stat", writer.path()));
  LARDER_TRY(CheckAlive("stat", writer.path()));
  return writer.file->bytes.size();
}

Result<void> FaultyFileSystem::Sync(InPlaceWriter& writer) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "sync", writer.path()));
  LARDER_TRY(CheckAlive("sync", writer.path()));
  return SyncModel(*writer.file, writer.path());
}

Result<std::unique_ptr<AllocatedFile>> FaultyFileSystem::CreateAllocated(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("create", path));
  LARDER_ASSIGN(auto file, disk_.CreateNew(path));
  return std::make_unique<InPlaceWriter>(*this, std::move(file), path, boot_);
}

Result<std::unique_ptr<AllocatedFile>> FaultyFileSystem::OpenAllocated(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("open", path));
  LARDER_TRY(CheckAllowed(path));
  LARDER_ASSIGN(auto file, disk_.Find(path, "open"));
  return std::make_unique<InPlaceWriter>(*this, std::move(file), path, boot_);
}

Result<std::unique_ptr<SharedMemory>> FaultyFileSystem::OpenShared(const std::string& path,
                                                                   uint64_t bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("open", path));
  LARDER_TRY(CheckAllowed(path));
  if (bytes == 0) return Fail(ErrorCode::kInvalidArgument, fmt::format("share {}: no bytes", path));
  auto found = disk_.Find(path, "open");
  if (!found && found.error().code() == ErrorCode::kNotFound) found = disk_.CreateNew(path);
  LARDER_ASSIGN(const auto file, std::move(found));
  const uint64_t had = file->bytes.size();
  LARDER_TRY(TakeSpace(bytes > had ? bytes - had : 0, path));
  return std::make_unique<SharedBuffer>(disk_.Share(*file, bytes));
}

}  // namespace larder::io

#include "io/faulty_file_system.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace larder::io {

namespace {

constexpr std::string_view kCrashReason = "simulated crash";

Error CrashError(std::string_view operation, std::string_view path) {
  return Error(ErrorCode::kIoError, fmt::format("{} {}: {}", operation, path, kCrashReason));
}

std::unexpected<Error> FailSimulated(ErrorCode code, std::string_view operation,
                                     std::string_view path) {
  return Fail(code,
              fmt::format("{} {}: simulated {} failure", operation, path, ErrorCodeName(code)));
}

}  // namespace

// The bytes of one mapping, on the heap and of exact size.
struct FaultyFileSystem::Copy {
  explicit Copy(const ModelFile& file)
      : inode(file.inode), content(file.bytes, file.bytes.size()) {}

  const uint64_t inode;
  SharedBytes content;
  std::atomic<bool> damaged{false};
};

class FaultyFileSystem::CopiedMapping final : public Mapping {
 public:
  explicit CopiedMapping(std::shared_ptr<Copy> copy) : copy_(std::move(copy)) {}

  std::string_view bytes() const override { return copy_->content.bytes(); }
  bool damaged() const override { return copy_->damaged.load(std::memory_order_relaxed); }
  void Advise(AccessPattern /*pattern*/) const override {}
  void Forget() const override {}
  uint64_t ResidentBytes() const override { return copy_->content.size(); }

 private:
  std::shared_ptr<Copy> copy_;
};

class FaultyFileSystem::Reader final : public ReadableFile {
 public:
  Reader(FaultyFileSystem& files, ModelDisk::FilePointer opened, std::string path, uint64_t now)
      : file(std::move(opened)), boot(now), files_(files), path_(std::move(path)) {}

  Result<size_t> ReadAt(uint64_t offset, char* to, size_t bytes) const override {
    return files_.ReadFile(*this, offset, to, bytes);
  }
  void AdviseSequential() const override {}
  Result<FileInfo> Info() const override { return files_.InfoOf(*this); }
  const std::string& path() const override { return path_; }

  const ModelDisk::FilePointer file;
  const uint64_t boot;

 private:
  FaultyFileSystem& files_;
  std::string path_;
};

class FaultyFileSystem::Writer final : public WritableFile {
 public:
  Writer(FaultyFileSystem& files, ModelDisk::FilePointer opened, std::string path, uint64_t now)
      : file(std::move(opened)), boot(now), files_(files), path_(std::move(path)) {}

  Result<void> Write(std::string_view bytes) override {
    auto done = failure_ ? std::unexpected(*failure_) : files_.WriteFile(*this, bytes);
    if (done) size_ += bytes.size();
    return Remember(std::move(done));
  }
  Result<void> Sync() override {
    return Remember(failure_ ? std::unexpected(*failure_) : files_.SyncFile(*this));
  }
  Result<void> Close() override {
    return Remember(failure_ ? std::unexpected(*failure_) : files_.CloseFile(*this));
  }
  uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }

  const ModelDisk::FilePointer file;
  const uint64_t boot;

 private:
  // The first failure is the answer to everything after it, as in the real file system.
  Result<void> Remember(Result<void> done) {
    if (!done && !failure_) failure_ = done.error();
    return done;
  }

  FaultyFileSystem& files_;
  std::string path_;
  uint64_t size_ = 0;
  std::optional<Error> failure_;
};

class FaultyFileSystem::HeldLock final : public FileLock {
 public:
  HeldLock(FaultyFileSystem& files, std::string path, uint64_t boot)
      : files_(files), path_(std::move(path)), boot_(boot) {}
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;
  ~HeldLock() override { files_.Unlock(path_, boot_); }

 private:
  FaultyFileSystem& files_;
  std::string path_;
  uint64_t boot_;
};

class FaultyFileSystem::Turns final : public TurnLock {
 public:
  Turns(FaultyFileSystem& files, std::string path, uint64_t boot)
      : files_(files), path_(std::move(path)), boot_(boot) {}
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  ~Turns() override {
    if (taken_) Release();
  }

  Result<void> Take() override {
    LARDER_TRY(files_.TakeTurn(path_, boot_));
    taken_ = true;
    return {};
  }
  void Release() override {
    taken_ = false;
    files_.ReleaseTurn(path_, boot_);
  }

 private:
  FaultyFileSystem& files_;
  std::string path_;
  uint64_t boot_;
  bool taken_ = false;
};

FaultyFileSystem::FaultyFileSystem(uint64_t seed) : random_(seed) {}
FaultyFileSystem::~FaultyFileSystem() = default;

// ---- Faults and crashes.

void FaultyFileSystem::CrashAtOperation(uint64_t n) {
  const MutexLock lock(mutex_);
  crash_.left = n;
}

void FaultyFileSystem::FailOperation(uint64_t n, ErrorCode code) {
  const MutexLock lock(mutex_);
  failing_operation_.left = n;
  failing_code_ = code;
}

void FaultyFileSystem::FailRead(uint64_t n) {
  const MutexLock lock(mutex_);
  failing_read_.left = n;
}

void FaultyFileSystem::FailWrite(uint64_t n) {
  const MutexLock lock(mutex_);
  failing_write_.left = n;
}

void FaultyFileSystem::FailSync(uint64_t n) {
  const MutexLock lock(mutex_);
  failing_sync_.left = n;
}

void FaultyFileSystem::LimitSpace(uint64_t bytes) {
  const MutexLock lock(mutex_);
  space_left_ = bytes;
}

void FaultyFileSystem::DenyReading(const std::string& path) {
  const MutexLock lock(mutex_);
  denied_.insert(path);
}

void FaultyFileSystem::ClearFaults() {
  const MutexLock lock(mutex_);
  crash_ = failing_operation_ = failing_read_ = failing_write_ = failing_sync_ = {};
  space_left_.reset();
  denied_.clear();
}

void FaultyFileSystem::DamageMappings(const std::string& path) {
  const MutexLock lock(mutex_);
  const auto file = disk_.Find(path, "damage");
  for (const auto& weak : mapped_) {
    const auto copy = weak.lock();
    if (copy && file && copy->inode == (*file)->inode) copy->damaged.store(true);
  }
}

void FaultyFileSystem::StopNow() {
  crashed_ = true;
  disk_.LeaveShared();
  turns_changed_.NotifyAll();
}

void FaultyFileSystem::Crash() {
  const MutexLock lock(mutex_);
  StopNow();
}

bool FaultyFileSystem::crashed() const {
  const MutexLock lock(mutex_);
  return crashed_;
}

void FaultyFileSystem::Reboot(Survival survival) {
  ClearFaults();
  const MutexLock lock(mutex_);
  disk_.PowerCut(survival, random_);
  if (survival != Survival::kEverything) ++power_cuts_;
  locked_.clear();
  turns_.clear();
  turns_changed_.NotifyAll();
  ++boot_;
  crashed_ = false;
}

bool FaultyFileSystem::IsCrash(const Error& error) {
  return error.message().find(kCrashReason) != std::string::npos;
}

// ---- For the test itself.

void FaultyFileSystem::PutFile(const std::string& path, std::string_view bytes) {
  const MutexLock lock(mutex_);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string directory = parent.empty() ? "." : parent;
  std::ignore = disk_.MakeDirectories(directory);
  std::ignore = disk_.Remove(path);
  const auto file = disk_.CreateOrEmpty(path);
  disk_.Append(**file, bytes);
  ModelDisk::SyncFile(**file);
  disk_.SyncName(path);
}

std::optional<std::string> FaultyFileSystem::Contents(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto file = disk_.Find(path, "read");
  if (!file) return std::nullopt;
  return (*file)->bytes;
}

uint64_t FaultyFileSystem::bytes_read(const std::string& path) const {
  const MutexLock lock(mutex_);
  const auto found = bytes_read_.find(path);
  return found == bytes_read_.end() ? 0 : found->second;
}

uint64_t FaultyFileSystem::operations() const {
  const MutexLock lock(mutex_);
  return operations_;
}

// ---- What every call asks first.

Result<void> FaultyFileSystem::CheckAlive(std::string_view operation, std::string_view path) const {
  if (crashed_) return std::unexpected(CrashError(operation, path));
  return {};
}

Result<void> FaultyFileSystem::BeginOperation(std::string_view operation, std::string_view path) {
  LARDER_TRY(CheckAlive(operation, path));
  ++operations_;
  if (crash_.Reached()) StopNow();
  LARDER_TRY(CheckAlive(operation, path));
  if (failing_operation_.Reached()) return FailSimulated(failing_code_, operation, path);
  return {};
}

Result<void> FaultyFileSystem::BeginRead(std::string_view operation, std::string_view path) {
  LARDER_TRY(CheckAlive(operation, path));
  if (failing_read_.Reached()) return FailSimulated(ErrorCode::kIoError, operation, path);
  return {};
}

Result<void> FaultyFileSystem::BeginSync(std::string_view operation, std::string_view path) {
  LARDER_TRY(BeginOperation(operation, path));
  if (failing_sync_.Reached()) return FailSimulated(ErrorCode::kIoError, operation, path);
  return {};
}

Result<void> FaultyFileSystem::BeginWrite(std::string_view path) {
  LARDER_TRY(BeginOperation("write", path));
  if (failing_write_.Reached()) return FailSimulated(ErrorCode::kIoError, "write", path);
  return {};
}

Result<void> FaultyFileSystem::SyncModel(ModelFile& file, std::string_view path) {
  auto begun = BeginSync("sync", path);
  if (begun) {
    ModelDisk::SyncFile(file);
  } else if (!crashed_) {
    ModelDisk::FailToSyncFile(file);
  }
  return begun;
}

Result<void> FaultyFileSystem::TakeSpace(uint64_t bytes, std::string_view path) {
  if (!space_left_) return {};
  if (bytes > *space_left_) return std::unexpected(ErrnoError(ENOSPC, "allocate", path));
  *space_left_ -= bytes;
  return {};
}

Result<void> FaultyFileSystem::CheckAllowed(const std::string& path) const {
  if (denied_.contains(path)) return FailSimulated(ErrorCode::kPermissionDenied, "open", path);
  return {};
}

Result<void> FaultyFileSystem::CheckBoot(uint64_t boot, std::string_view operation,
                                         std::string_view path) const {
  if (boot != boot_) return std::unexpected(CrashError(operation, path));
  return {};
}

// ---- Open files.

Result<FileInfo> FaultyFileSystem::InfoOf(const Reader& reader) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(reader.boot, "stat", reader.path()));
  LARDER_TRY(CheckAlive("stat", reader.path()));
  return ModelDisk::InfoOf(*reader.file);
}

Result<size_t> FaultyFileSystem::ReadFile(const Reader& reader, uint64_t offset, char* to,
                                          size_t bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(reader.boot, "read", reader.path()));
  LARDER_TRY(BeginRead("read", reader.path()));
  const std::string_view all = reader.file->bytes;
  if (offset >= all.size()) return 0;
  const size_t got = all.substr(offset).copy(to, bytes);
  bytes_read_[reader.path()] += got;
  return got;
}

std::string_view FaultyFileSystem::Beginning(std::string_view bytes) {
  return bytes.substr(0, std::uniform_int_distribution<size_t>(0, bytes.size())(random_));
}

Result<void> FaultyFileSystem::WriteFile(Writer& writer, std::string_view bytes) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "write", writer.path()));
  LARDER_TRY(CheckAlive("write", writer.path()));
  if (auto begun = BeginWrite(writer.path()); !begun) {
    disk_.Append(*writer.file, Beginning(bytes));
    return begun;
  }
  if (space_left_ && bytes.size() > *space_left_) {
    disk_.Append(*writer.file, bytes.substr(0, std::exchange(*space_left_, 0)));
    return std::unexpected(ErrnoError(ENOSPC, "write", writer.path()));
  }
  if (space_left_) *space_left_ -= bytes.size();
  disk_.Append(*writer.file, bytes);
  return {};
}

Result<void> FaultyFileSystem::SyncFile(Writer& writer) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "sync", writer.path()));
  LARDER_TRY(CheckAlive("sync", writer.path()));
  return SyncModel(*writer.file, writer.path());
}

Result<void> FaultyFileSystem::CloseFile(Writer& writer) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckBoot(writer.boot, "close", writer.path()));
  return BeginOperation("close", writer.path());
}

// ---- FileSystem.

Result<std::unique_ptr<ReadableFile>> FaultyFileSystem::OpenForRead(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckAlive("open", path));
  LARDER_TRY(CheckAllowed(path));
  LARDER_ASSIGN(auto file, disk_.Find(path, "open"));
  return std::make_unique<Reader>(*this, std::move(file), path, boot_);
}

Result<std::unique_ptr<WritableFile>> FaultyFileSystem::Create(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("create", path));
  LARDER_ASSIGN(auto file, disk_.CreateOrEmpty(path));
  return std::make_unique<Writer>(*this, std::move(file), path, boot_);
}

Result<std::unique_ptr<Mapping>> FaultyFileSystem::Map(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginRead("map", path));
  LARDER_ASSIGN(const auto file, disk_.Find(path, "open"));
  auto copy = std::make_shared<Copy>(*file);
  std::erase_if(mapped_, [](const auto& weak) { return weak.expired(); });
  mapped_.push_back(copy);
  return std::make_unique<CopiedMapping>(std::move(copy));
}

void FaultyFileSystem::ShowInMappings(const ModelFile& file, uint64_t from, uint64_t to) {
  for (const auto& weak : mapped_) {
    const auto copy = weak.lock();
    if (copy == nullptr || copy->inode != file.inode) continue;
    SharedBytes& shown = copy->content;
    for (uint64_t at = from; at < std::min(to, uint64_t{shown.size()}); ++at) {
      shown.data()[at] = at < file.bytes.size() ? file.bytes[at] : '\0';
    }
  }
}

Result<FileInfo> FaultyFileSystem::Stat(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckAlive("stat", path));
  return disk_.Stat(path);
}

Result<std::vector<std::string>> FaultyFileSystem::List(const std::string& directory) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckAlive("list", directory));
  return disk_.List(directory);
}

Result<void> FaultyFileSystem::MakeDirectories(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("make directory", path));
  return disk_.MakeDirectories(path);
}

Result<void> FaultyFileSystem::Remove(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("remove", path));
  return disk_.Remove(path);
}

Result<void> FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("rename", fmt::format("{} to {}", from, to)));
  return disk_.MoveName(from, to);
}

Result<void> FaultyFileSystem::SyncDirectory(const std::string& directory) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginSync("sync directory", directory));
  return disk_.SyncDirectory(directory);
}

std::string FaultyFileSystem::BootId() const {
  const MutexLock lock(mutex_);
  return fmt::format("simulated-boot-{}", power_cuts_ + 1);
}

Result<void> FaultyFileSystem::MakeLockFile(const std::string& path) {
  if (disk_.Find(path, "lock")) return {};
  LARDER_TRY(disk_.CreateOrEmpty(path));
  return {};
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::LockFor(const std::string& path, bool shared) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("lock", path));
  const std::string name = ModelDisk::Normalise(path);
  const auto held = locked_.find(name);
  if (held != locked_.end() && !(shared && held->second != 0)) {
    return Fail(ErrorCode::kBusy, fmt::format("lock {}: held by this process", path));
  }
  LARDER_TRY(MakeLockFile(path));
  locked_[name] += shared ? 1 : 0;
  return std::make_unique<HeldLock>(*this, path, boot_);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::Lock(const std::string& path) {
  return LockFor(path, false);
}

Result<std::unique_ptr<FileLock>> FaultyFileSystem::LockShared(const std::string& path) {
  return LockFor(path, true);
}

void FaultyFileSystem::Unlock(const std::string& path, uint64_t boot) {
  const MutexLock lock(mutex_);
  if (boot != boot_) return;
  const auto held = locked_.find(ModelDisk::Normalise(path));
  if (held->second > 1) {
    --held->second;
  } else {
    locked_.erase(held);
  }
}

Result<std::unique_ptr<TurnLock>> FaultyFileSystem::OpenTurnLock(const std::string& path) {
  const MutexLock lock(mutex_);
  LARDER_TRY(BeginOperation("lock", path));
  LARDER_TRY(MakeLockFile(path));
  return std::make_unique<Turns>(*this, ModelDisk::Normalise(path), boot_);
}

Result<void> FaultyFileSystem::TakeTurn(const std::string& path, uint64_t boot) {
  const MutexLock lock(mutex_);
  for (;;) {
    LARDER_TRY(CheckBoot(boot, "lock", path));
    LARDER_TRY(CheckAlive("lock", path));
    if (turns_.insert(path).second) return {};
    turns_changed_.Wait(mutex_);
  }
}

void FaultyFileSystem::ReleaseTurn(const std::string& path, uint64_t boot) {
  const MutexLock lock(mutex_);
  if (boot != boot_) return;
  turns_.erase(path);
  turns_changed_.NotifyAll();
}

}  // namespace larder::io

// For tests: a FileSystem of files in memory that can be read and nothing else, and whose files can
// change or fail while they are read.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "io/file_system.h"

namespace larder::importer {

class MemoryFiles : public io::FileSystem {
 public:
  struct File {
    std::string bytes;
    io::FileInfo info;
    size_t reads_until_change = SIZE_MAX;  // then mtime changes
    size_t reads_until_error = SIZE_MAX;
    std::atomic<uint64_t> read_to{0};  // the furthest byte that was handed out
  };

  void Put(const std::string& path, std::string bytes) {
    files_.erase(path);
    File& file = files_[path];
    file.info.bytes = bytes.size();
    file.info.inode = 1;
    file.bytes = std::move(bytes);
  }
  void PutDirectory(const std::string& path) { files_[path].info.kind = io::FileKind::kDirectory; }
  File& At(const std::string& path) { return files_.at(path); }

  Result<io::FileInfo> Stat(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Fail(ErrorCode::kNotFound, path + ": no such file");
    return found->second.info;
  }
  Result<std::unique_ptr<io::ReadableFile>> OpenForRead(const std::string& path) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return Fail(ErrorCode::kNotFound, path + ": no such file");
    return std::make_unique<Reader>(path, found->second);
  }

  Result<std::unique_ptr<io::WritableFile>> Create(const std::string& path) override {
    return None(path);
  }
  Result<std::unique_ptr<io::AllocatedFile>> CreateAllocated(const std::string& path) override {
    return None(path);
  }
  Result<std::unique_ptr<io::AllocatedFile>> OpenAllocated(const std::string& path) override {
    return None(path);
  }
  Result<std::unique_ptr<io::SharedMemory>> OpenShared(const std::string& path, uint64_t) override {
    return None(path);
  }
  std::string BootId() const override { return {}; }
  Result<std::unique_ptr<io::Mapping>> Map(const std::string& path) override { return None(path); }
  Result<std::vector<std::string>> List(const std::string& path) override { return None(path); }
  Result<void> MakeDirectories(const std::string& path) override { return None(path); }
  Result<void> Remove(const std::string& path) override { return None(path); }
  Result<void> SyncDirectory(const std::string& path) override { return None(path); }
  Result<std::unique_ptr<io::FileLock>> Lock(const std::string& path) override {
    return None(path);
  }

  Result<std::unique_ptr<io::FileLock>> LockShared(const std::string& path) override {
    return None(path);
  }
  Result<std::unique_ptr<io::TurnLock>> OpenTurnLock(const std::string& path) override {
    return None(path);
  }

 private:
  class Reader : public io::ReadableFile {
   public:
    Reader(std::string path, File& file) : path_(std::move(path)), file_(file) {}
    Result<size_t> ReadAt(uint64_t offset, char* to, size_t bytes) const override {
      const MutexLock lock(mutex_);
      if (file_.reads_until_error-- == 0) return Fail(ErrorCode::kIoError, path_ + ": bad disk");
      if (file_.reads_until_change-- == 0) ++file_.info.mtime_ns;
      if (offset >= file_.bytes.size()) return 0;
      const size_t got = std::min<size_t>(bytes, file_.bytes.size() - offset);
      std::memcpy(to, file_.bytes.data() + offset, got);
      file_.read_to = std::max<uint64_t>(file_.read_to, offset + got);
      return got;
    }
    void AdviseSequential() const override {}
    Result<io::FileInfo> Info() const override {
      const MutexLock lock(mutex_);
      return file_.info;
    }
    const std::string& path() const override { return path_; }

   private:
    std::string path_;
    mutable Mutex mutex_;
    File& file_ LARDER_GUARDED_BY(mutex_);
  };

  static std::unexpected<Error> None(const std::string& path) {
    return Fail(ErrorCode::kUnsupported, path + ": files in memory are only read");
  }
  Result<void> Rename(const std::string& from, const std::string&) override { return None(from); }

  std::map<std::string, File> files_;
};

}  // namespace larder::importer

// Spool: bytes that are appended, then read back from front to back, in memory while they are few
// and in a temporary file beyond.
//
// Ownership:  owns its file and removes it.
// Threads:    one.
// Errors:     those of the file system.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/error.h"
#include "io/file_system.h"

namespace larder::snapshot {

class Spool {
 public:
  // Keeps up to `memory_bytes` in memory; the file `path` is made when there are more.
  Spool(io::FileSystem& files, std::string path, uint64_t memory_bytes);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  Result<void> Append(std::string_view bytes);
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  Result<void> Add(const T& item) {
    if (memory_.size() + sizeof(T) > limit_) {
      return Append({reinterpret_cast<const char*>(&item), sizeof(T)});
    }
    memory_.append(reinterpret_cast<const char*>(&item), sizeof(T));
    return {};
  }
  uint64_t bytes() const { return spilled_ + memory_.size(); }
  bool on_disk() const { return on_disk_; }
  // No more is appended; readers may be made.
  Result<void> Finish();

  // One walk from front to back.
  class Reader {
   public:
    Reader(const Spool& spool, uint64_t buffer_bytes);
    // The next piece of at most `bytes`, empty at the end. Good until the next call.
    Result<std::string_view> Next(uint64_t bytes);
    // The next item; false at the end.
    template <typename T>
    Result<bool> Read(T& item) {
      if (rest_.size() < sizeof(T)) {
        LARDER_TRY(Fill(sizeof(T)));
        if (rest_.size() < sizeof(T)) return false;
      }
      item = LoadLe<T>(rest_.data());
      rest_.remove_prefix(sizeof(T));
      return true;
    }

   private:
    Result<void> Fill(uint64_t wanted);

    const Spool& spool_;
    std::string buffer_;
    std::string_view rest_;
    uint64_t at_ = 0;  // in the spool, of the first byte behind rest_
  };

 private:
  Result<void> WriteOut();

  io::FileSystem& files_;
  std::string path_;
  uint64_t limit_;
  std::string memory_;
  uint64_t spilled_ = 0;
  bool on_disk_ = false;
  std::unique_ptr<io::WritableFile> file_;
  std::unique_ptr<io::ReadableFile> readable_;
};

}  // namespace larder::snapshot

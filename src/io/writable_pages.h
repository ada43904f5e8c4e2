// WritablePages: a file's pages in memory, shared with the file and with other processes.
//
// A page that cannot be reached when it is touched does not end the process: memory that leads
// nowhere takes its place, and damaged() tells (io/mapped_regions.h).
//
// Threads: Resize by one while nobody touches the pages.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "io/mapped_regions.h"

namespace larder::io {

class WritablePages {
 public:
  WritablePages() = default;
  WritablePages(const WritablePages&) = delete;
  WritablePages& operator=(const WritablePages&) = delete;
  ~WritablePages();

  // The first `bytes` of the file, which has as many. They may lie elsewhere afterwards.
  Result<void> Resize(int descriptor, uint64_t bytes, const std::string& path);

  char* data() const { return begin_; }
  uint64_t size() const { return bytes_; }
  // Asked after a write, it tells of that write too.
  bool damaged() const;

 private:
  Result<void> Remap(int descriptor, uint64_t bytes, const std::string& path);

  char* begin_ = nullptr;
  uint64_t bytes_ = 0;
  bool registered_ = false;
  MappedRegion region_;
};

}  // namespace larder::io

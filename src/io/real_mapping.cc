#include "io/real_mapping.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "io/mapped_regions.h"

namespace larder::io {

namespace {

// Unmaps when it goes.
class MappedBytes {
 public:
  MappedBytes(void* begin, size_t bytes) : begin_(begin), bytes_(bytes) {}
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;
  ~MappedBytes() {
    if (bytes_ > 0) munmap(begin_, bytes_);
  }

  void* begin() const { return begin_; }
  size_t size() const { return bytes_; }

 private:
  void* begin_;
  size_t bytes_;
};

int Advice(AccessPattern pattern) {
  switch (pattern) {
    case AccessPattern::kNormal:
      return MADV_NORMAL;
    case AccessPattern::kRandom:
      return MADV_RANDOM;
    case AccessPattern::kSequential:
      return MADV_SEQUENTIAL;
    case AccessPattern::kWillNeed:
      return MADV_WILLNEED;
  }
  return MADV_NORMAL;
}

class RealMapping final : public Mapping {
 public:
  RealMapping(void* begin, size_t bytes) : mapped_(begin, bytes) {}

  Result<void> Watch() {
    if (mapped_.size() == 0) return {};
    return region_.Register(mapped_.begin(), mapped_.size());
  }

  std::string_view bytes() const override {
    return {static_cast<const char*>(mapped_.begin()), mapped_.size()};
  }
  bool damaged() const override { return region_.damaged(); }
  void Advise(AccessPattern pattern) const override {
    if (mapped_.size() > 0) madvise(mapped_.begin(), mapped_.size(), Advice(pattern));
  }
  void Forget() const override {
    if (mapped_.size() > 0) madvise(mapped_.begin(), mapped_.size(), MADV_DONTNEED);
  }
  uint64_t ResidentBytes() const override;

 private:
  MappedBytes mapped_;
  MappedRegion region_;  // goes first: the handler must not know an address that is unmapped
};

uint64_t RealMapping::ResidentBytes() const {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::array<unsigned char, 4096> resident{};
  const size_t step = resident.size() * page;
  char* const begin = static_cast<char*>(mapped_.begin());
  uint64_t total = 0;
  for (size_t at = 0; at < mapped_.size(); at += step) {
    const size_t bytes = std::min(step, mapped_.size() - at);
    if (mincore(begin + at, bytes, resident.data()) != 0) return total;
    for (size_t i = 0; i * page < bytes; ++i) {
      if ((resident[i] & 1) != 0) total += std::min(page, bytes - i * page);
    }
  }
  return total;
}

}  // namespace

Result<std::unique_ptr<Mapping>> MapDescriptor(int descriptor, uint64_t bytes,
                                               const std::string& path) {
  void* begin = nullptr;
  if (bytes > 0) {
    begin = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (begin == MAP_FAILED) return std::unexpected(ErrnoError(errno, "map", path));
  }
  auto mapping = std::make_unique<RealMapping>(begin, bytes);
  if (auto watched = mapping->Watch(); !watched) {
    return std::unexpected(watched.error().Within("map " + path));
  }
  return mapping;
}

}  // namespace larder::io

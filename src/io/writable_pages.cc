#include "io/writable_pages.h"

#include <atomic>
#include <cerrno>

#include <sys/mman.h>

#include "io/system_call.h"

namespace larder::io {

namespace {

void* MapWritable(int descriptor, uint64_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
}

// The thread sanitizer does not see mremap: it takes what another thread did long ago, at the
// address that the pages have from now on, for a race.
void* ResizeMapping([[maybe_unused]] int descriptor, void* begin, uint64_t from, uint64_t to) {
#ifdef __SANITIZE_THREAD__
  void* const resized = MapWritable(descriptor, to);
  if (resized != MAP_FAILED) munmap(begin, from);
  return resized;
#else
  return mremap(begin, from, to, MREMAP_MAYMOVE);
#endif
}

}  // namespace

WritablePages::~WritablePages() {
  region_.Move(nullptr, 0);  // first: the handler must not know an address that is unmapped
  if (bytes_ > 0) munmap(begin_, bytes_);
}

Result<void> WritablePages::Remap(int descriptor, uint64_t bytes, const std::string& path) {
  void* begin = nullptr;
  if (bytes_ == 0) {
    begin = MapWritable(descriptor, bytes);
  } else if (bytes > 0) {
    begin = ResizeMapping(descriptor, begin_, bytes_, bytes);
  } else if (munmap(begin_, bytes_) != 0) {
    begin = MAP_FAILED;
  }
  if (begin == MAP_FAILED) return FailErrno("map", path);
  begin_ = static_cast<char*>(begin);
  bytes_ = bytes;
  return {};
}

Result<void> WritablePages::Resize(int descriptor, uint64_t bytes, const std::string& path) {
  if (bytes == bytes_) return {};
  if (!registered_) {
    if (auto done = region_.Register(nullptr, 0, /*writable=*/true); !done) {
      return std::unexpected(done.error().Within("map " + path));
    }
    registered_ = true;
  }
  // Meanwhile another thread may map something at the old address.
  region_.Move(nullptr, 0);
  auto done = Remap(descriptor, bytes, path);
  region_.Move(begin_, bytes_);
  return done;
}

bool WritablePages::damaged() const {
  // No store of the caller may be moved behind the question; the handler runs in its thread.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return region_.damaged();
}

}  // namespace larder::io

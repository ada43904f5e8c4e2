#include "io/resident_mapping.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "io/file_system.h"

namespace larder::io {

namespace {

constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;
constexpr uint64_t kStepBytes = 8 * kHugePageBytes;  // between two questions to go on

// Left to everybody else when a copy is made.
constexpr uint64_t kSpareBytes = uint64_t{64} << 20;

// ---- Asking the machine

std::string ReadSmall(const std::string& path) {
  const auto file = RealFileSystem().OpenForRead(path);
  if (!file) return {};
  std::string text(16384, '\0');
  const auto bytes = (*file)->ReadAt(0, text.data(), text.size());
  text.resize(bytes.value_or(0));
  return text;
}

// The number behind `name`, which begins a line; `otherwise` when there is none.
uint64_t NumberAfter(std::string_view text, std::string_view name, uint64_t otherwise) {
  for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    std::string_view rest = text.substr(at + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    uint64_t number = 0;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    return read.ec == std::errc() ? number : otherwise;
  }
  return otherwise;
}

// What a control group leaves free; what it caches of files it can give up.
uint64_t FreeInGroup(const std::string& group) {
  const uint64_t most = NumberAfter(ReadSmall(group + "/memory.max"), "", UINT64_MAX);
  if (most == UINT64_MAX) return UINT64_MAX;
  const std::string parts = ReadSmall(group + "/memory.stat");
  const uint64_t used = NumberAfter(ReadSmall(group + "/memory.current"), "", 0);
  const uint64_t cached =
      NumberAfter(parts, "active_file ", 0) + NumberAfter(parts, "inactive_file ", 0);
  const uint64_t held = used - std::min(used, cached);
  return most - std::min(most, held);
}

// The same in the words of version 1, which says a very large number for no limit.
uint64_t FreeInOldGroup(const std::string& group) {
  const uint64_t most = NumberAfter(ReadSmall(group + "/memory.limit_in_bytes"), "", UINT64_MAX);
  if (most == UINT64_MAX) return UINT64_MAX;
  const std::string parts = ReadSmall(group + "/memory.stat");
  const uint64_t used = NumberAfter(ReadSmall(group + "/memory.usage_in_bytes"), "", 0);
  const uint64_t cached =
      NumberAfter(parts, "total_active_file ", 0) + NumberAfter(parts, "total_inactive_file ", 0);
  const uint64_t held = used - std::min(used, cached);
  return most - std::min(most, held);
}

// Of this process's control group and all above it, the root among them: inside of a container that
// is the container's own.
template <typename Free>
uint64_t FreeInGroups(std::string_view name, const std::string& root, Free&& free_in) {
  const std::string groups = ReadSmall("/proc/self/cgroup");
  const size_t at = groups.find(name);
  if (at == std::string::npos) return UINT64_MAX;
  const size_t begin = at + name.size() - 1;
  std::string group = groups.substr(begin, groups.find('\n', begin) - begin);
  uint64_t least = free_in(root);
  for (; group.size() > 1; group.resize(group.rfind('/'))) {
    least = std::min(least, free_in(root + group));
  }
  return least;
}

uint64_t FreeInAllGroups() {
  return std::min({FreeInGroups("0::/", "/sys/fs/cgroup", FreeInGroup),
                   FreeInGroups("0::/", "/sys/fs/cgroup/unified", FreeInGroup),
                   FreeInGroups(":memory:/", "/sys/fs/cgroup/memory", FreeInOldGroup)});
}

Result<void> Cancelled() { return Fail(ErrorCode::kCancelled, "reading it in was cancelled"); }

Result<void> Unreadable(uint64_t offset) {
  return Fail(
      ErrorCode::kCorrupt,
      fmt::format("a page could not be read, near byte {}, while it was brought into memory",
                  offset));
}

// ---- Reading pages in

struct PageRange {
  char* begin;
  uint64_t bytes;
};

// The whole pages that hold these bytes.
PageRange PagesOf(std::string_view bytes) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  return {const_cast<char*>(bytes.data()) - before, AlignUp(before + bytes.size(), page)};
}

// One byte of each page; for kernels that cannot be asked for them (before Linux 5.14).
void TouchPages(PageRange pages) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (uint64_t at = 0; at < pages.bytes; at += page) {
    static_cast<void>(*static_cast<volatile const char*>(pages.begin + at));
  }
}

// `each(offset, bytes)` is called for what has just been read in, if there is one.
template <typename Each>
Result<void> ReadIn(const Mapping& mapping, const std::function<bool()>& go_on, Each&& each) {
  const std::string_view bytes = mapping.bytes();
  for (uint64_t at = 0; at < bytes.size(); at += kStepBytes) {
    if (go_on && !go_on()) return Cancelled();
    const std::string_view step = bytes.substr(at, kStepBytes);
    const PageRange pages = PagesOf(step);
    if (madvise(pages.begin, pages.bytes, MADV_POPULATE_READ) != 0) {
      // A page that would raise SIGBUS, or a broken one of the memory.
      if (errno == EFAULT || errno == EHWPOISON) return Unreadable(at);
      TouchPages(pages);
    }
    each(at, step);
    if (mapping.damaged()) return Unreadable(at);
  }
  return {};
}

Result<void> ReadIn(const Mapping& mapping, const std::function<bool()>& go_on) {
  return ReadIn(mapping, go_on, [](uint64_t, std::string_view) {});
}

// ---- Huge pages

// Memory of this process's own, in huge pages as far as the kernel has some.
class HugeCopy final : public Mapping {
 public:
  // Null when the system gives no memory.
  static std::unique_ptr<HugeCopy> Allocate(uint64_t bytes) {
    // So much that a beginning on a huge page's boundary is among it.
    const uint64_t reserved = AlignUp(bytes, kHugePageBytes) + kHugePageBytes;
    void* const memory = mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto copy = std::unique_ptr<HugeCopy>(new HugeCopy(memory, reserved, bytes));
    madvise(copy->begin_, reserved - kHugePageBytes, MADV_HUGEPAGE);
    return copy;
  }
  HugeCopy(const HugeCopy&) = delete;
  HugeCopy& operator=(const HugeCopy&) = delete;
  ~HugeCopy() override { munmap(memory_, reserved_); }

  void Write(uint64_t offset, std::string_view bytes) {
    std::memcpy(begin_ + offset, bytes.data(), bytes.size());
  }
  // Nobody writes from here on.
  void Seal() { mprotect(memory_, reserved_, PROT_READ); }

  std::string_view bytes() const override { return {begin_, size_}; }
  bool damaged() const override { return false; }
  void Advise(AccessPattern /*pattern*/) const override {}
  void Forget() const override {}
  uint64_t ResidentBytes() const override { return size_; }

 private:
  HugeCopy(void* memory, uint64_t reserved, uint64_t size)
      : memory_(memory),
        reserved_(reserved),
        begin_(static_cast<char*>(memory) +
               (AlignUp(reinterpret_cast<uintptr_t>(memory), kHugePageBytes) -
                reinterpret_cast<uintptr_t>(memory))),
        size_(size) {}

  void* memory_;
  uint64_t reserved_;
  char* begin_;
  uint64_t size_;
};

// Why a copy in huge pages cannot be had; empty: it can.
std::string WhyNoCopy(uint64_t bytes, const MemorySupply& supply) {
  if (!supply.huge_pages) {
    return "transparent huge pages are off (/sys/kernel/mm/transparent_hugepage/enabled)";
  }
  const uint64_t needed = AlignUp(bytes, kHugePageBytes) + kSpareBytes;
  if (supply.free_bytes >= needed) return {};
  return fmt::format("a copy needs {} MiB of memory, and {} MiB are free", needed >> 20,
                     supply.free_bytes >> 20);
}

Result<ResidentMapping> Copied(std::unique_ptr<Mapping> mapping, const std::function<bool()>& go_on,
                               const MemorySupply& supply) {
  const uint64_t bytes = mapping->bytes().size();
  std::string shortfall = WhyNoCopy(bytes, supply);
  if (shortfall.empty()) {
    if (auto copy = HugeCopy::Allocate(bytes)) {
      const auto write = [&copy](uint64_t offset, std::string_view step) {
        copy->Write(offset, step);
      };
      LARDER_TRY(ReadIn(*mapping, go_on, write));
      copy->Seal();
      return ResidentMapping{.mapping = std::move(copy), .reached = Residency::kHuge};
    }
    shortfall = fmt::format("the system gives no {} MiB of memory for a copy", bytes >> 20);
  }
  LARDER_TRY(ReadIn(*mapping, go_on));
  return ResidentMapping{.mapping = std::move(mapping),
                         .reached = Residency::kPopulated,
                         .shortfall = std::move(shortfall)};
}

// ---- Locking

std::string WhyNotLocked(int error, uint64_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  if ((error == EPERM || error == ENOMEM || error == EAGAIN) && limit.rlim_cur != RLIM_INFINITY) {
    return fmt::format(
        "{} bytes cannot be locked, RLIMIT_MEMLOCK allows this process {} (ulimit -l, or "
        "LimitMEMLOCK= of systemd)",
        bytes, limit.rlim_cur);
  }
  return fmt::format("{} bytes cannot be locked: {}", bytes,
                     std::generic_category().message(error));
}

// Locked pages cannot be taken back by anybody: not more of them than there is room for.
std::string Lock(PageRange pages, const MemorySupply& supply) {
  if (supply.free_bytes < pages.bytes) {
    return fmt::format("{} MiB are to be locked, and {} MiB are free", pages.bytes >> 20,
                       supply.free_bytes >> 20);
  }
  if (mlock(pages.begin, pages.bytes) == 0) return {};
  const int error = errno;
  munlock(pages.begin, pages.bytes);  // a part may be
  return WhyNotLocked(error, pages.bytes);
}

Result<ResidentMapping> Locked(std::unique_ptr<Mapping> mapping, const std::function<bool()>& go_on,
                               const MemorySupply& supply) {
  LARDER_TRY(ReadIn(*mapping, go_on));
  std::string shortfall = Lock(PagesOf(mapping->bytes()), supply);
  const Residency reached = shortfall.empty() ? Residency::kLocked : Residency::kPopulated;
  return ResidentMapping{
      .mapping = std::move(mapping), .reached = reached, .shortfall = std::move(shortfall)};
}

}  // namespace

std::string_view ResidencyName(Residency residency) {
  switch (residency) {
    case Residency::kMapped:
      return "mapped";
    case Residency::kPopulated:
      return "populated";
    case Residency::kHuge:
      return "huge";
    case Residency::kLocked:
      return "locked";
  }
  return "mapped";
}

MemorySupply AskForMemory() {
  constexpr uint64_t kKibibyte = 1024;
  const uint64_t machine =
      NumberAfter(ReadSmall("/proc/meminfo"), "MemAvailable:", UINT64_MAX / kKibibyte) * kKibibyte;
  const std::string huge = ReadSmall("/sys/kernel/mm/transparent_hugepage/enabled");
  return {.free_bytes = std::min(machine, FreeInAllGroups()),
          .huge_pages = !huge.empty() && huge.find("[never]") == std::string::npos};
}

Result<ResidentMapping> MakeResident(std::unique_ptr<Mapping> mapping, Residency wanted,
                                     const std::function<bool()>& go_on,
                                     const MemorySupply& supply) {
  switch (wanted) {
    case Residency::kMapped:
      break;
    case Residency::kPopulated:
      LARDER_TRY(ReadIn(*mapping, go_on));
      return ResidentMapping{.mapping = std::move(mapping), .reached = Residency::kPopulated};
    case Residency::kHuge:
      return Copied(std::move(mapping), go_on, supply);
    case Residency::kLocked:
      return Locked(std::move(mapping), go_on, supply);
  }
  return ResidentMapping{.mapping = std::move(mapping)};
}

}  // namespace larder::io

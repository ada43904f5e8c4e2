#include "io/mapped_regions.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace larder::io {

namespace {

struct Slot {
  // Even: begin and end belong together. Odd: they are being changed, or the slot is free and
  // somebody is about to take it.
  std::atomic<uint64_t> sequence{0};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};  // 0: free
  std::atomic<bool> taken{false};
  std::atomic<bool> writable{false};
  std::atomic<bool> damaged{false};
  std::atomic<uint32_t> lost_pages{0};
};

constexpr uint32_t kMostLostPages = 256;

static_assert(std::atomic<uint64_t>::is_always_lock_free);

std::array<Slot, kMaxMappedRegions> slots;
struct sigaction previous_action;
std::atomic<uintptr_t> page_bytes{4096};

void SetBounds(Slot& slot, uintptr_t begin, uintptr_t end) {
  slot.sequence.fetch_add(1);
  slot.begin.store(begin);
  slot.end.store(end);
  slot.sequence.fetch_add(1);
}

// The slot whose mapping holds the address. A slot that changes meanwhile is another mapping's:
// the one that faulted is being read, so it is not being unregistered.
Slot* FindSlot(uintptr_t address) {
  for (Slot& slot : slots) {
    const uint64_t before = slot.sequence.load();
    const uintptr_t begin = slot.begin.load();
    const uintptr_t end = slot.end.load();
    if (before % 2 != 0 || slot.sequence.load() != before) continue;
    if (begin <= address && address < end) return &slot;
  }
  return nullptr;
}

// The bare system call: the C library does not promise mmap to signal handlers, and the thread
// sanitizer would take its wrapper for a write that races with every reader of the page.
bool ReplaceByZeros(uintptr_t begin, uintptr_t bytes, bool writable) {
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const int64_t mapped =
      syscall(SYS_mmap, begin, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  return mapped != -1;
}

// The page alone; but once a region has lost many, all of it. Each page alone may cost two of the
// mappings that a process may have (vm.max_map_count, 65,530 by default), and without one left the
// next page could not be replaced.
bool ReplacePage(Slot& slot, uintptr_t address) {
  const uintptr_t page = page_bytes.load();
  const bool writable = slot.writable.load();
  if (slot.lost_pages.fetch_add(1) < kMostLostPages) {
    return ReplaceByZeros(address / page * page, page, writable);
  }
  const uintptr_t begin = slot.begin.load();
  return ReplaceByZeros(begin, slot.end.load() - begin, writable);
}

// Only what is safe in a signal handler: atomics and system calls.
void PassOn(int signal_number, siginfo_t* info, void* context) {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal_number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal_number);
  } else {
    // The instruction that faulted runs again, and the default action ends the process.
    struct sigaction by_default = {};
    by_default.sa_handler = SIG_DFL;
    sigaction(SIGBUS, &by_default, nullptr);
    if (info->si_code <= 0) raise(SIGBUS);  // sent by kill(): nothing will fault again
  }
}

void OnBusError(int signal_number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  // A signal that kill() sent has no address; si_code is positive only for real faults.
  Slot* const slot = info->si_code > 0 ? FindSlot(address) : nullptr;
  // Damaged first: no other thread may read the zeros and see a sound mapping.
  if (slot != nullptr) slot->damaged.store(true);
  if (slot == nullptr || !ReplacePage(*slot, address)) PassOn(signal_number, info, context);
  errno = saved_errno;
}

void InstallHandler() {
  page_bytes.store(static_cast<uintptr_t>(sysconf(_SC_PAGESIZE)));
  struct sigaction action = {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous_action);
}

}  // namespace

Result<void> MappedRegion::Register(const void* begin, size_t bytes, bool writable) {
  static std::once_flag installed;
  std::call_once(installed, InstallHandler);
  for (size_t number = 0; number < slots.size(); ++number) {
    Slot& slot = slots[number];
    if (slot.taken.exchange(true)) continue;
    const auto first = reinterpret_cast<uintptr_t>(begin);
    slot.writable.store(writable);
    slot.damaged.store(false);
    slot.lost_pages.store(0);
    SetBounds(slot, first, first + bytes);
    slot_ = number;
    return {};
  }
  return Fail(ErrorCode::kLimit, fmt::format("more than {} mappings at once", kMaxMappedRegions));
}

void MappedRegion::Move(const void* begin, size_t bytes) {
  if (slot_ == kNone) return;
  const auto first = reinterpret_cast<uintptr_t>(begin);
  SetBounds(slots[slot_], first, first + bytes);
}

MappedRegion::~MappedRegion() {
  if (slot_ == kNone) return;
  SetBounds(slots[slot_], 0, 0);
  slots[slot_].taken.store(false);
}

bool MappedRegion::damaged() const {
  // What the caller has read was read before this: it asks whether that may have been zeros.
  // (The thread sanitizer knows no fences; gcc refuses to compile them for it.)
#ifndef __SANITIZE_THREAD__
  std::atomic_thread_fence(std::memory_order_acquire);
#endif
  return slot_ != kNone && slots[slot_].damaged.load(std::memory_order_relaxed);
}

}  // namespace larder::io

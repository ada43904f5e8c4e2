// Control: the page of memory that the processes of one log share.
// Format: docs/formats/log.md, "Control"
//
// Threads:    all members from any thread and process, but Begin, which is the writer's.
// Durability: none; everything in it can be found out again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "io/file_system.h"
#include "log/format.h"

namespace larder::log {

enum class ControlState : uint32_t { kInUse = 0, kClosed = 1, kSyncFailed = 2 };

class Control {
 public:
  static Result<std::unique_ptr<Control>> Open(io::FileSystem& files, const std::string& path);

  // Whether it was written by this log's processes since the machine's last start.
  bool Trusted(const LogId& id, uint64_t boot) const;

  // Makes it that of this log; what it said before is gone. Numbers first, the magic last.
  void Begin(const LogId& id, uint64_t boot, uint64_t oldest, uint64_t committed, uint64_t synced);

  ControlState state() const;
  void set_state(ControlState state);

  // What has been written before a number is set is seen by whoever has read that number.
  uint64_t committed() const { return Number(control_at::kCommitted).load(kAcquire); }
  uint64_t synced() const { return Number(control_at::kSynced).load(kAcquire); }
  uint64_t oldest() const { return Number(control_at::kOldest).load(kAcquire); }
  uint32_t segment_changes() const { return Count(control_at::kSegmentChanges).load(kAcquire); }
  void set_committed(uint64_t number) { Number(control_at::kCommitted).store(number, kRelease); }
  void set_synced(uint64_t number) { Number(control_at::kSynced).store(number, kRelease); }
  void set_oldest(uint64_t number) { Number(control_at::kOldest).store(number, kRelease); }
  void NoteSegmentChange() { Count(control_at::kSegmentChanges).fetch_add(1, kRelease); }

 private:
  static constexpr auto kAcquire = std::memory_order_acquire;
  static constexpr auto kRelease = std::memory_order_release;

  explicit Control(std::unique_ptr<io::SharedMemory> memory) : memory_(std::move(memory)) {}
  char* At(uint64_t at) const { return memory_->data() + at; }
  std::atomic_ref<uint64_t> Number(uint64_t at) const {
    return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(At(at)));
  }
  std::atomic_ref<uint32_t> Count(uint64_t at) const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(At(at)));
  }

  std::unique_ptr<io::SharedMemory> memory_;
};

}  // namespace larder::log

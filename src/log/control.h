// Control: the page of memory that the processes of one log share.
// Format: docs/formats/log.md, "Control"
//
// Threads:    all members from any thread and process; what "in a turn" says only by whose turn it
//             is.
// Durability: none; everything in it can be found out again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "io/file_system.h"
#include "log/format.h"

namespace larder::log {

enum class ControlState : uint32_t { kInUse = 0, kClosed = 1, kSyncFailed = 2 };

// Where the log ends.
struct LogEnd {
  uint64_t segment = 0;  // NUMBER of the last one; 0: none
  uint64_t end = 0;      // where its next batch begins
  uint64_t committed = 0;
};

class Control {
 public:
  static Result<std::unique_ptr<Control>> Open(io::FileSystem& files, const std::string& path);

  // Whether it was written by this log's processes since the machine's last start.
  bool Trusted(const LogId& id, uint64_t boot) const;

  // In a turn: makes it that of this log; what it said before is gone.
  void Begin(const LogId& id, uint64_t boot, uint64_t reserved, uint64_t synced, const LogEnd& end);

  ControlState state() const;
  void set_state(ControlState state);

  // What has been written before a number is set is seen by whoever has read that number.
  uint64_t committed() const { return Number(control_at::kCommitted).load(kAcquire); }
  uint64_t synced() const { return Number(control_at::kSynced).load(kAcquire); }
  uint64_t reserved() const { return Number(control_at::kReserved).load(kAcquire); }
  uint32_t segment_changes() const { return Count(control_at::kSegmentChanges).load(kAcquire); }
  uint32_t recoveries() const { return Count(control_at::kRecoveries).load(kAcquire); }
  // It only grows, whoever is first.
  void RaiseSynced(uint64_t number);
  void set_reserved(uint64_t number) { Number(control_at::kReserved).store(number, kRelease); }
  // In a turn: what other writers know of the last segment is not right any more.
  void NoteRecovery() { Count(control_at::kRecoveries).fetch_add(1, kRelease); }
  void NoteSegmentChange() { Count(control_at::kSegmentChanges).fetch_add(1, kRelease); }

  // In a turn: an append, between the first byte that it writes and its commit.
  void BeginAppend() {
    Count(control_at::kAppending).store(1, kRelease);
    // A kill leaves what was stored before it, in the order of the program.
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  bool appending() const { return Count(control_at::kAppending).load(kAcquire) != 0; }
  // See Reader::Decided.
  std::optional<uint32_t> Decided(const LogId& id, uint64_t boot) const;
  LogEnd end() const;
  // Commits, and wakes who waits for it.
  void EndAppend(const LogEnd& end);
  // The append has written nothing.
  void CancelAppend() { Count(control_at::kAppending).store(0, kRelease); }

  // Wakes who sleeps. Cost: a load when nobody does.
  void Announce();
  // To wait: PrepareToSleep, then look whether what one waits for is there, then Sleep.
  uint32_t PrepareToSleep();
  // May return early, and does after a second.
  void Sleep(uint32_t prepared, std::chrono::steady_clock::time_point deadline);

 private:
  static constexpr auto kAcquire = std::memory_order_acquire;
  static constexpr auto kRelease = std::memory_order_release;

  explicit Control(std::unique_ptr<io::SharedMemory> memory)
      : memory_(std::move(memory)), begin_(memory_->data()) {}
  void Commit(const LogEnd& end);
  void WakeAll();
  char* At(uint64_t at) const { return begin_ + at; }
  uint32_t& Word(uint64_t at) const { return *reinterpret_cast<uint32_t*>(At(at)); }
  std::atomic_ref<uint64_t> Number(uint64_t at) const {
    return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(At(at)));
  }
  std::atomic_ref<uint32_t> Count(uint64_t at) const { return std::atomic_ref<uint32_t>(Word(at)); }

  const std::unique_ptr<io::SharedMemory> memory_;
  char* const begin_;
};

}  // namespace larder::log

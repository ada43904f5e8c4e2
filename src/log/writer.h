// Writer: appends to a log, for one process at a time, or for many that take turns.
// Format: docs/formats/log.md
//
// Open recovers: a torn tail is cut, what a failed sync left in doubt is copied and synced, damage
// to what was safe is an error that changes nothing.
//
// Threads:    all members from any thread. Appends go one by one; with SyncPolicy::kAlways those
//             that wait share one sync. The thread that has a Turn uses only the Turn until it
//             ends.
// Processes:  with Writers::kShared any of them may be killed at any instant: the kernel gives its
//             turn to the next, who cuts what it left half done.
// Errors:     kBusy (another process appends: which), kCorrupt (segment, offset and number, and
//             what to do), kLimit (a record or batch too large, too many segments), kNoSpace and
//             others of the file system. After a failed write or sync every later Append and Sync
//             fails with that error: reopening recovers. A full disk is no such failure: the next
//             Append may find space.
// Durability: an append that has returned survives
//
//               policy     a process kill   a power cut
//               kNever     yes              perhaps
//               kInterval  yes              once sync_interval has passed, or sync_bytes
//               kAlways    yes              yes
//
//             and Sync makes it yes for all appends before it. Of a batch all survives or nothing.
//             An append that has failed may be there after all when the log is opened again. The
//             number of a lost record is never given to another.
// Cost:       one copy and two checksums a record, no system call but at the ends of allocations
//             (kNever), one shared fdatasync (kAlways).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "io/file_system.h"
#include "log/options.h"

namespace larder::log {

// What Open met.
struct Recovery {
  std::string segment;           // the last one's file name; "" for a new log
  uint64_t cut_bytes = 0;        // of a torn tail
  uint64_t cut_batches = 0;      // whole ones behind a hole, among them
  uint64_t copied_batches = 0;   // into a new segment after a failed sync
  uint64_t skipped_numbers = 0;  // reserved before a power cut, and lost
};

class Writer {
 public:
  static Result<std::unique_ptr<Writer>> Open(io::FileSystem& files, const Options& options);
  virtual ~Writer() = default;  // closes; what Close would have said is logged

  // All of them or none, in order; returns the number of the last. An empty batch is
  // kInvalidArgument.
  Result<uint64_t> Append(std::span<const std::string_view> records,
                          RecordKind kind = RecordKind::kPlain);
  Result<uint64_t> Append(std::string_view record) { return Append({&record, 1}); }

  // While it lasts, no other thread or process appends: what is read and appended meanwhile is one
  // step. What it appends is what the policy promises once Settle has returned.
  class Turn {
   public:
    Turn(Turn&& other) noexcept : writer_(std::exchange(other.writer_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() { End(); }
    void End() {
      if (writer_ != nullptr) std::exchange(writer_, nullptr)->EndTurn();
    }
    Result<uint64_t> Append(std::span<const std::string_view> records,
                            RecordKind kind = RecordKind::kPlain) {
      return writer_->AppendInTurn(records, kind);
    }
    Result<uint64_t> Append(std::string_view record) { return Append({&record, 1}); }
    // As Writer::Sync, without an end of the turn.
    Result<void> Sync() { return writer_->SyncInTurn(); }
    // Begins a new segment.
    Result<void> Rotate() { return writer_->RotateInTurn(); }
    // The last number that was given out, or passed over; the next record's is above it.
    uint64_t last_number() { return writer_->LastNumber(); }

   private:
    friend class Writer;
    explicit Turn(Writer* writer) : writer_(writer) {}
    Writer* writer_;
  };
  Result<Turn> BeginTurn();
  // Returns when `number` is as safe as the policy says of an append that has returned.
  virtual Result<void> Settle(uint64_t number) = 0;

  // Returns when everything appended before the call is on the disk.
  virtual Result<void> Sync() = 0;
  Result<void> Rotate();
  // Removes whole segments all of whose records are below `number`; the last one stays.
  virtual Result<void> RemoveBefore(uint64_t number) = 0;
  // Syncs, and lets the next Open go on at once.
  virtual Result<void> Close() = 0;

  virtual uint64_t committed() const = 0;  // the last that can be read; 0 if none
  virtual uint64_t synced() const = 0;     // the last known to be on the disk
  virtual const Recovery& recovery() const = 0;

 private:
  virtual Result<void> TakeTurn() = 0;
  virtual void EndTurn() = 0;
  virtual Result<uint64_t> AppendInTurn(std::span<const std::string_view> records,
                                        RecordKind kind) = 0;
  virtual Result<void> SyncInTurn() = 0;
  virtual Result<void> RotateInTurn() = 0;
  virtual uint64_t LastNumber() = 0;
};

}  // namespace larder::log

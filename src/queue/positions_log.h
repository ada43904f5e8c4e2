// PositionsLog: the positions of a queue, as all processes that use the queue agree on them.
// Format: docs/formats/queue.md, "Positions" and "Compaction"
//
// A change is made in a Step, in which no other thread or process makes one:
//
//   LARDER_ASSIGN(PositionsLog::Step step, positions.Begin());
//   const uint64_t number = step.state().Front(1);           // whatever others took is known
//   LARDER_TRY(step.Commit(Delete{.ranges = {{number, number}}}));
//   LARDER_TRY(positions.Settle(step.End()));
//
// Threads:    all members from any thread; a Step by one at a time. The thread that has a Step uses
//             nothing else of its PositionsLog until it has ended.
// Errors:     those of log::Writer and log::Reader. A Commit that fails has changed nothing in
//             memory. After kNoSpace and kLimit the next may succeed; after any other error of the
//             log, and after a change that is damaged (kCorrupt) or of a newer Larder
//             (kUnsupported), everything fails with it: reopening recovers.
// Durability: a change that was committed is seen by all and survives a process kill at once; a
//             power cut, once Settle has returned, as the sync policy says (log/writer.h). After a
//             crash the state is the one behind some change, and all before that were made.
// Cost:       memory: that of Positions. A Step: the turn's two system calls (none without locking)
//             and an append. Now and then an End writes the whole state, so that neither the files
//             nor Open grow with what has been done; Settle then removes what came before.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "log/options.h"
#include "log/reader.h"
#include "log/writer.h"
#include "queue/changes.h"
#include "queue/positions.h"

namespace larder::queue {

inline constexpr std::string_view kPositionsSuffix = ".positions";

struct PositionsOptions {
  std::string directory;
  std::string prefix = "queue";  // of the records
  log::SyncPolicy sync = log::SyncPolicy::kInterval;
  std::chrono::milliseconds sync_interval{100};
  bool locking = true;  // off: no other process uses the queue

  // For tests: a checkpoint is due when more was appended, and more than twice the last one.
  uint64_t compact_bytes = uint64_t{1} << 20;
  uint64_t segment_bytes = uint64_t{4} << 20;
};

class PositionsLog {
 public:
  static Result<std::unique_ptr<PositionsLog>> Open(io::FileSystem& files,
                                                    const PositionsOptions& options);
  PositionsLog(const PositionsLog&) = delete;
  PositionsLog& operator=(const PositionsLog&) = delete;

  class Step {
   public:
    Step(Step&& other) noexcept
        : positions_(std::exchange(other.positions_, nullptr)),
          turn_(std::move(other.turn_)),
          last_(other.last_) {}
    Step& operator=(Step&&) = delete;
    ~Step() { End(); }

    const Positions& state() const;
    // One that does not fit the state is kInternal.
    Result<void> Commit(const Change& change);
    // What was committed, by whomever, is on the disk.
    Result<void> Sync();
    // Lets others go on. Returns what Settle takes: 0 when nothing was committed.
    uint64_t End();

   private:
    friend class PositionsLog;
    Step(PositionsLog* positions, log::Writer::Turn turn)
        : positions_(positions), turn_(std::move(turn)) {}

    PositionsLog* positions_;
    log::Writer::Turn turn_;
    uint64_t last_ = 0;
  };
  Result<Step> Begin();
  Result<void> Settle(uint64_t number);

  // Takes notice of what others have done, without waiting for them.
  Result<void> Refresh();
  // The same, and calls `look` with the state, which stays as it is meanwhile.
  template <typename Call>
  Result<void> Look(Call&& look) {
    const MutexLock lock(mutex_);
    LARDER_TRY(CatchUp());
    std::forward<Call>(look)(static_cast<const Positions&>(state_));
    return {};
  }

  // To wait until others change something, or `deadline`: Prepare, look, then Wait. It may return
  // early. Interrupt ends all waits, those to come too.
  Result<uint32_t> PrepareToWait() { return reader_->PrepareToWait(); }
  Result<void> Wait(uint32_t prepared, std::chrono::steady_clock::time_point deadline) {
    return reader_->Wait(prepared, deadline);
  }
  void Interrupt() { reader_->Interrupt(); }

  // Everything committed before the call is on the disk.
  Result<void> Sync();
  Result<void> Close();

  Result<uint64_t> Bytes();  // of the files
  const log::Recovery& recovery() const { return writer_->recovery(); }

 private:
  PositionsLog(const PositionsOptions& options, std::unique_ptr<log::Writer> writer,
               std::unique_ptr<log::Reader> reader);

  Result<void> Load();
  Result<void> CatchUp() LARDER_REQUIRES(mutex_);
  Result<void> ApplyRecord(const log::Record& record) LARDER_REQUIRES(mutex_);
  Result<uint64_t> CommitInTurn(log::Writer::Turn& turn, const Change& change)
      LARDER_REQUIRES(mutex_);
  void CompactInTurn(log::Writer::Turn& turn) LARDER_REQUIRES(mutex_);
  Result<void> AppendCheckpoint(log::Writer::Turn& turn) LARDER_REQUIRES(mutex_);
  void NoteCheckpoint(uint64_t bytes) LARDER_REQUIRES(mutex_);
  std::unexpected<Error> FailForGood(const Error& error) LARDER_REQUIRES(mutex_);
  std::unexpected<Error> NoteFailure(const Error& error);
  void RemoveForgotten();
  Result<void> RemoveSegmentsBefore(uint64_t checkpoint);

  const PositionsOptions options_;
  const std::string name_;  // for messages
  const std::unique_ptr<log::Writer> writer_;
  const std::unique_ptr<log::Reader> reader_;

  // Taken after the writer's turn, where both are.
  Mutex mutex_;
  Positions state_ LARDER_GUARDED_BY(mutex_);
  uint64_t applied_ LARDER_GUARDED_BY(mutex_) = 0;  // the last number of the log that is in state_
  bool loaded_ LARDER_GUARDED_BY(mutex_) = false;
  uint64_t since_checkpoint_ LARDER_GUARDED_BY(mutex_) = 0;  // bytes
  uint64_t compact_above_ LARDER_GUARDED_BY(mutex_);
  // The number of a checkpoint before which segments may still be there; 0: none.
  uint64_t remove_before_ LARDER_GUARDED_BY(mutex_) = 0;
  std::string encoded_ LARDER_GUARDED_BY(mutex_);
  std::optional<Error> failure_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::queue

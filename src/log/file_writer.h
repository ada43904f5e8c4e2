// FileWriter: the Writer that there is, in two parts: file_writer.cc takes turns and appends,
// file_writer_sync.cc syncs and closes.
//
// Threads, errors, durability: log/writer.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"
#include "log/batch.h"
#include "log/control.h"
#include "log/group_commit.h"
#include "log/locks.h"
#include "log/open_segment.h"
#include "log/recovery.h"
#include "log/writer.h"

namespace larder::log {

class FileWriter final : public Writer {
 public:
  FileWriter(io::FileSystem& files, const Options& options, Locks locks,
             std::unique_ptr<Control> control, uint64_t boot)
      : files_(files),
        options_(options),
        boot_(boot),
        control_(std::move(control)),
        locks_(std::move(locks)) {}
  ~FileWriter() override;

  Result<void> Begin();

  Result<void> Settle(uint64_t number) override;
  Result<void> Sync() override;
  Result<void> RemoveBefore(uint64_t number) override;
  Result<void> Close() override;

  uint64_t committed() const override { return control_->committed(); }
  uint64_t synced() const override { return control_->synced(); }
  const Recovery& recovery() const override { return recovery_; }

 private:
  bool shared() const { return options_.writers == Writers::kShared; }

  // A turn is mutex_ and, of shared writers, the turn lock. It is begun and ended by different
  // members, which the analysis of locks cannot follow.
  Result<void> TakeTurn() override LARDER_NO_THREAD_SAFETY_ANALYSIS;
  void EndTurn() override LARDER_NO_THREAD_SAFETY_ANALYSIS;
  Result<uint64_t> AppendInTurn(std::span<const std::string_view> records,
                                RecordKind kind) override LARDER_NO_THREAD_SAFETY_ANALYSIS;
  Result<void> SyncInTurn() override LARDER_NO_THREAD_SAFETY_ANALYSIS;
  Result<void> RotateInTurn() override LARDER_NO_THREAD_SAFETY_ANALYSIS;
  uint64_t LastNumber() override LARDER_NO_THREAD_SAFETY_ANALYSIS { return next_number_ - 1; }

  Result<void> CatchUp() LARDER_REQUIRES(mutex_);
  bool TakeOver() LARDER_REQUIRES(mutex_);
  Result<void> RecoverLog() LARDER_REQUIRES(mutex_);
  Result<void> MoveTo(const LogEnd& end, bool anew) LARDER_REQUIRES(mutex_);
  Result<void> CheckUsable() const LARDER_REQUIRES(mutex_);
  Result<void> AppendBatch(std::span<const std::string_view> records, RecordKind kind)
      LARDER_REQUIRES(mutex_);
  void GiveUpAppend() LARDER_REQUIRES(mutex_);
  void LetGo() LARDER_REQUIRES(mutex_);
  Result<void> BeginSegment(int64_t now_ms, RecordKind next = RecordKind::kPlain)
      LARDER_REQUIRES(mutex_);
  Result<void> BeginSegmentFor(RecordKind next, int64_t now_ms) LARDER_REQUIRES(mutex_);
  Result<void> CheckSegments() const LARDER_REQUIRES(mutex_);
  Result<void> SealLast() LARDER_REQUIRES(mutex_);
  Result<void> Reserve(uint64_t last) LARDER_REQUIRES(mutex_);
  Result<void> GiveBackNumbers();
  Result<void> CloseInTurn() LARDER_NO_THREAD_SAFETY_ANALYSIS;
  Result<void> SyncUpTo(uint64_t number) LARDER_EXCLUDES(mutex_);
  Result<void> SyncForAll() LARDER_EXCLUDES(mutex_);
  void Gather(uint64_t round) const;
  void NoteAllSynced() LARDER_REQUIRES(mutex_);
  Result<void> CheckOthersSynced() const;
  bool IsFull(uint64_t more_bytes, int64_t now_ms) const LARDER_REQUIRES(mutex_);
  bool Excludes(RecordKind kind) const LARDER_REQUIRES(mutex_);
  LogEnd End(uint64_t committed) const LARDER_REQUIRES(mutex_);
  // From now on every append and sync fails with this.
  std::unexpected<Error> FailForGood(const Error& error) LARDER_REQUIRES(mutex_);
  void SyncAtIntervals();
  void SyncWhatIsThere();
  void EndSyncThread();

  io::FileSystem& files_;
  const Options options_;
  const uint64_t boot_;
  const std::unique_ptr<Control> control_;
  Recovery recovery_;

  mutable Mutex mutex_;
  Locks locks_ LARDER_GUARDED_BY(mutex_);  // until it is closed
  Numbers numbers_ LARDER_GUARDED_BY(mutex_);
  // Shared with whoever syncs it while others append.
  std::shared_ptr<OpenSegment> last_ LARDER_GUARDED_BY(mutex_);
  BatchEncoder encoder_ LARDER_GUARDED_BY(mutex_);
  uint64_t committed_ LARDER_GUARDED_BY(mutex_) = 0;  // of last_, or before it
  uint64_t next_number_ LARDER_GUARDED_BY(mutex_) = 1;
  uint32_t recoveries_ LARDER_GUARDED_BY(mutex_) = 0;  // that this writer knows of
  uint64_t unsynced_bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  GroupCommit group_ LARDER_GUARDED_BY(mutex_);
  std::atomic<uint64_t> gathered_ = 0;                    // appends since a sync began
  uint64_t round_appends_ LARDER_GUARDED_BY(mutex_) = 0;  // that the last one was for
  bool closed_ LARDER_GUARDED_BY(mutex_) = true;
  std::optional<Error> failure_ LARDER_GUARDED_BY(mutex_);

  // What the thread that syncs is told. Not by mutex_: who appends all the time has that again
  // before a thread that waits for it is awake, and wakes it in vain each time.
  struct Written {
    std::shared_ptr<OpenSegment> segment;
    OpenSegment::Bytes bytes;
  };
  Mutex told_mutex_;
  CondVar told_;
  std::optional<Written> let_go_ LARDER_GUARDED_BY(told_mutex_);
  bool sync_wanted_ LARDER_GUARDED_BY(told_mutex_) = false;
  bool ending_ LARDER_GUARDED_BY(told_mutex_) = false;
  std::thread sync_thread_;
};

}  // namespace larder::log

#include "log/writer.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "log/control.h"
#include "log/open_segment.h"
#include "log/recovery.h"

namespace larder::log {

namespace {

int64_t NowMs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

class FileWriter final : public Writer {
 public:
  FileWriter(io::FileSystem& files, const Options& options, std::unique_ptr<io::FileLock> lock,
             std::unique_ptr<Control> control, uint64_t boot)
      : files_(files),
        options_(options),
        boot_(boot),
        lock_(std::move(lock)),
        control_(std::move(control)) {}
  ~FileWriter() override;

  Result<void> Begin();

  Result<uint64_t> Append(std::span<const std::string_view> records) override;
  Result<void> Sync() override;
  Result<void> Rotate() override;
  Result<void> RemoveBefore(uint64_t number) override;
  Result<void> Close() override;

  uint64_t oldest() const override { return control_->oldest(); }
  uint64_t committed() const override { return control_->committed(); }
  uint64_t synced() const override { return control_->synced(); }
  const Recovery& recovery() const override { return recovery_; }

 private:
  Result<void> CheckUsable() const LARDER_REQUIRES(mutex_);
  Result<void> BeginSegment(int64_t now_ms) LARDER_REQUIRES(mutex_);
  Result<void> SealLast() LARDER_REQUIRES(mutex_);
  Result<void> Reserve(uint64_t last) LARDER_REQUIRES(mutex_);
  Result<void> SyncUpTo(uint64_t number) LARDER_REQUIRES(mutex_);
  void NoteSynced(uint64_t number) LARDER_REQUIRES(mutex_);
  bool IsFull(uint64_t more_bytes, int64_t now_ms) const LARDER_REQUIRES(mutex_);
  // From now on every append and sync fails with this.
  std::unexpected<Error> FailForGood(const Error& error) LARDER_REQUIRES(mutex_);
  void SyncAtIntervals();
  void EndSyncThread();

  io::FileSystem& files_;
  const Options options_;
  const uint64_t boot_;
  const std::unique_ptr<io::FileLock> lock_;
  const std::unique_ptr<Control> control_;
  Recovery recovery_;

  mutable Mutex mutex_;
  Numbers numbers_ LARDER_GUARDED_BY(mutex_);
  std::vector<uint64_t> segments_ LARDER_GUARDED_BY(mutex_);
  // Shared with whoever syncs it while others append.
  std::shared_ptr<OpenSegment> last_ LARDER_GUARDED_BY(mutex_);
  BatchEncoder encoder_ LARDER_GUARDED_BY(mutex_);
  uint64_t next_number_ LARDER_GUARDED_BY(mutex_) = 1;
  uint64_t unsynced_bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  bool syncing_ LARDER_GUARDED_BY(mutex_) = false;
  bool ending_ LARDER_GUARDED_BY(mutex_) = false;  // the thread that syncs
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::optional<Error> failure_ LARDER_GUARDED_BY(mutex_);
  CondVar synced_changed_;
  CondVar sync_wanted_;
  std::thread sync_thread_;
};

FileWriter::~FileWriter() {
  if (const auto closed = Close(); !closed)
    LogError(fmt::format("log {}/{}: {}", options_.directory, options_.prefix,
                         closed.error().message()));
}

Result<void> FileWriter::Begin() {
  {
    const MutexLock lock(mutex_);
    LARDER_ASSIGN(RecoveredLog recovered, Recover(files_, options_, *control_, boot_));
    numbers_ = recovered.numbers;
    segments_ = std::move(recovered.segments);
    last_ = std::move(recovered.last);
    next_number_ = recovered.next_number;
    recovery_ = std::move(recovered.report);
    const uint64_t oldest = segments_.empty() ? next_number_ : segments_[0];
    // Recovery has synced what it found.
    control_->Begin(numbers_.id, boot_, oldest, recovered.committed, recovered.committed);
  }
  if (options_.sync == SyncPolicy::kInterval)
    sync_thread_ = std::thread([this] { SyncAtIntervals(); });
  return {};
}

std::unexpected<Error> FileWriter::FailForGood(const Error& error) {
  if (!failure_) {
    failure_ = Error(error.code(),
                     fmt::format("the log takes no more: {}. Reopening it recovers what is safe",
                                 error.message()));
  }
  control_->set_state(ControlState::kSyncFailed);
  synced_changed_.NotifyAll();
  return std::unexpected(*failure_);
}

Result<void> FileWriter::CheckUsable() const {
  if (failure_) return std::unexpected(*failure_);
  if (closed_) return Fail(ErrorCode::kInvalidArgument, "the log is closed");
  return {};
}

bool FileWriter::IsFull(uint64_t more_bytes, int64_t now_ms) const {
  if (last_ == nullptr || last_->head().first_number + last_->records() != next_number_)
    return true;
  if (last_->records() == 0) return false;
  if (last_->end() + more_bytes > options_.segment_bytes) return true;
  if (options_.segment_records != 0 && last_->records() >= options_.segment_records) return true;
  return options_.segment_age.count() != 0 &&
         now_ms - last_->head().made_at_ms >= options_.segment_age.count();
}

// The segment before is safe before its successor exists.
Result<void> FileWriter::SealLast() {
  if (last_ == nullptr) return {};
  while (syncing_) synced_changed_.Wait(mutex_);
  LARDER_TRY(CheckUsable());
  if (const auto sealed = last_->Seal(); !sealed) return FailForGood(sealed.error());
  NoteSynced(control_->committed());
  return {};
}

Result<void> FileWriter::BeginSegment(int64_t now_ms) {
  LARDER_TRY(SealLast());
  const SegmentHead head{.id = numbers_.id,
                         .first_number = next_number_,
                         .made_at_ms = now_ms,
                         .last_before = control_->committed()};
  auto begun = OpenSegment::Create(files_, options_.directory, options_.prefix, head,
                                   options_.segment_bytes);
  if (!begun) return FailForGood(begun.error());
  last_ = *std::move(begun);
  segments_.push_back(head.first_number);
  if (segments_.size() == 1) control_->set_oldest(head.first_number);
  control_->NoteSegmentChange();
  return {};
}

// A number that a reader may have seen must not be given out again after a power cut.
Result<void> FileWriter::Reserve(uint64_t last) {
  if (last <= numbers_.reserved && numbers_.boot == boot_) return {};
  Numbers numbers = numbers_;
  numbers.boot = boot_;
  numbers.synced = control_->synced();
  numbers.reserved = std::max(numbers_.reserved, last + kNumbersReservedAhead);
  LARDER_TRY(PublishNumbers(files_, options_, numbers));
  numbers_ = numbers;
  return {};
}

Result<uint64_t> FileWriter::Append(std::span<const std::string_view> records) {
  if (records.empty()) return Fail(ErrorCode::kInvalidArgument, "an empty batch of records");
  const uint64_t bytes = BatchBytes(records);
  if (bytes > kMaxBatchBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("a batch of {} bytes, at most {}", bytes, kMaxBatchBytes));
  }
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckUsable());
  const int64_t now_ms = NowMs();
  const uint64_t last = next_number_ + records.size() - 1;
  LARDER_TRY(Reserve(last));
  if (IsFull(bytes, now_ms)) LARDER_TRY(BeginSegment(now_ms));
  const std::string_view batch =
      encoder_.Encode(records, next_number_, now_ms, control_->synced(),
                      {.segment_key = last_->head().key(), .offset = last_->end()});
  LARDER_TRY(last_->MakeRoom(batch.size(), encoder_.index_entries().size()));
  if (const auto appended = last_->Append(batch, encoder_.index_entries()); !appended)
    return FailForGood(appended.error());
  next_number_ = last + 1;
  unsynced_bytes_ += batch.size();
  control_->set_committed(last);
  if (options_.sync == SyncPolicy::kAlways) LARDER_TRY(SyncUpTo(last));
  if (options_.sync == SyncPolicy::kInterval && unsynced_bytes_ >= options_.sync_bytes)
    sync_wanted_.NotifyOne();
  return last;
}

// One thread syncs for all that wait; those that append meanwhile are of the next round.
Result<void> FileWriter::SyncUpTo(uint64_t number) {
  while (control_->synced() < number) {
    if (failure_) return std::unexpected(*failure_);
    if (syncing_) {
      synced_changed_.Wait(mutex_);
      continue;
    }
    syncing_ = true;
    const uint64_t target = control_->committed();
    const std::shared_ptr<OpenSegment> segment = last_;
    unsynced_bytes_ = 0;
    mutex_.Unlock();
    const auto synced = segment->Sync();
    mutex_.Lock();
    syncing_ = false;
    if (!synced) return FailForGood(synced.error());
    NoteSynced(target);
  }
  return {};
}

void FileWriter::NoteSynced(uint64_t number) {
  control_->set_synced(std::max(control_->synced(), number));
  synced_changed_.NotifyAll();
}

Result<void> FileWriter::Sync() {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckUsable());
  return SyncUpTo(control_->committed());
}

Result<void> FileWriter::Rotate() {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckUsable());
  if (last_ == nullptr || last_->records() == 0) return {};
  LARDER_TRY(Reserve(next_number_));
  return BeginSegment(NowMs());
}

Result<void> FileWriter::RemoveBefore(uint64_t number) {
  const MutexLock lock(mutex_);
  LARDER_TRY(CheckUsable());
  while (segments_.size() > 1 && segments_[1] <= number) {
    // Readers are told first: they must not look for what is about to go.
    control_->set_oldest(segments_[1]);
    control_->NoteSegmentChange();
    const uint64_t first = segments_[0];
    LARDER_TRY(files_.Remove(options_.directory + "/" + SegmentName(options_.prefix, first)));
    LARDER_TRY(files_.Remove(options_.directory + "/" + IndexName(options_.prefix, first)));
    segments_.erase(segments_.begin());
  }
  return {};
}

Result<void> FileWriter::Close() {
  EndSyncThread();
  const MutexLock lock(mutex_);
  if (closed_) return {};
  closed_ = true;
  if (failure_) return std::unexpected(*failure_);
  if (last_ == nullptr) return {};
  LARDER_TRY(SyncUpTo(control_->committed()));
  Numbers numbers = numbers_;
  numbers.boot = boot_;
  numbers.synced = control_->synced();
  numbers.reserved = next_number_ - 1;
  LARDER_TRY(PublishNumbers(files_, options_, numbers));
  control_->set_state(ControlState::kClosed);
  return {};
}

void FileWriter::SyncAtIntervals() {
  const MutexLock lock(mutex_);
  while (!ending_ && !failure_) {
    const auto deadline = std::chrono::steady_clock::now() + options_.sync_interval;
    while (!ending_ && unsynced_bytes_ < options_.sync_bytes) {
      if (!sync_wanted_.WaitUntil(mutex_, deadline)) break;
    }
    if (ending_ || failure_) return;
    // Whoever appends next is told of a failure.
    (void)SyncUpTo(control_->committed());
  }
}

void FileWriter::EndSyncThread() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    sync_wanted_.NotifyOne();
  }
  if (sync_thread_.joinable()) sync_thread_.join();
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(io::FileSystem& files, const Options& options) {
  LARDER_TRY(CheckPrefix(options.prefix));
  LARDER_TRY(files.MakeDirectories(options.directory));
  const std::string base = options.directory + "/";
  LARDER_ASSIGN(auto lock, files.Lock(base + LockName(options.prefix)));
  LARDER_ASSIGN(auto control, Control::Open(files, base + ControlName(options.prefix)));
  auto writer = std::make_unique<FileWriter>(files, options, std::move(lock), std::move(control),
                                             BootChecksum(files.BootId()));
  LARDER_TRY(writer->Begin());
  return writer;
}

}  // namespace larder::log

#include "log/writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/mutex.h"
#include "log/control.h"
#include "log/group_commit.h"
#include "log/locks.h"
#include "log/open_segment.h"
#include "log/recovery.h"

namespace larder::log {

namespace {

int64_t NowMs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// So much of what is written stays in this process's memory, and on the way to the disk undecided.
constexpr uint64_t kHeldBytes = uint64_t{2} << 20;

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
  Result<void> RotateInTurn(RecordKind next) override LARDER_NO_THREAD_SAFETY_ANALYSIS;
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
  Result<void> SyncForAll() LARDER_REQUIRES(mutex_);
  void Gather() LARDER_REQUIRES(mutex_);
  bool IsFull(uint64_t more_bytes, int64_t now_ms) const LARDER_REQUIRES(mutex_);
  bool Excludes(RecordKind kind) const LARDER_REQUIRES(mutex_);
  LogEnd End(uint64_t committed) const LARDER_REQUIRES(mutex_);
  // From now on every append and sync fails with this.
  std::unexpected<Error> FailForGood(const Error& error) LARDER_REQUIRES(mutex_);
  void SyncAtIntervals();
  void SendToDisk() LARDER_REQUIRES(mutex_);
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
  std::atomic<uint64_t> gathered_ = 0;             // appends since a sync began
  uint64_t round_ LARDER_GUARDED_BY(mutex_) = 0;   // appends that the last one was for
  bool ending_ LARDER_GUARDED_BY(mutex_) = false;  // the thread that syncs
  bool closed_ LARDER_GUARDED_BY(mutex_) = true;
  std::optional<Error> failure_ LARDER_GUARDED_BY(mutex_);
  struct Written {
    std::shared_ptr<OpenSegment> segment;
    OpenSegment::Bytes bytes;
  };
  std::optional<Written> let_go_ LARDER_GUARDED_BY(mutex_);  // for the thread that syncs
  CondVar sync_wanted_;
  std::thread sync_thread_;
};

FileWriter::~FileWriter() {
  if (const auto closed = Close(); !closed)
    LogError(fmt::format("log {}/{}: {}", options_.directory, options_.prefix,
                         closed.error().message()));
}

// ---- Opening, and taking turns.

Result<void> FileWriter::Begin() {
  {
    const MutexLock lock(mutex_);
    if (locks_.turns != nullptr) LARDER_TRY(locks_.turns->Take());
    closed_ = false;
    if (!shared() || !TakeOver()) {
      if (auto recovered = RecoverLog(); !recovered) {
        closed_ = true;
        return recovered;
      }
    }
    if (locks_.turns != nullptr) locks_.turns->Release();
  }
  if (options_.sync == SyncPolicy::kInterval)
    sync_thread_ = std::thread([this] { SyncAtIntervals(); });
  return {};
}

LogEnd FileWriter::End(uint64_t committed) const {
  if (last_ == nullptr) return {.segment = 0, .end = 0, .committed = committed};
  return {.segment = last_->head().first_number, .end = last_->end(), .committed = committed};
}

Result<void> FileWriter::RecoverLog() {
  LARDER_ASSIGN(RecoveredLog recovered, Recover(files_, options_, *control_, boot_));
  numbers_ = recovered.numbers;
  last_ = std::move(recovered.last);
  committed_ = recovered.committed;
  next_number_ = recovered.next_number;
  recovery_ = std::move(recovered.report);
  // Numbers that were passed over are known by the segment that begins behind them. It is there
  // before the numbers file is written again, which forgets that there was a power cut.
  if (next_number_ != std::max(committed_ + 1, last_ == nullptr ? 1 : last_->head().first_number))
    LARDER_TRY(BeginSegment(NowMs()));
  control_->Begin(numbers_.id, boot_, numbers_.reserved, recovered.synced, End(committed_));
  recoveries_ = control_->recoveries();
  return {};
}

// Other processes have the log open, or nothing happened to it since the last one: what the
// control page says holds.
bool FileWriter::TakeOver() {
  const std::string path = options_.directory + "/" + NumbersName(options_.prefix);
  const auto bytes = io::ReadWholeFile(files_, path, kSmallFileBytes);
  if (!bytes) return false;
  const auto numbers = ReadNumbersFile(*bytes, path);
  const bool whole = numbers && control_->Trusted(numbers->id, boot_) && numbers->boot == boot_ &&
                     control_->state() != ControlState::kSyncFailed && !control_->appending();
  if (!whole) return false;
  numbers_ = *numbers;
  numbers_.reserved = control_->reserved();
  recoveries_ = control_->recoveries();
  // When that fails, recovery says why.
  if (!MoveTo(control_->end(), true)) return false;
  control_->set_state(ControlState::kInUse);
  return true;
}

Result<void> FileWriter::TakeTurn() {
  mutex_.Lock();
  auto taken = CheckUsable();
  if (taken && locks_.turns != nullptr) {
    taken = locks_.turns->Take();
    if (taken) {
      taken = CatchUp();
      if (!taken) locks_.turns->Release();
    }
  }
  if (!taken) mutex_.Unlock();
  return taken;
}

void FileWriter::EndTurn() {
  if (locks_.turns != nullptr) locks_.turns->Release();
  mutex_.Unlock();
}

// What other writers have done since this one's turn.
Result<void> FileWriter::CatchUp() {
  if (control_->state() == ControlState::kSyncFailed)
    return FailForGood(Error(ErrorCode::kIoError, "a sync has failed in another process"));
  if (control_->appending()) {
    LogWarning(fmt::format("log {}/{}: a process died while it appended", options_.directory,
                           options_.prefix));
    return RecoverLog();
  }
  numbers_.reserved = control_->reserved();
  const LogEnd end = control_->end();
  const bool anew = control_->recoveries() != recoveries_;
  if (end.committed == committed_ && !anew &&
      (last_ == nullptr ? 0 : last_->head().first_number) == end.segment) {
    return {};
  }
  const uint32_t recoveries = control_->recoveries();
  LARDER_TRY(MoveTo(end, anew));
  recoveries_ = recoveries;
  return {};
}

// When it fails nothing has changed, and the next turn tries again.
Result<void> FileWriter::MoveTo(const LogEnd& end, bool anew) {
  const uint64_t next = std::max(end.committed + 1, end.segment);
  if (end.segment != 0) {
    const uint64_t records = next - end.segment;
    if (!anew && last_ != nullptr && last_->head().first_number == end.segment) {
      LARDER_TRY(last_->MoveTo(end.end, records));
    } else {
      LARDER_ASSIGN(auto joined, OpenSegment::Join(files_, options_.directory, options_.prefix,
                                                   end.segment, options_.segment_bytes));
      LARDER_TRY(joined->MoveTo(end.end, records));
      last_ = std::move(joined);
    }
  }
  committed_ = end.committed;
  next_number_ = next;
  return {};
}

std::unexpected<Error> FileWriter::FailForGood(const Error& error) {
  if (!failure_) {
    failure_ = Error(error.code(),
                     fmt::format("the log takes no more: {}. Reopening it recovers what is safe",
                                 error.message()));
  }
  control_->set_state(ControlState::kSyncFailed);
  group_.WakeAll();
  return std::unexpected(*failure_);
}

Result<void> FileWriter::CheckUsable() const {
  if (failure_) return std::unexpected(*failure_);
  if (closed_) return Fail(ErrorCode::kInvalidArgument, "the log is closed");
  return {};
}

// ---- Appending.

bool FileWriter::IsFull(uint64_t more_bytes, int64_t now_ms) const {
  if (last_ == nullptr || last_->head().first_number + last_->records() != next_number_)
    return true;
  if (last_->records() == 0) return false;
  if (last_->end() + more_bytes > options_.segment_bytes) return true;
  if (options_.segment_records != 0 && last_->records() >= options_.segment_records) return true;
  return options_.segment_age.count() != 0 &&
         now_ms - last_->head().made_at_ms >= options_.segment_age.count();
}

// The head of the last segment says that no record of it is marked.
bool FileWriter::Excludes(RecordKind kind) const {
  return kind == RecordKind::kMarked && last_ != nullptr && !last_->head().may_be_marked;
}

// The segment before is safe before its successor exists.
Result<void> FileWriter::SealLast() {
  if (last_ == nullptr) return {};
  // Another thread may be about to sync it, too: to wait for that would let others into the turn.
  if (const auto sealed = last_->Seal(); !sealed) return FailForGood(sealed.error());
  control_->RaiseSynced(committed_);
  group_.WakeAll();
  return {};
}

Result<void> FileWriter::CheckSegments() const {
  if (options_.max_segments == 0) return {};
  LARDER_ASSIGN(const auto names, files_.List(options_.directory));
  const uint64_t segments = FindLogFiles(options_.prefix, names).segments.size();
  if (segments < options_.max_segments) return {};
  return Fail(ErrorCode::kLimit,
              fmt::format("the log {}/{} is full: {} segments, at most {}", options_.directory,
                          options_.prefix, segments, options_.max_segments));
}

Result<void> FileWriter::BeginSegment(int64_t now_ms, RecordKind next) {
  LARDER_TRY(SealLast());
  const uint64_t empty = last_ != nullptr && last_->records() == 0 ? last_->head().first_number : 0;
  // Once a log had a marked record, it will have others.
  const bool may_be_marked =
      next == RecordKind::kMarked || (last_ != nullptr && last_->head().may_be_marked);
  const SegmentHead head{.id = numbers_.id,
                         .first_number = next_number_,
                         .made_at_ms = now_ms,
                         .last_before = committed_,
                         .may_be_marked = may_be_marked};
  auto begun = OpenSegment::Create(files_, options_.directory, options_.prefix, head,
                                   options_.segment_bytes);
  if (!begun) {
    // The seal has cut what other writers may have mapped.
    control_->NoteRecovery();
    recoveries_ = control_->recoveries();
    // A later one may find space or descriptors. After an error of the disk nothing is known.
    if (begun.error().code() != ErrorCode::kIoError &&
        OpenSegment::Discard(files_, options_.directory, options_.prefix, next_number_))
      return std::unexpected(begun.error());
    return FailForGood(begun.error());
  }
  last_ = *std::move(begun);
  control_->NoteSegmentChange();
  // A power cut or a gap came before its first record: nobody will look for one there.
  if (empty != 0)
    LARDER_TRY(OpenSegment::Discard(files_, options_.directory, options_.prefix, empty));
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
  control_->set_reserved(numbers.reserved);
  return {};
}

Result<void> CheckSizes(std::span<const std::string_view> records) {
  if (records.empty()) return Fail(ErrorCode::kInvalidArgument, "an empty batch of records");
  for (const std::string_view record : records) {
    if (record.size() > kMaxRecordBytes) {
      return Fail(ErrorCode::kLimit,
                  fmt::format("a record of {} bytes, at most {}", record.size(), kMaxRecordBytes));
    }
  }
  const uint64_t bytes = BatchBytes(records);
  if (bytes <= kMaxBatchBytes) return {};
  return Fail(ErrorCode::kLimit,
              fmt::format("a batch of {} bytes, at most {}", bytes, kMaxBatchBytes));
}

Result<uint64_t> FileWriter::AppendInTurn(std::span<const std::string_view> records,
                                          RecordKind kind) {
  LARDER_TRY(CheckSizes(records));
  LARDER_TRY(CheckUsable());
  LARDER_TRY(Reserve(next_number_ + records.size() - (Excludes(kind) ? 0 : 1)));
  control_->BeginAppend();
  if (auto appended = AppendBatch(records, kind); !appended) {
    GiveUpAppend();
    return std::unexpected(std::move(appended).error());
  }
  control_->EndAppend(End(committed_));
  if (last_->held() >= kHeldBytes) LetGo();
  if (options_.sync == SyncPolicy::kInterval && unsynced_bytes_ >= options_.sync_bytes)
    sync_wanted_.NotifyOne();
  return committed_;
}

// By the thread that syncs, if there is one: to send it takes as long as a fifth of the appends.
void FileWriter::LetGo() {
  const OpenSegment::Bytes bytes = last_->LetGo();
  if (options_.sync != SyncPolicy::kInterval) return last_->StartWriting(bytes);
  if (let_go_ && let_go_->segment == last_) {
    let_go_->bytes.to = bytes.to;
  } else {
    let_go_ = {.segment = last_, .bytes = bytes};
  }
  sync_wanted_.NotifyOne();
}

// Nothing was appended, but a segment may have been begun.
void FileWriter::GiveUpAppend() {
  if (failure_ || last_ == nullptr) {
    control_->CancelAppend();
  } else {
    control_->EndAppend(End(committed_));
  }
}

// One without records may have that name already, and others may have mapped it.
Result<void> FileWriter::BeginSegmentFor(RecordKind next, int64_t now_ms) {
  const bool passes_over = Excludes(next) && last_->head().first_number == next_number_;
  if (passes_over) ++next_number_;
  auto begun = BeginSegment(now_ms, next);
  if (!begun && passes_over) --next_number_;
  return begun;
}

Result<void> FileWriter::AppendBatch(std::span<const std::string_view> records, RecordKind kind) {
  const int64_t now_ms = NowMs();
  if (Excludes(kind) || IsFull(BatchBytes(records), now_ms)) {
    LARDER_TRY(CheckSegments());
    LARDER_TRY(BeginSegmentFor(kind, now_ms));
  }
  const std::string_view batch =
      encoder_.Encode(records, next_number_, now_ms, control_->synced(),
                      {.segment_key = last_->key(), .offset = last_->end()}, kind);
  LARDER_TRY(last_->MakeRoom(batch.size(), encoder_.index_entries().size()));
  if (const auto appended = last_->Append(batch, encoder_.index_entries()); !appended)
    return FailForGood(appended.error());
  committed_ = next_number_ + records.size() - 1;
  next_number_ = committed_ + 1;
  unsynced_bytes_ += batch.size();
  gathered_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

Result<void> FileWriter::RotateInTurn(RecordKind next) {
  LARDER_TRY(CheckUsable());
  if (!IsFull(0, 0) && last_->records() == 0 && !Excludes(next)) return {};
  LARDER_TRY(CheckSegments());
  LARDER_TRY(Reserve(next_number_ + (Excludes(next) ? 1 : 0)));
  control_->BeginAppend();
  if (auto begun = BeginSegmentFor(next, NowMs()); !begun) {
    GiveUpAppend();
    return begun;
  }
  control_->EndAppend(End(committed_));
  return {};
}

// ---- Syncing.

// Without letting anybody in meanwhile.
Result<void> FileWriter::SyncInTurn() {
  LARDER_TRY(CheckUsable());
  if (control_->synced() >= committed_) return {};
  if (const auto synced = last_->Sync(); !synced) return FailForGood(synced.error());
  control_->RaiseSynced(committed_);
  group_.WakeAll();
  return {};
}

// One thread syncs for all that wait; those that append meanwhile are of the next round.
Result<void> FileWriter::SyncUpTo(uint64_t number) {
  while (control_->synced() < number) {
    const MutexLock lock(mutex_);
    if (failure_) return std::unexpected(*failure_);
    number = std::min(number, committed_);
    if (control_->synced() >= number) return {};
    if (!group_.syncing()) {
      LARDER_TRY(SyncForAll());
      continue;
    }
    const GroupCommit::Place place = group_.PlaceOf(number);
    mutex_.Unlock();
    GroupCommit::Wait(place);
    mutex_.Lock();
  }
  return {};
}

Result<void> FileWriter::SyncForAll() {
  group_.Begin();
  Gather();
  const uint64_t target = committed_;
  const std::shared_ptr<OpenSegment> segment = last_;
  group_.SetTarget(target);
  unsynced_bytes_ = 0;
  round_ = gathered_.exchange(0, std::memory_order_relaxed);
  mutex_.Unlock();
  const auto synced = segment->Sync();
  // At once: others must not take for written what was not.
  if (!synced) control_->set_state(ControlState::kSyncFailed);
  mutex_.Lock();
  if (synced) control_->RaiseSynced(target);
  group_.End();
  if (!synced) return FailForGood(synced.error());
  return {};
}

// Those who were told of the last sync are about to append again: to let them do it first makes one
// sync of many. Who writes alone waits for nobody.
void FileWriter::Gather() {
  if (options_.sync != SyncPolicy::kAlways || round_ < 2) return;
  constexpr uint64_t kMostTurns = 100;
  const uint64_t expected = round_;
  mutex_.Unlock();
  for (uint64_t turn = 0; turn < std::min(2 * expected, kMostTurns); ++turn) {
    if (gathered_.load(std::memory_order_relaxed) >= expected) break;
    std::this_thread::yield();
  }
  mutex_.Lock();
}

Result<void> FileWriter::Settle(uint64_t number) {
  if (options_.sync != SyncPolicy::kAlways) return {};
  return SyncUpTo(number);
}

Result<void> FileWriter::Sync() {
  uint64_t number = 0;
  {
    LARDER_ASSIGN(Turn turn, BeginTurn());
    number = turn.last_number();
  }
  return SyncUpTo(number);
}

Result<void> FileWriter::RemoveBefore(uint64_t number) {
  LARDER_ASSIGN(const Turn turn, BeginTurn());
  LARDER_ASSIGN(const auto names, files_.List(options_.directory));
  const std::vector<uint64_t> segments = FindLogFiles(options_.prefix, names).segments;
  for (size_t i = 0; i + 1 < segments.size() && segments[i + 1] <= number; ++i) {
    // Readers are told first: they must not look for what is about to go.
    control_->NoteSegmentChange();
    LARDER_TRY(OpenSegment::Discard(files_, options_.directory, options_.prefix, segments[i]));
  }
  return {};
}

// What is not given out need not be passed over after a power cut.
Result<void> FileWriter::GiveBackNumbers() {
  LARDER_ASSIGN(const Turn turn, BeginTurn());
  return CloseInTurn();
}

Result<void> FileWriter::CloseInTurn() {
  if (last_ == nullptr) return {};
  Numbers numbers = numbers_;
  numbers.boot = boot_;
  numbers.synced = control_->synced();
  numbers.reserved = next_number_ - 1;
  // Whoever appends next must not rely on what the file does not say any more.
  control_->set_reserved(numbers.reserved);
  if (numbers != numbers_) LARDER_TRY(PublishNumbers(files_, options_, numbers));
  numbers_ = numbers;
  if (!shared()) control_->set_state(ControlState::kClosed);
  return {};
}

Result<void> FileWriter::Close() {
  EndSyncThread();
  {
    const MutexLock lock(mutex_);
    if (closed_) return {};
  }
  auto closed = Sync();
  if (closed) closed = GiveBackNumbers();
  const MutexLock lock(mutex_);
  closed_ = true;
  locks_ = {};
  return closed;
}

void FileWriter::SyncAtIntervals() {
  const MutexLock lock(mutex_);
  auto deadline = std::chrono::steady_clock::now() + options_.sync_interval;
  while (!ending_ && !failure_) {
    bool in_time = true;
    while (in_time && !ending_ && !let_go_ && unsynced_bytes_ < options_.sync_bytes)
      in_time = sync_wanted_.WaitUntil(mutex_, deadline);
    if (ending_ || failure_) return;
    if (let_go_) {
      SendToDisk();
      if (unsynced_bytes_ < options_.sync_bytes) continue;
    }
    deadline = std::chrono::steady_clock::now() + options_.sync_interval;
    // Also what a process has appended that was killed since. Whoever appends next is told of a
    // failure.
    if (control_->synced() >= control_->committed()) continue;
    mutex_.Unlock();
    [[maybe_unused]] const auto synced = Sync();
    mutex_.Lock();
  }
}

void FileWriter::SendToDisk() {
  const Written written = *std::exchange(let_go_, std::nullopt);
  mutex_.Unlock();
  written.segment->StartWriting(written.bytes);
  mutex_.Lock();
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

Result<uint64_t> Writer::Append(std::span<const std::string_view> records, RecordKind kind) {
  uint64_t last = 0;
  {
    LARDER_ASSIGN(Turn turn, BeginTurn());
    LARDER_ASSIGN(last, turn.Append(records, kind));
  }
  LARDER_TRY(Settle(last));
  return last;
}

Result<Writer::Turn> Writer::BeginTurn() {
  LARDER_TRY(TakeTurn());
  return Turn(this);
}

Result<void> Writer::Rotate() {
  LARDER_ASSIGN(Turn turn, BeginTurn());
  return turn.Rotate();
}

Result<std::unique_ptr<Writer>> Writer::Open(io::FileSystem& files, const Options& options) {
  LARDER_TRY(CheckOptions(options));
  const std::string boot_id = files.BootId();
  if (boot_id.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "this machine's boot id cannot be read (/proc/sys/kernel/random/boot_id): a power "
                "cut would not be noticed");
  }
  LARDER_TRY(files.MakeDirectories(options.directory));
  LARDER_ASSIGN(Locks locks, TakeLocks(files, options));
  LARDER_ASSIGN(auto control,
                Control::Open(files, options.directory + "/" + ControlName(options.prefix)));
  auto writer = std::make_unique<FileWriter>(files, options, std::move(locks), std::move(control),
                                             BootChecksum(boot_id));
  LARDER_TRY(writer->Begin());
  return writer;
}

}  // namespace larder::log

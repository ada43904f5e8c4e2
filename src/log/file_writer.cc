#include "log/file_writer.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "base/log.h"

namespace larder::log {

namespace {

int64_t NowMs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// So much of what is written stays in this process's memory, and on the way to the disk undecided.
constexpr uint64_t kHeldBytes = uint64_t{2} << 20;

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

}  // namespace

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
  if (const auto checked = CheckOthersSynced(); !checked) return FailForGood(checked.error());
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
  auto sealed = last_->Seal();
  if (sealed) sealed = CheckOthersSynced();
  if (!sealed) return FailForGood(sealed.error());
  NoteAllSynced();
  return {};
}

Result<void> FileWriter::CheckSegments() const {
  if (options_.max_segments == 0) return {};
  LARDER_ASSIGN(const auto names, files_.List(options_.directory));
  const uint64_t segments = FindLogFiles(options_.prefix, names).segments.size();
  const bool replaces_last = last_ != nullptr && last_->records() == 0;
  if (segments < options_.max_segments + (replaces_last ? 1 : 0)) return {};
  return Fail(ErrorCode::kLimit,
              fmt::format("the log {}/{} is full: {} segments, at most {}", options_.directory,
                          options_.prefix, segments, options_.max_segments));
}

Result<void> FileWriter::BeginSegment(int64_t now_ms, RecordKind next) {
  const OpenSegment::Space space = last_ == nullptr ? OpenSegment::Space{} : last_->space();
  LARDER_TRY(SealLast());
  const uint64_t empty = last_ != nullptr && last_->records() == 0 ? last_->head().first_number : 0;
  // Once a log had a marked record, it will have others.
  const bool may_be_marked = options_.may_be_marked || next == RecordKind::kMarked ||
                             (last_ != nullptr && last_->head().may_be_marked);
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
        OpenSegment::Discard(files_, options_.directory, options_.prefix, next_number_)) {
      // So that what would have gone into the old one still does.
      if (last_ != nullptr) last_->TakeBackSpace(space);
      return std::unexpected(begun.error());
    }
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
  if (options_.sync == SyncPolicy::kInterval && unsynced_bytes_ >= options_.sync_bytes) {
    unsynced_bytes_ = 0;
    const MutexLock lock(told_mutex_);
    sync_wanted_ = true;
    told_.NotifyOne();
  }
  return committed_;
}

// By the thread that syncs, if there is one: to send it takes an eighth as long as the appends.
void FileWriter::LetGo() {
  const OpenSegment::Bytes bytes = last_->LetGo();
  if (options_.sync != SyncPolicy::kInterval) return last_->StartWriting(bytes);
  const MutexLock lock(told_mutex_);
  if (let_go_ && let_go_->segment == last_) {
    let_go_->bytes.to = bytes.to;
  } else {
    let_go_ = {.segment = last_, .bytes = bytes};
  }
  told_.NotifyOne();
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
  // It may have been begun all the same, and the empty one be left behind.
  if (!begun && passes_over && last_->head().first_number != next_number_) --next_number_;
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

Result<void> FileWriter::RotateInTurn() {
  LARDER_TRY(CheckUsable());
  if (!IsFull(0, 0) && last_->records() == 0) return {};
  LARDER_TRY(CheckSegments());
  LARDER_TRY(Reserve(next_number_));
  control_->BeginAppend();
  if (auto begun = BeginSegment(NowMs()); !begun) {
    GiveUpAppend();
    return begun;
  }
  control_->EndAppend(End(committed_));
  return {};
}

}  // namespace larder::log

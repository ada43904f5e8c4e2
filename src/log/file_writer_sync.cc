#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "log/file_writer.h"

namespace larder::log {

FileWriter::~FileWriter() {
  if (const auto closed = Close(); !closed)
    LogError(fmt::format("log {}/{}: {}", options_.directory, options_.prefix,
                         closed.error().message()));
}

// Without letting anybody in meanwhile.
Result<void> FileWriter::SyncInTurn() {
  LARDER_TRY(CheckUsable());
  if (control_->synced() >= committed_) return {};
  auto synced = last_->Sync();
  if (synced) synced = CheckOthersSynced();
  if (!synced) return FailForGood(synced.error());
  NoteAllSynced();
  return {};
}

// One thread syncs for all that wait; those that append meanwhile are of the next round.
Result<void> FileWriter::SyncUpTo(uint64_t number) {
  while (control_->synced() < number) {
    std::optional<GroupCommit::Place> place;
    uint64_t round = 0;
    {
      const MutexLock lock(mutex_);
      if (failure_) return std::unexpected(*failure_);
      number = std::min(number, committed_);
      if (control_->synced() >= number) return {};
      if (group_.syncing()) {
        place = group_.PlaceOf(number);
      } else {
        group_.Begin();
        round = round_appends_;
      }
    }
    if (place) {
      GroupCommit::Wait(*place);
    } else {
      Gather(round);
      LARDER_TRY(SyncForAll());
    }
  }
  return {};
}

// By who has begun a round.
Result<void> FileWriter::SyncForAll() {
  uint64_t target = 0;
  std::shared_ptr<OpenSegment> segment;
  {
    const MutexLock lock(mutex_);
    target = committed_;
    segment = last_;
    group_.SetTarget(target);
    unsynced_bytes_ = 0;
    round_appends_ = gathered_.exchange(0, std::memory_order_relaxed);
  }
  Result<void> synced = segment->Sync();
  // At once: others must not take for written what was not; nor may this one, whose sync passes
  // over pages that another's has lost.
  if (!synced) control_->set_state(ControlState::kSyncFailed);
  if (synced) synced = CheckOthersSynced();
  if (synced) control_->RaiseSynced(target);
  GroupCommit::Ended ended{};
  {
    const MutexLock lock(mutex_);
    ended = group_.End(shared());
    if (!synced) synced = FailForGood(synced.error());
  }
  GroupCommit::Wake(ended);
  return synced;
}

Result<void> FileWriter::CheckOthersSynced() const {
  if (control_->state() != ControlState::kSyncFailed) return {};
  return Fail(ErrorCode::kIoError, "a sync has failed in another process");
}

void FileWriter::NoteAllSynced() {
  control_->RaiseSynced(committed_);
  unsynced_bytes_ = 0;
  group_.WakeAll();
}

// Those who were told of the last sync are about to append again: to let them do it first makes one
// sync of many. Who writes alone waits for nobody.
void FileWriter::Gather(uint64_t round) const {
  if (options_.sync != SyncPolicy::kAlways || round < 2) return;
  constexpr uint64_t kMostTurns = 100;
  for (uint64_t turn = 0; turn < std::min(2 * round, kMostTurns); ++turn) {
    if (gathered_.load(std::memory_order_relaxed) >= round) return;
    std::this_thread::yield();
  }
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
  auto deadline = std::chrono::steady_clock::now() + options_.sync_interval;
  for (;;) {
    std::optional<Written> written;
    bool sync = false;
    {
      const MutexLock lock(told_mutex_);
      bool in_time = true;
      while (in_time && !ending_ && !let_go_ && !sync_wanted_)
        in_time = told_.WaitUntil(told_mutex_, deadline);
      if (ending_) return;
      written = std::exchange(let_go_, std::nullopt);
      sync = std::exchange(sync_wanted_, false) || !in_time;
    }
    if (written) written->segment->StartWriting(written->bytes);
    if (!sync && std::chrono::steady_clock::now() < deadline) continue;
    SyncWhatIsThere();
    deadline = std::chrono::steady_clock::now() + options_.sync_interval;
  }
}

// Also what a process has appended that was killed since. Whoever appends next is told of a
// failure.
void FileWriter::SyncWhatIsThere() {
  const uint64_t committed = control_->committed();
  if (control_->synced() >= committed) return;
  [[maybe_unused]] const auto synced = shared() ? Sync() : SyncUpTo(committed);
}

void FileWriter::EndSyncThread() {
  {
    const MutexLock lock(told_mutex_);
    ending_ = true;
    told_.NotifyOne();
  }
  if (sync_thread_.joinable()) sync_thread_.join();
}

}  // namespace larder::log

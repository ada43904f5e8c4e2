#include "queue/positions_log.h"

#include <algorithm>
#include <span>
#include <variant>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/log.h"
#include "log/format.h"

namespace larder::queue {

namespace {

// Of a record alone in its batch, in the log's segment.
uint64_t BytesInLog(uint64_t data_bytes) {
  return log::kBatchHeadBytes + log::kRecordHeadBytes + AlignUp(data_bytes, log::kAlignment);
}

// Nothing was written then, and later there may be room.
bool MayPass(const Error& error) {
  return error.code() == ErrorCode::kNoSpace || error.code() == ErrorCode::kLimit;
}

}  // namespace

Result<std::unique_ptr<PositionsLog>> PositionsLog::Open(io::FileSystem& files,
                                                         const PositionsOptions& options) {
  log::Options of_writer;
  of_writer.directory = options.directory;
  of_writer.prefix = options.prefix + std::string(kPositionsSuffix);
  of_writer.sync = options.sync;
  of_writer.sync_interval = options.sync_interval;
  of_writer.segment_bytes = options.segment_bytes;
  of_writer.writers = log::Writers::kShared;
  // Of checkpoints; no number is passed over, which whoever applies the changes would miss.
  of_writer.may_be_marked = true;
  of_writer.locking = options.locking;
  LARDER_ASSIGN(auto writer, log::Writer::Open(files, of_writer));
  LARDER_ASSIGN(auto reader, log::Reader::Open(files, {.directory = options.directory,
                                                       .prefix = of_writer.prefix}));
  std::unique_ptr<PositionsLog> positions(
      new PositionsLog(options, std::move(writer), std::move(reader)));
  LARDER_TRY(positions->Load());
  return positions;
}

PositionsLog::PositionsLog(const PositionsOptions& options, std::unique_ptr<log::Writer> writer,
                           std::unique_ptr<log::Reader> reader)
    : options_(options),
      name_(options.directory + "/" + options.prefix + std::string(kPositionsSuffix)),
      writer_(std::move(writer)),
      reader_(std::move(reader)),
      compact_above_(options.compact_bytes) {}

// In a turn, because the newest checkpoint is removed only behind a newer one.
Result<void> PositionsLog::Load() {
  LARDER_ASSIGN(log::Writer::Turn turn, writer_->BeginTurn());
  const MutexLock lock(mutex_);
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  uint64_t from = 1;
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    const auto first = reader_->Read(segment->first_number);
    if (!first) {
      // It has no record yet, or was removed just now.
      if (first.error().code() == ErrorCode::kNotFound) continue;
      return std::unexpected(first.error());
    }
    if (first->kind != log::RecordKind::kMarked) continue;
    from = segment->first_number;
    // Who has made it may have died before the end.
    if (segments.front().first_number < from) remove_before_ = from;
    break;
  }
  applied_ = from - 1;
  LARDER_TRY(CatchUp());
  applied_ = std::max(applied_, turn.last_number());
  loaded_ = true;
  return {};
}

std::unexpected<Error> PositionsLog::FailForGood(const Error& error) {
  if (!failure_) failure_ = error;
  return std::unexpected(*failure_);
}

std::unexpected<Error> PositionsLog::NoteFailure(const Error& error) {
  const MutexLock lock(mutex_);
  return FailForGood(error);
}

Result<void> PositionsLog::CatchUp() {
  if (failure_) return std::unexpected(*failure_);
  while (applied_ < reader_->committed()) {
    LARDER_ASSIGN(const log::Record record, reader_->ReadFrom(applied_ + 1));
    if (const auto applied = ApplyRecord(record); !applied) {
      return FailForGood(
          applied.error().Within(fmt::format("record {} of {}", record.number, name_)));
    }
  }
  return {};
}

Result<void> PositionsLog::ApplyRecord(const log::Record& record) {
  LARDER_ASSIGN(const Change change, DecodeChange(record.data));
  const bool is_checkpoint = std::holds_alternative<Checkpoint>(change);
  if (is_checkpoint != (record.kind == log::RecordKind::kMarked))
    return Fail(ErrorCode::kCorrupt, "a mark that says of a change what it is not");
  // The numbers that a power cut may have cost were passed over when the log was opened.
  if (loaded_ && !is_checkpoint && record.number != applied_ + 1)
    return Fail(ErrorCode::kCorrupt, fmt::format("{} is missing before it", applied_ + 1));
  LARDER_TRY(state_.Apply(change));
  applied_ = record.number;
  if (is_checkpoint) {
    NoteCheckpoint(record.data.size());
  } else {
    since_checkpoint_ += BytesInLog(record.data.size());
  }
  return {};
}

// ---- Steps.

// The lock goes from Begin to the Step, which gives it back.
Result<PositionsLog::Step> PositionsLog::Begin() LARDER_NO_THREAD_SAFETY_ANALYSIS {
  LARDER_ASSIGN(log::Writer::Turn turn, writer_->BeginTurn());
  mutex_.Lock();
  if (auto caught_up = CatchUp(); !caught_up) {
    mutex_.Unlock();
    return std::unexpected(std::move(caught_up).error());
  }
  return Step(this, std::move(turn));
}

const Positions& PositionsLog::Step::state() const LARDER_NO_THREAD_SAFETY_ANALYSIS {
  return positions_->state_;
}

Result<void> PositionsLog::Step::Commit(const Change& change) LARDER_NO_THREAD_SAFETY_ANALYSIS {
  if (positions_ == nullptr) return Fail(ErrorCode::kInternal, "a change behind its step");
  LARDER_ASSIGN(last_, positions_->CommitInTurn(turn_, change));
  return {};
}

Result<void> PositionsLog::Step::Sync() LARDER_NO_THREAD_SAFETY_ANALYSIS {
  if (positions_ == nullptr) return Fail(ErrorCode::kInternal, "a sync behind its step");
  auto synced = turn_.Sync();
  if (!synced) return positions_->FailForGood(synced.error());
  return synced;
}

uint64_t PositionsLog::Step::End() LARDER_NO_THREAD_SAFETY_ANALYSIS {
  if (positions_ == nullptr) return last_;
  positions_->CompactInTurn(turn_);
  turn_.End();
  std::exchange(positions_, nullptr)->mutex_.Unlock();
  return last_;
}

Result<uint64_t> PositionsLog::CommitInTurn(log::Writer::Turn& turn, const Change& change) {
  if (failure_) return std::unexpected(*failure_);
  if (std::holds_alternative<Checkpoint>(change))
    return Fail(ErrorCode::kInternal, "a checkpoint that nobody is to commit");
  // What is written is applied by all, so it must fit.
  if (const auto fits = state_.Check(change); !fits)
    return Fail(ErrorCode::kInternal, fits.error().message());
  encoded_.clear();
  EncodeChange(change, encoded_);
  const auto number = turn.Append(encoded_);
  if (!number) {
    if (MayPass(number.error())) return number;
    return FailForGood(number.error());
  }
  applied_ = *number;
  since_checkpoint_ += BytesInLog(encoded_.size());
  if (const auto applied = state_.Apply(change); !applied) return FailForGood(applied.error());
  return number;
}

Result<void> PositionsLog::Settle(uint64_t number) {
  if (number != 0) {
    if (const auto settled = writer_->Settle(number); !settled) return NoteFailure(settled.error());
  }
  RemoveForgotten();
  return {};
}

Result<void> PositionsLog::Refresh() {
  const MutexLock lock(mutex_);
  return CatchUp();
}

Result<void> PositionsLog::Sync() {
  if (const auto synced = writer_->Sync(); !synced) return NoteFailure(synced.error());
  return {};
}

Result<uint64_t> PositionsLog::Bytes() {
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  uint64_t bytes = 0;
  for (const log::SegmentInfo& segment : segments) bytes += segment.bytes;
  return bytes;
}

Result<void> PositionsLog::Close() { return writer_->Close(); }

// ---- Compaction.

void PositionsLog::NoteCheckpoint(uint64_t bytes) {
  since_checkpoint_ = 0;
  compact_above_ = std::max(options_.compact_bytes, 2 * bytes);
}

void PositionsLog::CompactInTurn(log::Writer::Turn& turn) {
  if (failure_ || since_checkpoint_ <= compact_above_) return;
  const auto appended = AppendCheckpoint(turn);
  if (appended) return;
  // The changes are safe without it. When the log has failed, the next of them says so.
  LogWarning(fmt::format("{} could not be compacted: {}", name_, appended.error().message()));
  compact_above_ = since_checkpoint_ + options_.compact_bytes;
}

Result<void> PositionsLog::AppendCheckpoint(log::Writer::Turn& turn) {
  encoded_.clear();
  EncodeChange(state_.ToCheckpoint(), encoded_);
  if (encoded_.size() > log::kMaxRecordBytes)
    return Fail(ErrorCode::kLimit, fmt::format("its state has {} bytes", encoded_.size()));
  LARDER_TRY(turn.Rotate());
  const std::string_view record = encoded_;
  LARDER_ASSIGN(const uint64_t number, turn.Append({&record, 1}, log::RecordKind::kMarked));
  applied_ = number;
  remove_before_ = number;
  NoteCheckpoint(encoded_.size());
  // As large as the state once, and then for small changes again.
  if (encoded_.capacity() > options_.compact_bytes) encoded_ = {};
  return {};
}

void PositionsLog::RemoveForgotten() {
  uint64_t checkpoint = 0;
  {
    const MutexLock lock(mutex_);
    checkpoint = std::exchange(remove_before_, 0);
  }
  if (checkpoint == 0) return;
  const auto removed = RemoveSegmentsBefore(checkpoint);
  // What is left goes with the next checkpoint, or when the queue is opened.
  if (!removed)
    LogWarning(fmt::format("{} keeps old segments: {}", name_, removed.error().message()));
}

// The last one first, so that a gap is always one before a checkpoint, whoever removes besides and
// dies.
Result<void> PositionsLog::RemoveSegmentsBefore(uint64_t checkpoint) {
  LARDER_TRY(writer_->Sync());
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (segment->first_number >= checkpoint) continue;
    const auto removed = reader_->RemoveSegment(segment->first_number);
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
  }
  return {};
}

}  // namespace larder::queue

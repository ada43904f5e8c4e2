// Moving records to another queue. A move is one step of this queue: intent, append there, deletion
// here. Whoever finds an intent in a later step knows that the mover died, and looks over there.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "log/small_files.h"
#include "queue/existing_records.h"
#include "queue/file_queue.h"
#include "queue/moved_record.h"

namespace larder::queue {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTryMovesAgainAfter{1};

// Errors of an append that come before anything is written.
bool WroteNothing(ErrorCode code) {
  return code == ErrorCode::kNoSpace || code == ErrorCode::kLimit ||
         code == ErrorCode::kInvalidArgument || code == ErrorCode::kBusy;
}

// The number that a moved record has in its new queue, if it is there.
Result<std::optional<uint64_t>> FindMoved(log::Reader& reader, const QueueOrigin& origin,
                                          uint64_t behind) {
  for (uint64_t number = behind + 1;;) {
    const auto record = reader.ReadFrom(number);
    if (!record) {
      if (record.error().code() == ErrorCode::kNotFound) return std::nullopt;
      return std::unexpected(record.error());
    }
    number = record->number + 1;
    if (record->kind != log::RecordKind::kMarked) continue;
    const auto moved = ReadMovedRecord(record->data, record->number);
    if (moved && moved->origin == origin) return record->number;
  }
}

// What was deleted in another queue. Only read: to open its positions would take their turn, while
// it may hold that and want ours.
Result<NumberSet> DeletedThere(io::FileSystem& files, const Place& place) {
  LARDER_ASSIGN(const auto reader,
                log::Reader::Open(files, {.directory = place.directory,
                                          .prefix = place.prefix + std::string(kPositionsSuffix)}));
  LARDER_ASSIGN(const auto segments, reader->Segments());
  uint64_t from = 1;
  for (const log::SegmentInfo& segment : segments) {
    const auto first = reader->Read(segment.first_number);
    if (first && first->kind == log::RecordKind::kMarked) from = segment.first_number;
    if (!first && first.error().code() != ErrorCode::kNotFound)
      return std::unexpected(first.error());
  }
  Positions state;
  while (from <= reader->committed()) {
    LARDER_ASSIGN(const log::Record record, reader->ReadFrom(from));
    LARDER_ASSIGN(const Change change, DecodeChange(record.data));
    LARDER_TRY(state.Apply(change));
    from = record.number + 1;
  }
  return state.deleted();
}

// Whether records that came behind the move's place were deleted there, and are gone with their
// segments. Missing numbers alone do not say so: a power cut leaves gaps, too.
Result<bool> RemovedBehind(io::FileSystem& files, log::Reader& reader, const Moving& move) {
  LARDER_ASSIGN(const NumberSet deleted, DeletedThere(files, move.to));
  LARDER_ASSIGN(const auto segments, reader.ListSegments());
  for (const auto& [first, last] : deleted.intervals()) {
    const uint64_t from = std::max(first, move.destination_committed + 1);
    if (from > last) continue;
    uint64_t kept = 0;
    for (const Range& range : Existing(segments, {{.first = from, .last = last}}))
      kept += range.last - range.first + 1;
    if (kept != last - from + 1) return true;
  }
  return false;
}

}  // namespace

// Another queue may have other processes than this one, and other segments.
log::Options FileQueue::OtherQueueOptions(const Place& place) const {
  const log::Options own = WriterOptions(options_);
  return {.directory = place.directory,
          .prefix = place.prefix,
          .sync = own.sync,
          .sync_interval = own.sync_interval,
          .sync_bytes = own.sync_bytes,
          .writers = log::Writers::kShared};
}

Result<QueueOrigin> FileQueue::Origin(uint64_t number) {
  const MutexLock lock(mutex_);
  if (id_) return QueueOrigin{.queue = *id_, .number = number};
  const std::string path = options_.directory + "/" + log::NumbersName(options_.prefix);
  LARDER_ASSIGN(const std::string bytes, io::ReadWholeFile(files_, path, log::kSmallFileBytes));
  LARDER_ASSIGN(const log::Numbers numbers, log::ReadNumbersFile(bytes, path));
  id_ = numbers.id;
  return QueueOrigin{.queue = *id_, .number = number};
}

// Returns the number of the last one over there.
Result<uint64_t> FileQueue::MoveInStep(PositionsLog::Step& step,
                                       const std::vector<QueueRecord>& records,
                                       log::Writer& destination, const Place& place) {
  std::vector<std::string> moved;
  moved.reserve(records.size());
  for (const QueueRecord& record : records) {
    LARDER_ASSIGN(const QueueOrigin origin, Origin(record.number));
    moved.push_back(MakeMovedRecord({.data = record.data, .origin = origin}));
    LARDER_TRY(step.Commit(Moving{
        .number = record.number, .to = place, .destination_committed = destination.committed()}));
  }
  // In this order on the disk, too: no record is over there whose intent is lost, and none is
  // deleted here that is not there. With kNever it may be in both, but never in none.
  if (options_.sync != QueueSync::kNever) LARDER_TRY(step.Sync());
  const std::vector<std::string_view> views(moved.begin(), moved.end());
  const auto last = destination.Append(views, log::RecordKind::kMarked);
  if (!last) {
    // After any other error they may be there: the intents stay, and a later step looks.
    if (WroteNothing(last.error().code())) {
      for (const QueueRecord& record : records)
        LARDER_TRY(step.Commit(CancelMove{.number = record.number}));
    }
    return std::unexpected(last.error().Within(
        fmt::format("moving to the queue {}/{}", place.directory, place.prefix)));
  }
  LARDER_TRY(destination.Sync());
  LARDER_TRY(step.Commit(queue::Delete{.ranges = RangesOfRecords(records)}));
  return *last;
}

Result<uint64_t> FileQueue::Move(uint64_t number, FileQueue& destination) {
  if (&destination == this)
    return Fail(ErrorCode::kInvalidArgument, "a record cannot be moved to its own queue");
  if (destination.writer_ == nullptr) {
    return Fail(ErrorCode::kInvalidArgument,
                "the destination was opened with QueueWriters::kNone: it cannot append");
  }
  LARDER_TRY(destination.CheckOpen());
  LARDER_ASSIGN(auto step, BeginStep());
  if (step.state().deleted().Contains(number))
    return Fail(ErrorCode::kNotFound, fmt::format("record {} was deleted", number));
  if (const auto moving = step.state().moves().find(number); moving != step.state().moves().end()) {
    return Fail(ErrorCode::kBusy,
                fmt::format("record {} is on its way to the queue {}/{} already", number,
                            moving->second.to.directory, moving->second.to.prefix));
  }
  LARDER_ASSIGN(log::Record record, reader_->Read(number));
  LARDER_ASSIGN(QueueRecord moving, FromLog(std::move(record)));
  LARDER_ASSIGN(const uint64_t there, MoveInStep(step, {std::move(moving)}, *destination.writer_,
                                                 {.directory = destination.options_.directory,
                                                  .prefix = destination.options_.prefix}));
  RemoveDeadSegments(step, {{.first = number, .last = number}});
  LARDER_TRY(positions_->Settle(step.End()));
  return there;
}

// What cannot be known now is looked at again later: the intent stays, and its record is nobody's
// meanwhile.
void FileQueue::FinishMoves(PositionsLog::Step& step) {
  // Copied: each that is finished leaves the state.
  std::vector<Moving> moves;
  for (const auto& [number, move] : step.state().moves()) moves.push_back(move);
  for (const Moving& move : moves) {
    const auto now = steady_clock::now();
    {
      const MutexLock lock(mutex_);
      const auto tried = unfinished_moves_.find(move.number);
      if (tried != unfinished_moves_.end() && now < tried->second) continue;
    }
    const auto finished = FinishMove(step, move);
    const MutexLock lock(mutex_);
    if (finished) {
      unfinished_moves_.erase(move.number);
      continue;
    }
    if (!unfinished_moves_.insert_or_assign(move.number, now + kTryMovesAgainAfter).second)
      continue;
    LogWarning(
        fmt::format("queue {}/{}: record {} was on its way to the queue {}/{} when it was "
                    "interrupted, and it is not known yet whether it arrived: {}",
                    options_.directory, options_.prefix, move.number, move.to.directory,
                    move.to.prefix, finished.error().message()));
  }
}

Result<void> FileQueue::FinishMove(PositionsLog::Step& step, const Moving& move) {
  LARDER_ASSIGN(const QueueOrigin origin, Origin(move.number));
  // A record may be whole at the end of a log that nobody has opened since it was killed, and not
  // be committed: opening it decides that it is there. Who has it for himself does that, and may
  // be doing it just now.
  const auto writer = log::Writer::Open(files_, OtherQueueOptions(move.to));
  if (!writer && writer.error().code() != ErrorCode::kBusy) return std::unexpected(writer.error());
  LARDER_ASSIGN(const auto reader, log::Reader::Open(files_, {.directory = move.to.directory,
                                                              .prefix = move.to.prefix}));
  const queue::Delete gone{.ranges = {{.first = move.number, .last = move.number}}};
  LARDER_ASSIGN(const std::optional<uint64_t> there,
                FindMoved(*reader, origin, move.destination_committed));
  if (there) {
    // Not deleted here before it is safe there.
    if (options_.sync != QueueSync::kNever && reader->synced() < *there) {
      if (!writer) return std::unexpected(writer.error());
      LARDER_TRY((*writer)->Sync());
    }
    return step.Commit(gone);
  }
  if (!writer) return std::unexpected(writer.error());
  LARDER_ASSIGN(const bool removed, RemovedBehind(files_, *reader, move));
  if (removed) {
    LogWarning(fmt::format(
        "queue {}/{}: record {} was on its way to the queue {}/{}, from which "
        "records were taken and removed since: it is taken to be one of them",
        options_.directory, options_.prefix, move.number, move.to.directory, move.to.prefix));
    return step.Commit(gone);
  }
  LARDER_TRY(step.Commit(CancelMove{.number = move.number}));
  // It is there again for whoever waits.
  return reader_->Nudge();
}

// A queue of dead letters is appended to beside others.
Result<log::Writer*> FileQueue::DeadLetterWriter(const Place& place) {
  const MutexLock lock(mutex_);
  const std::string path = place.directory + "/" + place.prefix;
  if (const auto found = dead_letters_.find(path); found != dead_letters_.end())
    return found->second.get();
  LARDER_ASSIGN(auto writer, log::Writer::Open(files_, OtherQueueOptions(place)));
  return dead_letters_.emplace(path, std::move(writer)).first->second.get();
}

}  // namespace larder::queue

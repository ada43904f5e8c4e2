// Moving records to another queue. A move is one step of this queue: intent, append there, deletion
// here. Whoever finds an intent in a later step knows that the mover died, and looks over there.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "log/small_files.h"
#include "queue/existing_records.h"
#include "queue/file_queue.h"
#include "queue/moved_record.h"

namespace larder::queue {

namespace {

// Errors of an append that come before anything is written.
bool WroteNothing(ErrorCode code) {
  return code == ErrorCode::kNoSpace || code == ErrorCode::kLimit ||
         code == ErrorCode::kInvalidArgument || code == ErrorCode::kBusy;
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
  const std::string path = options_.directory + "/" + log::NumbersName(options_.prefix);
  LARDER_ASSIGN(const std::string bytes, io::ReadWholeFile(files_, path, log::kSmallFileBytes));
  LARDER_ASSIGN(const log::Numbers numbers, log::ReadNumbersFile(bytes, path));
  return QueueOrigin{.queue = numbers.id, .number = number};
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
  LARDER_ASSIGN(log::Record record, reader_->Read(number));
  LARDER_ASSIGN(QueueRecord moving, FromLog(std::move(record)));
  LARDER_ASSIGN(const uint64_t there, MoveInStep(step, {std::move(moving)}, *destination.writer_,
                                                 {.directory = destination.options_.directory,
                                                  .prefix = destination.options_.prefix}));
  RemoveDeadSegments(step.state());
  LARDER_TRY(positions_->Settle(step.End()));
  return there;
}

Result<void> FileQueue::FinishMoves(PositionsLog::Step& step) {
  // Copied: each that is finished leaves the state.
  std::vector<Moving> moves;
  for (const auto& [number, move] : step.state().moves()) moves.push_back(move);
  for (const Moving& move : moves) {
    if (auto finished = FinishMove(step, move); !finished) {
      return std::unexpected(finished.error().Within(
          fmt::format("record {} was on its way to the queue {}/{} when a process died; to know "
                      "whether it arrived",
                      move.number, move.to.directory, move.to.prefix)));
    }
  }
  return {};
}

// A record may be whole at the end of a log that nobody has opened since it was killed, and not be
// committed: opening it decides that it is there.
Result<void> FileQueue::SettleTail(const Place& place) {
  const auto writer = log::Writer::Open(files_, OtherQueueOptions(place));
  // Who has it for himself opened it after the death of whoever had it before.
  if (!writer && writer.error().code() != ErrorCode::kBusy) return std::unexpected(writer.error());
  return {};
}

Result<void> FileQueue::FinishMove(PositionsLog::Step& step, const Moving& move) {
  LARDER_ASSIGN(const QueueOrigin origin, Origin(move.number));
  LARDER_TRY(SettleTail(move.to));
  LARDER_ASSIGN(const auto reader, log::Reader::Open(files_, {.directory = move.to.directory,
                                                              .prefix = move.to.prefix}));
  for (uint64_t number = move.destination_committed + 1;;) {
    const auto record = reader->ReadFrom(number);
    if (!record) {
      if (record.error().code() != ErrorCode::kNotFound) return std::unexpected(record.error());
      return step.Commit(CancelMove{.number = move.number});
    }
    number = record->number + 1;
    if (record->kind != log::RecordKind::kMarked) continue;
    const auto moved = ReadMovedRecord(record->data, record->number);
    if (!moved || !(moved->origin == origin)) continue;
    return step.Commit(queue::Delete{.ranges = {{.first = move.number, .last = move.number}}});
  }
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

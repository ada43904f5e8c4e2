// Moving records to another queue. A move is one step of this queue: intent, append there, deletion
// here. Whoever finds an intent in a later step knows that the mover died, and looks over there.
#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "log/small_files.h"
#include "queue/arrivals.h"
#include "queue/existing_records.h"
#include "queue/file_queue.h"
#include "queue/moved_record.h"

namespace larder::queue {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTryMovesAgainAfter{1};

// Errors of an append that come before anything is written, unless the writer takes no more then.
bool ComesBeforeWriting(ErrorCode code) {
  return code == ErrorCode::kNoSpace || code == ErrorCode::kLimit ||
         code == ErrorCode::kInvalidArgument || code == ErrorCode::kBusy;
}

// Without a sync, which may fail with the code of an append that has written nothing, when all has
// been.
Result<uint64_t> AppendMoved(log::Writer& destination, std::span<const std::string_view> records,
                             bool& nothing_written) {
  nothing_written = true;
  Result<uint64_t> last;
  {
    LARDER_ASSIGN(auto turn, destination.BeginTurn());
    last = turn.Append(records, log::RecordKind::kMarked);
  }
  // A writer that fails for good at a full disk may have written all of the record, and of its
  // index nothing.
  if (!last) {
    nothing_written =
        ComesBeforeWriting(last.error().code()) && destination.BeginTurn().has_value();
  }
  return last;
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

// None when nothing tells it.
std::optional<QueueId> IdOf(io::FileSystem& files, const Place& place) {
  const std::string path = place.directory + "/" + log::NumbersName(place.prefix);
  const auto bytes = io::ReadWholeFile(files, path, log::kSmallFileBytes);
  if (!bytes) return std::nullopt;
  const auto numbers = log::ReadNumbersFile(*bytes, path);
  if (!numbers) return std::nullopt;
  return numbers->id;
}

// A queue may have two names, by links.
bool MayBeSame(io::FileSystem& files, const Place& one, const Place& other) {
  if (one == other) return true;
  const auto id_of_one = IdOf(files, one);
  const auto id_of_other = IdOf(files, other);
  return !id_of_one || !id_of_other || *id_of_one == *id_of_other;
}

// Whatever is asked of `place` about moves that are open, or will be, is behind this number.
uint64_t NeededBehind(io::FileSystem& files, const Positions& state, const Place& place) {
  uint64_t behind = UINT64_MAX;
  for (const auto& [number, move] : state.moves()) {
    if (move.destination_committed < behind && MayBeSame(files, move.to, place))
      behind = move.destination_committed;
  }
  return behind;
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
  for (const QueueRecord& record : records) {
    LARDER_TRY(step.Commit(Moving{
        .number = record.number, .to = place, .destination_committed = destination.committed()}));
  }
  const uint64_t needed_behind = NeededBehind(files_, step.state(), place);
  std::vector<std::string> moved;
  moved.reserve(records.size());
  for (const QueueRecord& record : records) {
    LARDER_ASSIGN(const QueueOrigin origin, Origin(record.number));
    moved.push_back(
        MakeMovedRecord({.data = record.data, .origin = origin, .needed_behind = needed_behind}));
  }
  // In this order on the disk, too: no record is over there whose intent is lost, and none is
  // deleted here that is not there. With kNever it may be in both, but never in none.
  if (options_.sync != QueueSync::kNever) LARDER_TRY(step.Sync());
  const std::vector<std::string_view> views(moved.begin(), moved.end());
  bool nothing_written = false;
  const auto last = AppendMoved(destination, views, nothing_written);
  if (!last) {
    // Where they may be there the intents stay, and a later step looks.
    if (nothing_written) {
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
  // be committed: opening it decides that it is there. Who has it for himself does that, has done
  // it, or is about to.
  const auto writer = log::Writer::Open(files_, OtherQueueOptions(move.to));
  if (!writer && writer.error().code() != ErrorCode::kBusy) return std::unexpected(writer.error());
  LARDER_ASSIGN(const auto reader, log::Reader::Open(files_, {.directory = move.to.directory,
                                                              .prefix = move.to.prefix}));
  // Where he has done it, or had nothing to decide, what is committed is all that will be there.
  // Who moved it said so in the log's control page before he wrote its first byte, and takes that
  // back behind its commit, or once he has said there that the log failed. So of a dead one the
  // page says
  //   - that he is appending, or that the log failed: until somebody has recovered;
  //   - of a machine that was off since: nothing that is trusted, until somebody has recovered;
  //   - else that his record is committed, or that he never began to write it.
  // That is true in the moment, too, in which somebody has the log's lock and has not looked at it
  // yet: he finds what the page says already. Asked before the search, so that what is committed
  // between the two is found; and after it, as a recovery may have copied the record meanwhile, to
  // where the search did not look.
  const std::optional<uint32_t> decided = reader->Decided();
  const queue::Delete gone{.ranges = {{.first = move.number, .last = move.number}}};
  LARDER_ASSIGN(const std::optional<uint64_t> there,
                FindMoved(*reader, origin, move.destination_committed));
  if (there) {
    // Not deleted here before it is safe there, whatever the policy: else a power cut may take
    // both.
    if (reader->synced() < *there) {
      if (!writer) return std::unexpected(writer.error());
      LARDER_TRY((*writer)->Sync());
    }
    return step.Commit(gone);
  }
  // Then it may have been there, and have been taken and removed with its segment. Who removes one
  // commits first what had arrived in it. So whatever the search above has missed because it was
  // removed meanwhile, or before, is told by the positions that are read now. (Read before the
  // search they would not tell of what is removed between the two.) They cannot have forgotten it:
  // they forget what is not behind the number that a moved record of this queue says is needed,
  // and none says one above that of a move that was open then. Nor does it arrive later: who moved
  // it is dead.
  LARDER_ASSIGN(const bool arrived,
                HasArrived(files_, move.to, origin, move.destination_committed));
  if (arrived) return step.Commit(gone);
  if (!writer && (!decided || reader->Decided() != decided)) return std::unexpected(writer.error());
  LARDER_TRY(step.Commit(CancelMove{.number = move.number}));
  // It is there again for whoever waits.
  return reader_->Nudge();
}

// Commits what had arrived in segments that are about to be removed. Whether that has to be safe
// before they go.
Result<bool> FileQueue::RememberArrivals(PositionsLog::Step& step,
                                         const std::vector<uint64_t>& first_numbers) {
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  bool any = false;
  for (const log::SegmentInfo& segment : segments) {
    const uint64_t first = segment.first_number;
    if (!segment.may_be_marked || std::ranges::find(first_numbers, first) == first_numbers.end())
      continue;
    const auto found =
        ArrivalsIn(files_, {.directory = options_.directory, .prefix = options_.prefix}, first);
    if (!found) {
      // Another process has removed it.
      if (found.error().code() == ErrorCode::kNotFound) continue;
      return std::unexpected(found.error());
    }
    if (found->unknown_bytes != 0) {
      LogWarning(fmt::format(
          "queue {}/{}: of {} bytes of segment {}, which is removed, it is not known whether they "
          "came from another queue: should that have died moving them, it keeps them",
          options_.directory, options_.prefix, found->unknown_bytes, first));
    }
    for (const Arrived& arrived : found->by_queue) LARDER_TRY(step.Commit(arrived));
    any = any || !found->by_queue.empty();
  }
  return any && options_.sync != QueueSync::kNever;
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

// In the step in which it was used.
void FileQueue::DropDeadLetterWriter(const Place& place) {
  // Closed when the mutex is free.
  std::unique_ptr<log::Writer> dropped;
  const MutexLock lock(mutex_);
  const auto found = dead_letters_.find(place.directory + "/" + place.prefix);
  if (found == dead_letters_.end()) return;
  dropped = std::move(found->second);
  dead_letters_.erase(found);
}

}  // namespace larder::queue

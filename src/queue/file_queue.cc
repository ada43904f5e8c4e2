#include "queue/file_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "io/absolute_path.h"
#include "log/batch.h"
#include "queue/existing_records.h"
#include "queue/moved_record.h"

namespace larder::queue {

std::chrono::steady_clock::time_point DeadlineAfter(std::chrono::milliseconds timeout) {
  const auto now = std::chrono::steady_clock::now();
  const auto farthest = std::chrono::floor<std::chrono::milliseconds>(
      std::chrono::steady_clock::time_point::max() - now);
  return timeout < farthest ? now + timeout : std::chrono::steady_clock::time_point::max();
}

namespace {

using std::chrono::steady_clock;

int64_t SystemNowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

log::SyncPolicy PolicyOf(QueueSync sync) {
  switch (sync) {
    case QueueSync::kNever:
      return log::SyncPolicy::kNever;
    case QueueSync::kInterval:
      return log::SyncPolicy::kInterval;
    case QueueSync::kAlways:
      return log::SyncPolicy::kAlways;
  }
  return log::SyncPolicy::kAlways;
}

}  // namespace

log::Options WriterOptions(const QueueOptions& options) {
  return {.directory = options.directory,
          .prefix = options.prefix,
          .sync = PolicyOf(options.sync),
          .sync_interval = options.sync_interval,
          .sync_bytes = options.sync_bytes,
          .segment_bytes = options.max_segment_bytes,
          .max_segments = options.max_segments,
          .writers = options.writers == QueueWriters::kShared ? log::Writers::kShared
                                                              : log::Writers::kExclusive,
          .locking = options.locking};
}

namespace {

Result<void> CheckOptions(const QueueOptions& options) {
  if (options.directory.empty())
    return Fail(ErrorCode::kInvalidArgument, "a queue needs a directory");
  if (options.prefix.size() > kMaxPrefixBytes) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a queue's prefix has {} bytes, at most {}", options.prefix.size(),
                            kMaxPrefixBytes));
  }
  if (options.max_segments == 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "max_segments is 1: one is written while another is emptied; 2 at least");
  }
  if (options.prefix.ends_with(kPositionsSuffix)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a queue's prefix cannot be \"{}\": what ends in \"{}\" are the "
                            "positions of another queue",
                            options.prefix, kPositionsSuffix));
  }
  if (options.sync == QueueSync::kInterval && options.sync_interval.count() <= 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a queue's sync_interval is {} ms; at least 1 (QueueSync::kAlways "
                            "syncs at once)",
                            options.sync_interval.count()));
  }
  return {};
}

bool CanFit(std::span<const std::string_view> records) {
  return std::ranges::none_of(
             records,
             [](std::string_view record) { return record.size() > log::kMaxRecordBytes; }) &&
         log::BatchBytes(records) <= log::kMaxBatchBytes;
}

}  // namespace

FileQueue::FileQueue(io::FileSystem& files, QueueOptions options, std::function<int64_t()> now_ms)
    : files_(files),
      options_(std::move(options)),
      now_ms_(now_ms ? std::move(now_ms) : SystemNowMs) {}

FileQueue::~FileQueue() {
  if (const auto closed = Close(); !closed) {
    LogError(fmt::format("queue {}/{}: {}", options_.directory, options_.prefix,
                         closed.error().message()));
  }
}

Result<std::unique_ptr<FileQueue>> FileQueue::Open(io::FileSystem& files,
                                                   const QueueOptions& options,
                                                   std::function<int64_t()> now_ms) {
  LARDER_TRY(CheckOptions(options));
  QueueOptions absolute = options;
  absolute.directory = io::AbsolutePath(options.directory);
  std::unique_ptr<FileQueue> queue(new FileQueue(files, std::move(absolute), std::move(now_ms)));
  LARDER_TRY(queue->Begin());
  return queue;
}

Result<void> FileQueue::Begin() {
  LARDER_TRY(files_.MakeDirectories(options_.directory));
  // The writer first: who may not have the queue learns it before anything else is touched.
  if (options_.writers != QueueWriters::kNone) {
    LARDER_ASSIGN(writer_, log::Writer::Open(files_, WriterOptions(options_)));
  }
  LARDER_ASSIGN(reader_,
                log::Reader::Open(files_, {.directory = options_.directory,
                                           .prefix = options_.prefix,
                                           .max_resident_bytes = options_.max_resident_bytes}));
  LARDER_ASSIGN(positions_, PositionsLog::Open(files_, {.directory = options_.directory,
                                                        .prefix = options_.prefix,
                                                        .sync = PolicyOf(options_.sync),
                                                        .sync_interval = options_.sync_interval,
                                                        .locking = options_.locking}));
  return MakeRoom();
}

Result<void> FileQueue::CheckOpen() const {
  if (!closed_) return {};
  return Fail(ErrorCode::kInvalidArgument, "the queue is closed");
}

Result<PositionsLog::Step> FileQueue::BeginStep() {
  LARDER_TRY(CheckOpen());
  LARDER_ASSIGN(auto step, positions_->Begin());
  if (!step.state().moves().empty()) FinishMoves(step);
  return step;
}

// ---- Putting in.

Result<uint64_t> FileQueue::Append(std::span<const std::string_view> records) {
  LARDER_TRY(CheckOpen());
  if (writer_ == nullptr) {
    return Fail(ErrorCode::kInvalidArgument,
                "this queue was opened with QueueWriters::kNone: it cannot append");
  }
  auto appended = writer_->Append(records);
  if (appended || appended.error().code() != ErrorCode::kLimit || options_.max_segments == 0)
    return appended;
  // Room would not help one that never fits.
  if (!CanFit(records)) return appended;
  return AppendToFull(records);
}

// Others may drop a segment and fill another one between two looks; that often in a row it is
// something else that hinders.
constexpr int kMostRoundsInVain = 16;

// A segment may be dead that nobody has removed yet, so every policy looks first.
Result<uint64_t> FileQueue::AppendToFull(std::span<const std::string_view> records) {
  const auto deadline = DeadlineAfter(options_.full_timeout);
  for (int rounds_in_vain = 0;;) {
    // What is deleted from here on wakes.
    LARDER_ASSIGN(const uint32_t prepared, positions_->PrepareToWait());
    LARDER_TRY(MakeRoom());
    auto appended = writer_->Append(records);
    if (appended || appended.error().code() != ErrorCode::kLimit) return appended;
    if (options_.when_full == QueueFull::kRefuse) return appended;
    if (options_.when_full == QueueFull::kDropOldest) {
      LARDER_ASSIGN(const Dropped dropped, DropOldest());
      rounds_in_vain = dropped == Dropped::kByOthers ? rounds_in_vain + 1 : 0;
      if (dropped == Dropped::kNothing || rounds_in_vain > kMostRoundsInVain) return appended;
      continue;
    }
    if (steady_clock::now() >= deadline || closed_) return appended;
    LARDER_TRY(positions_->Wait(prepared, deadline));
  }
}

Result<void> FileQueue::MakeRoom() {
  LARDER_ASSIGN(auto step, BeginStep());
  {
    // Who deleted the last of a segment's records may have died before it was removed.
    const MutexLock lock(mutex_);
    looked_through_ = nullptr;
  }
  RemoveDeadSegments(step, {});
  return {};
}

Result<FileQueue::Dropped> FileQueue::DropOldest() {
  LARDER_ASSIGN(const auto segments, reader_->ListSegments());
  if (segments.size() < options_.max_segments) return Dropped::kByOthers;
  if (segments.sealed->empty()) return Dropped::kNothing;
  LARDER_ASSIGN(auto step, BeginStep());
  const log::SegmentInfo& first = segments.sealed->front();
  const std::vector<Range> oldest =
      Existing(segments, {{.first = first.first_number, .last = first.last_number()}});
  LARDER_ASSIGN(const uint64_t deleted, DeleteRanges(step, oldest));
  RemoveDeadSegments(step, oldest);
  if (deleted != 0) return Dropped::kSome;
  LARDER_ASSIGN(const auto left, reader_->ListSegments());
  return left.size() < segments.size() ? Dropped::kSome : Dropped::kNothing;
}

// ---- Looking.

Result<QueueRecord> FileQueue::FromLog(log::Record record) {
  QueueRecord taken{.number = record.number, .data = record.data, .held = std::move(record.held)};
  if (record.kind == log::RecordKind::kMarked) {
    LARDER_ASSIGN(const MovedRecord moved, ReadMovedRecord(record.data, record.number));
    taken.data = moved.data;
    taken.origin = moved.origin;
  }
  return taken;
}

// At most `count` records from `from` on that are not deleted.
Result<std::vector<QueueRecord>> FileQueue::Live(const Positions& state, uint64_t from,
                                                 size_t count) {
  std::vector<QueueRecord> live;
  uint64_t number = from;
  while (live.size() < count) {
    number = state.Front(number);
    auto record = reader_->ReadFrom(number);
    if (!record) {
      if (record.error().code() == ErrorCode::kNotFound) break;
      return std::unexpected(std::move(record).error());
    }
    // Behind a gap in the numbers may be one that is deleted.
    const bool there = state.Front(record->number) == record->number;
    number = record->number + (there ? 1 : 0);
    if (!there) continue;
    LARDER_ASSIGN(QueueRecord taken, FromLog(*std::move(record)));
    live.push_back(std::move(taken));
  }
  return live;
}

Result<QueueRecord> FileQueue::Read(uint64_t number) {
  LARDER_TRY(CheckOpen());
  bool deleted = false;
  LARDER_TRY(positions_->Look(
      [&](const Positions& state) { deleted = state.deleted().Contains(number); }));
  if (deleted) return Fail(ErrorCode::kNotFound, fmt::format("record {} was deleted", number));
  LARDER_ASSIGN(log::Record record, reader_->Read(number));
  return FromLog(std::move(record));
}

// What a process left on its way when it died may be the front: a step finds out.
Result<void> FileQueue::FinishMovesFirst() {
  LARDER_TRY(CheckOpen());
  bool moves = false;
  LARDER_TRY(positions_->Look([&](const Positions& state) { moves = !state.moves().empty(); }));
  if (moves) LARDER_TRY(BeginStep());
  return {};
}

Result<std::vector<QueueRecord>> FileQueue::ReadMany(uint64_t number, size_t count) {
  LARDER_TRY(FinishMovesFirst());
  Result<std::vector<QueueRecord>> live;
  LARDER_TRY(positions_->Look(
      [&](const Positions& state) { live = Live(state, std::max<uint64_t>(number, 1), count); }));
  return live;
}

Result<bool> FileQueue::WaitForData(Milliseconds timeout, std::chrono::nanoseconds spin) {
  const auto deadline = DeadlineAfter(timeout);
  for (;;) {
    const uint64_t last = reader_->committed();
    LARDER_ASSIGN(const auto front, ReadMany(0, 1));
    if (!front.empty()) return true;
    if (steady_clock::now() >= deadline) return false;
    // What comes now is there, unless another consumer takes it first, as it may at any time.
    LARDER_ASSIGN(const bool more, reader_->WaitAbove(last, deadline, spin));
    if (more) return true;
  }
}

Result<void> FileQueue::Refresh() {
  LARDER_TRY(CheckOpen());
  return positions_->Refresh();
}

// ---- Taking out.

// Those of `ranges` that exist and are not deleted yet, of which it says how many.
Result<uint64_t> FileQueue::DeleteRanges(PositionsLog::Step& step,
                                         const std::vector<Range>& ranges) {
  uint64_t numbers = 0;
  uint64_t already = 0;
  for (const Range& range : ranges) {
    numbers += range.last - range.first + 1;
    already += step.state().deleted().Count(range.first, range.last);
  }
  if (numbers == already) return 0;
  LARDER_TRY(step.Commit(queue::Delete{.ranges = ranges}));
  return numbers - already;
}

Result<std::vector<QueueRecord>> FileQueue::PopMany(size_t count) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(auto popped, Live(step.state(), 1, count));
  if (popped.empty()) return popped;
  const std::vector<Range> ranges = RangesOfRecords(popped);
  LARDER_TRY(step.Commit(queue::Delete{.ranges = ranges}));
  RemoveDeadSegments(step, ranges);
  // Who pops has to get what was taken, also when it is not safe: nobody else gets it any more. A
  // sync that has failed fails the next call, too.
  if (const auto settled = positions_->Settle(step.End()); !settled) {
    LogWarning(
        fmt::format("queue {}/{}: records were popped, and a power cut may bring them back: "
                    "{}",
                    options_.directory, options_.prefix, settled.error().message()));
  }
  return popped;
}

Result<uint64_t> FileQueue::Delete(Numbers numbers) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const auto segments, reader_->ListSegments());
  const std::vector<Range> wanted = RangesOf({numbers.begin(), numbers.end()});
  const std::vector<Range> there = Existing(segments, wanted);
  LARDER_ASSIGN(const uint64_t deleted, DeleteRanges(step, there));
  RemoveDeadSegments(step, there);
  LARDER_TRY(positions_->Settle(step.End()));
  return deleted;
}

Result<bool> FileQueue::DeleteFront() {
  LARDER_ASSIGN(const auto popped, PopMany(1));
  return !popped.empty();
}

Result<uint64_t> FileQueue::Prune(uint64_t up_to) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const auto segments, reader_->ListSegments());
  return PruneRanges(step, Existing(segments, {{.first = 1, .last = up_to}}));
}

Result<uint64_t> FileQueue::PruneSegment(uint64_t first) {
  LARDER_ASSIGN(auto step, BeginStep());
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  if (first == kQueueOldest) {
    if (segments.empty()) return 0;
    first = segments[0].first_number;
  }
  const auto found = std::ranges::find(segments, first, &log::SegmentInfo::first_number);
  if (found == segments.end())
    return Fail(ErrorCode::kNotFound, fmt::format("no segment begins with record {}", first));
  if (found->records == 0) return 0;
  return PruneRanges(step, {{.first = first, .last = found->last_number()}});
}

Result<uint64_t> FileQueue::PruneRanges(PositionsLog::Step& step,
                                        const std::vector<Range>& ranges) {
  LARDER_ASSIGN(const uint64_t deleted, DeleteRanges(step, ranges));
  RemoveDeadSegments(step, ranges);
  if (const auto replaced = ReplaceLastSegment(step); !replaced) NoteDeadStays(replaced.error());
  LARDER_TRY(positions_->Settle(step.End()));
  return deleted;
}

// ---- Segments that nobody needs any more.

// Since the records of `ranges` were deleted. What cannot be removed now is removed later: whatever
// was done to the records holds all the same.
void FileQueue::RemoveDeadSegments(PositionsLog::Step& step, const std::vector<Range>& ranges) {
  const auto dead = FindDead(step.state(), ranges);
  const auto removed = dead ? RemoveSegments(step, *dead) : std::unexpected(dead.error());
  if (!removed) NoteDeadStays(removed.error());
}

void FileQueue::NoteDeadStays(const Error& error) {
  LogWarning(fmt::format("queue {}/{}: a segment that nobody needs any more stays: {}",
                         options_.directory, options_.prefix, error.message()));
  // It is found again by whatever is deleted next.
  const MutexLock lock(mutex_);
  looked_through_ = nullptr;
}

// The last one goes when it is dead and has a successor. Making one costs some syncs.
Result<void> FileQueue::ReplaceLastSegment(PositionsLog::Step& step) {
  constexpr uint64_t kWorthReplacing = uint64_t{1} << 20;
  if (writer_ == nullptr) return {};
  uint64_t first = 0;
  {
    LARDER_ASSIGN(auto turn, writer_->BeginTurn());
    LARDER_ASSIGN(const auto segments, reader_->ListSegments());
    if (!segments.last || segments.last->bytes <= kWorthReplacing) return {};
    if (!IsDead(*segments.last, step.state().deleted())) return {};
    first = segments.last->first_number;
    LARDER_TRY(turn.Rotate());
  }
  return RemoveSegments(step, {first});
}

// While the set of segments stays as it is, only those that have one of `ranges` can have died. The
// last one cannot go, so it is looked at again when it has a successor.
Result<std::vector<uint64_t>> FileQueue::FindDead(const Positions& state,
                                                  const std::vector<Range>& ranges) {
  const MutexLock lock(mutex_);
  LARDER_ASSIGN(const auto sealed, reader_->SealedSegments());
  const bool same = std::exchange(looked_through_, sealed) == sealed;
  std::vector<uint64_t> dead;
  const auto look = [&](const log::SegmentInfo& segment) {
    if (segment.records == 0 || IsDead(segment, state.deleted()))
      dead.push_back(segment.first_number);
  };
  if (!same) {
    std::ranges::for_each(*sealed, look);
    return dead;
  }
  for (const Range& range : ranges)
    std::ranges::for_each(Concerned(*sealed, range.first, range.last), look);
  return dead;
}

Result<void> FileQueue::RemoveSegments(PositionsLog::Step& step,
                                       const std::vector<uint64_t>& first_numbers) {
  if (first_numbers.empty()) return {};
  LARDER_ASSIGN(const bool arrivals, RememberArrivals(step, first_numbers));
  // Records do not go before it is safe that they were deleted, where that was promised.
  if (arrivals || options_.sync == QueueSync::kAlways) LARDER_TRY(step.Sync());
  for (const uint64_t first : first_numbers) {
    const auto removed = reader_->RemoveSegment(first);
    // It is the last one as long as its successor is only being made: then its time comes later.
    if (!removed && removed.error().code() != ErrorCode::kInvalidArgument) return removed;
  }
  return {};
}

// ---- Looking around.

Result<uint64_t> FileQueue::Length() {
  LARDER_TRY(CheckOpen());
  LARDER_ASSIGN(const auto segments, reader_->ListSegments());
  uint64_t length = 0;
  LARDER_TRY(positions_->Look(
      [&](const Positions& state) { length = CountLive(segments, state.deleted(), 1); }));
  return length;
}

Result<uint64_t> FileQueue::Bytes() {
  LARDER_ASSIGN(const QueueStats stats, Stats());
  return stats.bytes;
}

Result<QueueStats> FileQueue::Stats() {
  QueueStats stats;
  LARDER_ASSIGN(stats.length, Length());
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  LARDER_ASSIGN(stats.position_bytes, positions_->Bytes());
  stats.bytes = stats.position_bytes;
  stats.segments = segments.size();
  stats.last = reader_->committed();
  stats.synced = reader_->synced();
  uint64_t records = 0;
  for (const log::SegmentInfo& segment : segments) {
    stats.bytes += segment.bytes;
    records += segment.records;
  }
  if (!segments.empty()) stats.oldest_ms = segments[0].made_at_ms;
  stats.deleted = records - std::min(records, stats.length);
  LARDER_ASSIGN(const auto front, ReadMany(0, 1));
  if (!front.empty()) stats.first = front[0].number;
  LARDER_ASSIGN(stats.groups, GroupStats());
  return stats;
}

Result<std::vector<QueueSegment>> FileQueue::Segments() {
  LARDER_TRY(CheckOpen());
  LARDER_ASSIGN(const auto segments, reader_->Segments());
  std::vector<QueueSegment> told;
  LARDER_TRY(positions_->Look([&](const Positions& state) {
    for (const log::SegmentInfo& segment : segments) {
      const uint64_t deleted = state.deleted().Count(segment.first_number, segment.last_number());
      told.push_back({.first = segment.first_number,
                      .last = segment.last_number(),
                      .length = segment.records - deleted,
                      .bytes = segment.bytes,
                      .made_ms = segment.made_at_ms});
    }
  }));
  return told;
}

Result<void> FileQueue::Sync() {
  LARDER_TRY(CheckOpen());
  if (writer_ != nullptr) LARDER_TRY(writer_->Sync());
  return positions_->Sync();
}

Result<void> FileQueue::Close() {
  if (closed_.exchange(true)) return {};
  Result<void> closed;
  const auto note = [&closed](Result<void> done) {
    if (closed) closed = std::move(done);
  };
  if (reader_ != nullptr) reader_->Interrupt();
  if (positions_ != nullptr) {
    positions_->Interrupt();
    note(positions_->Close());
  }
  if (writer_ != nullptr) note(writer_->Close());
  const MutexLock lock(mutex_);
  for (const auto& [path, writer] : dead_letters_) note(writer->Close());
  return closed;
}

}  // namespace larder::queue

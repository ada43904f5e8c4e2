// FileQueue: a queue in a directory. What include/larder/queue.h promises, on any file system.
// Format: docs/formats/queue.md
//
// Two logs: the records, and the positions (queue/positions_log.h). What is deleted, handed out or
// acknowledged is decided in a turn of the positions log, so that no two processes decide at once.
//
// Threads:    all members from any thread.
// Durability: see include/larder/queue.h.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "larder/queue.h"
#include "log/reader.h"
#include "log/writer.h"
#include "queue/positions_log.h"

namespace larder::queue {

// When that is, or the farthest moment that there is.
std::chrono::steady_clock::time_point DeadlineAfter(std::chrono::milliseconds timeout);
log::Options WriterOptions(const QueueOptions& options);

class FileQueue {
 public:
  using Numbers = std::span<const uint64_t>;
  using Milliseconds = std::chrono::milliseconds;

  // `now_ms` is the Unix time, for deadlines.
  static Result<std::unique_ptr<FileQueue>> Open(io::FileSystem& files, const QueueOptions& options,
                                                 std::function<int64_t()> now_ms = {});
  ~FileQueue();
  FileQueue(const FileQueue&) = delete;
  FileQueue& operator=(const FileQueue&) = delete;

  Result<uint64_t> Append(std::span<const std::string_view> records);

  Result<QueueRecord> Read(uint64_t number);
  Result<std::vector<QueueRecord>> ReadMany(uint64_t number, size_t count);
  Result<bool> WaitForData(Milliseconds timeout, std::chrono::nanoseconds spin);
  Result<void> Refresh();

  Result<std::vector<QueueRecord>> PopMany(size_t count);
  Result<uint64_t> Delete(Numbers numbers);
  Result<bool> DeleteFront();
  Result<uint64_t> Prune(uint64_t up_to);
  Result<uint64_t> PruneSegment(uint64_t first);
  Result<uint64_t> Move(uint64_t number, FileQueue& destination);

  Result<void> CreateGroup(std::string_view group, const QueueGroupOptions& options);
  Result<void> DropGroup(std::string_view group);
  Result<std::vector<QueueRecord>> Receive(std::string_view group, std::string_view consumer,
                                           size_t count, Milliseconds timeout);
  Result<uint64_t> Acknowledge(std::string_view group, Numbers numbers);
  Result<uint64_t> Release(std::string_view group, Numbers numbers, Milliseconds delay);
  Result<uint64_t> Extend(std::string_view group, Numbers numbers, Milliseconds timeout);

  Result<uint64_t> Length();
  Result<uint64_t> Bytes();
  Result<QueueStats> Stats();
  Result<std::vector<QueueSegment>> Segments();
  const QueueOptions& options() const { return options_; }

  Result<void> Sync();
  Result<void> Close();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  FileQueue(io::FileSystem& files, QueueOptions options, std::function<int64_t()> now_ms);
  Result<void> Begin();

  // ---- What is there.
  Result<void> FinishMovesFirst();
  Result<std::vector<QueueRecord>> Live(const Positions& state, uint64_t from, size_t count);
  Result<uint64_t> DeleteRanges(PositionsLog::Step& step, const std::vector<Range>& ranges);
  Result<uint64_t> PruneRanges(PositionsLog::Step& step, const std::vector<Range>& ranges);
  void RemoveDeadSegments(PositionsLog::Step& step, const std::vector<Range>& ranges);
  Result<void> ReplaceLastSegment(PositionsLog::Step& step);
  void NoteDeadStays(const Error& error);
  Result<std::vector<uint64_t>> FindDead(const Positions& state, const std::vector<Range>& ranges);
  Result<void> RemoveSegments(PositionsLog::Step& step, const std::vector<uint64_t>& first_numbers);
  static Result<QueueRecord> FromLog(log::Record record);

  // ---- Room in a full queue.
  Result<uint64_t> AppendToFull(std::span<const std::string_view> records);
  Result<void> MakeRoom();
  enum class Dropped : uint8_t { kNothing, kSome, kByOthers };
  Result<Dropped> DropOldest();

  // ---- Groups (group_delivery.cc)
  struct Overdue;
  Result<std::vector<QueueRecord>> ReceiveNow(std::string_view group, std::string_view consumer,
                                              size_t count);
  Result<Overdue> FindOverdue(const Positions& state, const Group& group, int64_t now_ms,
                              size_t count, size_t most_dead);
  Result<void> Bury(PositionsLog::Step& step, const Place& place, const Overdue& overdue);
  TimePoint BuryAgainAt();
  void NoteNotBuried(std::string_view group, const Error& error);
  Result<TimePoint> NextDelivery(std::string_view group, TimePoint deadline);
  Result<std::vector<QueueGroupStats>> GroupStats();

  // ---- Moves (moves.cc)
  log::Options OtherQueueOptions(const Place& place) const;
  Result<QueueOrigin> Origin(uint64_t number);
  Result<uint64_t> MoveInStep(PositionsLog::Step& step, const std::vector<QueueRecord>& records,
                              log::Writer& destination, const Place& place);
  void FinishMoves(PositionsLog::Step& step);
  Result<void> FinishMove(PositionsLog::Step& step, const Moving& move);
  Result<bool> RememberArrivals(PositionsLog::Step& step,
                                const std::vector<uint64_t>& first_numbers);
  Result<log::Writer*> DeadLetterWriter(const Place& place);
  void DropDeadLetterWriter(const Place& place);

  // A step in which no move is half done whose end can be known.
  Result<PositionsLog::Step> BeginStep();
  Result<void> CheckOpen() const;

  io::FileSystem& files_;
  const QueueOptions options_;
  const std::function<int64_t()> now_ms_;
  std::unique_ptr<log::Writer> writer_;  // none: this process does not append
  std::unique_ptr<log::Reader> reader_;
  std::unique_ptr<PositionsLog> positions_;
  std::atomic<bool> closed_ = false;

  Mutex mutex_;
  // Of these, the dead ones have been found.
  std::shared_ptr<const std::vector<log::SegmentInfo>> looked_through_ LARDER_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<log::Writer>> dead_letters_ LARDER_GUARDED_BY(mutex_);
  std::optional<std::array<char, 16>> id_ LARDER_GUARDED_BY(mutex_);  // once it was read
  TimePoint bury_again_at_ LARDER_GUARDED_BY(mutex_);                 // after it could not be done
  // Numbers of moves that could not be finished, and when to try again.
  std::map<uint64_t, TimePoint> unfinished_moves_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::queue

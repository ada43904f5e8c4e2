#include "snapshot/in_pieces.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace larder::snapshot {
namespace {

class PieceWork {
 public:
  PieceWork(uint64_t count, const PieceCheck& check) : check_(check), end_(count) {}

  // Pieces are taken in order, so those before one that fails are done or under way.
  void Work(const std::function<Result<void>()>* between) {
    for (;;) {
      const uint64_t piece = next_.fetch_add(1);
      if (piece >= end_.load()) return;
      Note(piece, check_(piece));
      if (between == nullptr) continue;
      if (auto go_on = (*between)(); !go_on) Note(0, std::move(go_on));
    }
  }

  Result<void> Verdict() {
    const MutexLock lock(mutex_);
    if (error_) return std::unexpected(std::move(*error_));
    return {};
  }

 private:
  void Note(uint64_t piece, Result<void> result) {
    if (result) return;
    const MutexLock lock(mutex_);
    if (error_ && piece >= failed_) return;
    error_ = std::move(result).error();
    failed_ = piece;
    end_.store(std::min(end_.load(), piece));
  }

  const PieceCheck& check_;
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> end_;  // pieces from here on are not wanted any more
  Mutex mutex_;
  uint64_t failed_ LARDER_GUARDED_BY(mutex_) = 0;
  std::optional<Error> error_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace

void WorkOnThreads(uint64_t threads, const std::function<void()>& own,
                   const std::function<void()>& others) {
  std::vector<std::jthread> started;
  try {
    for (uint64_t other = 1; other < threads; ++other) started.emplace_back(others);
  } catch (const std::system_error&) {
    // No more threads are to be had; those there are do all the work.
    return own();
  }
  own();
}

Result<void> CheckInPieces(uint64_t count, unsigned threads, const PieceCheck& check,
                           const std::function<Result<void>()>& between) {
  PieceWork work(count, check);
  WorkOnThreads(
      std::min<uint64_t>(threads, count), [&] { work.Work(&between); },
      [&] { work.Work(nullptr); });
  return work.Verdict();
}

}  // namespace larder::snapshot

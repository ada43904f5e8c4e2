#include "snapshot/lookup_check.h"

#include <array>
#include <atomic>
#include <optional>

#include <fmt/format.h>

#include "base/mutex.h"
#include "snapshot/in_pieces.h"
#include "snapshot/printable_key.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {
namespace {

constexpr size_t kGroup = 16;  // records whose buckets are fetched side by side

class Checker {
 public:
  Checker(const Snapshot& snapshot, std::span<const uint64_t> starts)
      : snapshot_(snapshot),
        starts_(starts),
        space_{.base = snapshot.mapping().bytes().data(),
               .end = snapshot.header().records_end,
               .member_seed = snapshot.header().member_seed} {}

  // Takes pieces until there are none, or somebody failed.
  void Work(const StepProgress* progress) {
    for (;;) {
      const size_t piece = next_.fetch_add(1);
      if (piece >= starts_.size() || failed_.load()) return;
      const uint64_t end = piece + 1 < starts_.size() ? starts_[piece + 1] : space_.end;
      Note(CheckPiece(starts_[piece], end));
      if (progress != nullptr) Note((*progress)(end));
    }
  }

  Result<void> Verdict() {
    const MutexLock lock(mutex_);
    if (snapshot_.damaged()) {
      return Fail(ErrorCode::kIoError, "pages of the new file cannot be read back");
    }
    if (error_) return std::unexpected(*error_);
    if (live_.load() != snapshot_.record_count()) {
      return Fail(ErrorCode::kInternal,
                  fmt::format("{} keys are found by look-ups, {} are expected", live_.load(),
                              snapshot_.record_count()));
    }
    return {};
  }

 private:
  void Note(Result<void> result) {
    if (result) return;
    const MutexLock lock(mutex_);
    if (!error_) error_ = std::move(result).error();
    failed_.store(true);
  }

  Result<void> CheckPiece(uint64_t begin, uint64_t end) {
    struct Probe {
      StoredRecord record;
      uint64_t hash = 0;
    };
    std::array<Probe, kGroup> group;
    uint64_t live = 0;
    for (uint64_t at = begin; at < end;) {
      size_t size = 0;
      for (; size < kGroup && at < end; ++size) {
        Probe& probe = group[size];
        if (!ReadRecord(space_, at, probe.record)) return Wrong(at, "is not well-formed");
        probe.hash = snapshot_.Hash(probe.record.key);
        snapshot_.PrefetchBucket(probe.hash);
        PrefetchRecords(space_, at, probe.record.bytes());
        at += probe.record.bytes();
      }
      for (const Probe& probe : std::span(group).first(size)) {
        LARDER_ASSIGN(const bool is_live, CheckRecord(probe.record, probe.hash));
        live += is_live ? 1 : 0;
      }
    }
    live_.fetch_add(live);
    return {};
  }

  // Whether the index leads to this very record.
  Result<bool> CheckRecord(const StoredRecord& record, uint64_t hash) {
    const auto found = snapshot_.Find(record.key, hash);
    if (!found) return Wrong(record.offset, "is not found by its key " + PrintableKey(record.key));
    const auto collection = CollectionOf(record.key, snapshot_.header().separator);
    if (collection && snapshot_.CollectionSize(*collection) == 0) {
      return Wrong(record.offset, "has no collection in the directory: key " +
                                      PrintableKey(record.key) + "; build with another seed");
    }
    return found->encoded.data() == record.value.data();
  }

  static std::unexpected<Error> Wrong(uint64_t offset, std::string_view what) {
    return Fail(
        ErrorCode::kInternal,
        fmt::format("the new file fails its check: the record at byte {} {}", offset, what));
  }

  const Snapshot& snapshot_;
  std::span<const uint64_t> starts_;
  RecordSpace space_;
  std::atomic<size_t> next_{0};
  std::atomic<uint64_t> live_{0};
  std::atomic<bool> failed_{false};
  Mutex mutex_;
  std::optional<Error> error_ LARDER_GUARDED_BY(mutex_);  // the first
};

}  // namespace

Result<void> CheckLookups(const Snapshot& snapshot, std::span<const uint64_t> starts,
                          unsigned threads, const StepProgress& progress) {
  Checker checker(snapshot, starts);
  WorkOnThreads(threads, [&] { checker.Work(&progress); }, [&] { checker.Work(nullptr); });
  return checker.Verdict();
}

}  // namespace larder::snapshot

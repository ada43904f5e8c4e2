// RunSorter: sorts more items than fit in memory: sorted runs go to disk and are merged when read.
//
// Items are added to blocks, so that nothing is copied while they become more, then scattered by
// their first bits into one array, whose parts several threads sort.
//
// Ownership:  owns its runs' temporary files and removes them.
// Threads:    called by one; sorts with `threads`.
// Errors:     those of the file system.
// Cost:       in memory a few passes over the items (PartitionSort) and twice their size; each item
//             is written and read once per merge, and there is one more merge for every kMostRuns
//             runs.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "snapshot/in_pieces.h"
#include "snapshot/partition_sort.h"
#include "snapshot/spool.h"

namespace larder::snapshot {

inline constexpr size_t kMostRuns = 64;  // open files of one sorter

template <typename T>
class RunSorter {
 public:
  // Runs are files `prefix` + number + kTemporarySuffix, read with `buffer_bytes` each.
  RunSorter(io::FileSystem& files, std::string prefix, uint64_t buffer_bytes, unsigned threads)
      : files_(files), prefix_(std::move(prefix)), buffer_bytes_(buffer_bytes), threads_(threads) {}

  void Add(const T& item) {
    if (blocks_.empty() || blocks_.back().size() == kBlockItems) {
      blocks_.emplace_back().reserve(kBlockItems);
    }
    blocks_.back().push_back(item);
  }
  uint64_t count() const { return count_ + in_memory(); }
  uint64_t memory_bytes() const { return in_memory() * sizeof(T); }
  uint64_t spilled_runs() const { return spilled_; }

  // Sorts what is in memory and moves it to disk.
  Result<void> Spill() {
    if (blocks_.empty()) return {};
    SortBlocks();
    auto run = std::make_unique<Spool>(files_, NextPath(), 0);
    for (size_t at = 0; at < items_.size(); at += kBlockItems) {
      const auto piece = std::span(items_).subspan(at, std::min(kBlockItems, items_.size() - at));
      LARDER_TRY(run->Append({reinterpret_cast<const char*>(piece.data()), piece.size_bytes()}));
    }
    LARDER_TRY(run->Finish());
    count_ += items_.size();
    items_ = {};
    runs_.push_back(std::move(run));
    if (runs_.size() < kMostRuns) return {};
    return MergeRuns();
  }

  // Nothing more is added; Next hands the items out in order.
  Result<void> Finish() {
    SortBlocks();
    return OpenRuns();
  }
  // After Finish: whether all items are in memory, and then all of them in order. They may be
  // changed in place by whoever reads them so, and not by Next.
  bool all_in_memory() const { return runs_.empty(); }
  std::span<T> all() { return items_; }

  // The next item; false at the end.
  Result<bool> Next(T& item) {
    if (heads_.empty()) return NextInMemory(item);
    std::pop_heap(heads_.begin(), heads_.end(), Later);
    Head& head = heads_.back();
    item = head.item;
    LARDER_ASSIGN(const bool more, Advance(head));
    if (more) {
      std::push_heap(heads_.begin(), heads_.end(), Later);
    } else {
      heads_.pop_back();
    }
    return true;
  }

  // Forgets everything, to begin anew.
  void Clear() {
    heads_.clear();
    runs_.clear();
    blocks_ = {};
    items_ = {};  // with its memory: others work on
    count_ = 0;
    next_ = 0;
  }

 private:
  struct Head {
    T item{};
    std::unique_ptr<Spool::Reader> reader;  // none: the items in memory
  };
  static bool Later(const Head& a, const Head& b) { return b.item < a.item; }

  static constexpr size_t kBlockItems = size_t{1} << 14;
  static constexpr unsigned kMostFirstBits = 11;
  static constexpr size_t kPartsPerThread = 64;  // at least; fewer are not worth a thread

  uint64_t in_memory() const {
    if (blocks_.empty()) return items_.size();
    return (blocks_.size() - 1) * kBlockItems + blocks_.back().size();
  }

  // Moves the items from the blocks to items_, in order.
  void SortBlocks() {
    if (blocks_.size() <= 1) {
      items_ = blocks_.empty() ? std::vector<T>() : std::move(blocks_.front());
      blocks_ = {};
      return PartitionSort(std::span<T>(items_));
    }
    const uint64_t count = in_memory();
    const auto for_each = [this](auto&& visit) {
      for (const std::vector<T>& block : blocks_) {
        for (const T& item : block) visit(item);
      }
    };
    const SortDigit digit =
        FirstDigit(T::kSortWords, 0, DigitBitsFor(count, kMostFirstBits), for_each);
    const auto part_of = [digit](const T& item) { return digit.bits == 0 ? 0 : digit.Of(item); };
    std::vector<size_t> ends((size_t{1} << digit.bits) + 1);
    for_each([&](const T& item) { ++ends[part_of(item) + 1]; });
    for (size_t part = 1; part < ends.size(); ++part) ends[part] += ends[part - 1];
    items_.resize(count);
    // Each part's beginning moves to its end, which is the next part's beginning.
    for (std::vector<T>& block : blocks_) {
      for (const T& item : block) items_[ends[part_of(item)]++] = item;
      block = {};
    }
    blocks_ = {};
    SortParts(ends);
  }

  // Part p ends at ends[p] (the last of `ends` is one too many).
  void SortParts(const std::vector<size_t>& ends) {
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t part = next.fetch_add(1); part + 1 < ends.size(); part = next.fetch_add(1)) {
        const size_t begin = part == 0 ? 0 : ends[part - 1];
        PartitionSort(std::span<T>(items_).subspan(begin, ends[part] - begin));
      }
    };
    WorkOnThreads(std::min<uint64_t>(threads_, ends.size() / kPartsPerThread + 1), work, work);
  }

  std::string NextPath() {
    return prefix_ + std::to_string(spilled_++) + std::string(io::kTemporarySuffix);
  }

  Result<bool> NextInMemory(T& item) {
    if (!runs_.empty() || next_ == items_.size()) return false;
    item = items_[next_++];
    return true;
  }

  Result<bool> Advance(Head& head) {
    if (head.reader) return head.reader->Read(head.item);
    if (next_ == items_.size()) return false;
    head.item = items_[next_++];
    return true;
  }

  Result<void> OpenRuns() {
    next_ = 0;
    heads_.clear();
    if (runs_.empty()) return {};
    for (const auto& run : runs_) {
      Head head;
      head.reader = std::make_unique<Spool::Reader>(*run, buffer_bytes_);
      LARDER_TRY(Push(std::move(head)));
    }
    return Push(Head());
  }

  Result<void> Push(Head head) {
    LARDER_ASSIGN(const bool more, Advance(head));
    if (!more) return {};
    heads_.push_back(std::move(head));
    std::push_heap(heads_.begin(), heads_.end(), Later);
    return {};
  }

  Result<void> MergeRuns() {
    LARDER_TRY(OpenRuns());
    auto merged = std::make_unique<Spool>(files_, NextPath(), 0);
    for (T item;;) {
      LARDER_ASSIGN(const bool more, Next(item));
      if (!more) break;
      LARDER_TRY(merged->Add(item));
    }
    LARDER_TRY(merged->Finish());
    heads_.clear();
    runs_.clear();
    runs_.push_back(std::move(merged));
    return {};
  }

  io::FileSystem& files_;
  std::string prefix_;
  uint64_t buffer_bytes_;
  unsigned threads_;
  std::vector<std::vector<T>> blocks_;  // all but the last are full
  std::vector<T> items_;                // sorted
  uint64_t count_ = 0;                  // of items on disk
  uint64_t spilled_ = 0;
  size_t next_ = 0;
  std::vector<std::unique_ptr<Spool>> runs_;
  std::vector<Head> heads_;
};

}  // namespace larder::snapshot

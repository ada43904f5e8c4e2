// RunSorter: sorts more items than fit in memory: sorted runs go to disk and are merged when read.
//
// Ownership:  owns its runs' temporary files and removes them.
// Threads:    one.
// Errors:     those of the file system.
// Cost:       n log n comparisons; each item is written and read once per merge, and there is one
//             more merge for every kMostRuns runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "snapshot/spool.h"

namespace larder::snapshot {

inline constexpr size_t kMostRuns = 64;  // open files of one sorter

template <typename T>
class RunSorter {
 public:
  // Runs are files `prefix` + number + kTemporarySuffix, read with `buffer_bytes` each.
  RunSorter(io::FileSystem& files, std::string prefix, uint64_t buffer_bytes)
      : files_(files), prefix_(std::move(prefix)), buffer_bytes_(buffer_bytes) {}

  void Add(const T& item) { items_.push_back(item); }
  uint64_t count() const { return count_ + items_.size(); }
  uint64_t memory_bytes() const { return items_.size() * sizeof(T); }
  uint64_t spilled_runs() const { return spilled_; }

  // Sorts what is in memory and moves it to disk.
  Result<void> Spill() {
    if (items_.empty()) return {};
    std::sort(items_.begin(), items_.end());
    auto run = std::make_unique<Spool>(files_, NextPath(), 0);
    for (const T& item : items_) LARDER_TRY(run->Add(item));
    LARDER_TRY(run->Finish());
    count_ += items_.size();
    items_.clear();
    runs_.push_back(std::move(run));
    if (runs_.size() < kMostRuns) return {};
    return MergeRuns();
  }

  // Nothing more is added; Next hands the items out in order.
  Result<void> Finish() {
    std::sort(items_.begin(), items_.end());
    return OpenRuns();
  }

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
  std::vector<T> items_;
  uint64_t count_ = 0;  // of items on disk
  uint64_t spilled_ = 0;
  size_t next_ = 0;
  std::vector<std::unique_ptr<Spool>> runs_;
  std::vector<Head> heads_;
};

}  // namespace larder::snapshot

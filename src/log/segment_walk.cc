#include "log/segment_walk.h"

#include <algorithm>

namespace larder::log {

namespace {

class Walker {
 public:
  Walker(std::string_view segment, const SegmentHead& head, const VisitBatch& visit)
      : segment_(segment), key_(head.key()), visit_(visit) {
    walk_.next_number = head.first_number;
  }

  SegmentWalk Walk() {
    const uint64_t data_end = EndOfData(segment_, kSegmentHeadBytes);
    uint64_t at = kSegmentHeadBytes;
    while (at < data_end && segment_.size() - at >= kBatchHeadBytes) at = Step(at);
    // What is too short for a head.
    if (!hole_.open && walk_.end < data_end) OpenHole(walk_.end);
    if (hole_.open) CloseHole(data_end, 0);
    return std::move(walk_);
  }

 private:
  // Takes the batch at `at`, or finds out that there is none; returns where to look next.
  uint64_t Step(uint64_t at) {
    const auto lengths = LoadLe<uint64_t>(segment_.data() + at + batch_at::kBytes);
    if (lengths == 0) {
      OpenHole(at);
      return SkipZeros(segment_, at + batch_at::kBytes) - batch_at::kBytes;
    }
    const auto head = ReadBatchHead(segment_, at, key_);
    if (!head || !CanStandBehind(walk_.end, walk_.next_number, at, *head)) {
      OpenHole(at);
      return at + kAlignment;
    }
    walk_.highest_synced = std::max(walk_.highest_synced, head->synced);
    if (at >= checked_to_ && ReadBatch(segment_, at, key_)) {
      if (hole_.open) CloseHole(at, head->first_number);
      if (visit_) visit_(at, *head);
      ++walk_.batches;
      walk_.records += head->records;
      walk_.next_number = head->last_number() + 1;
      walk_.end = at + head->bytes;
      return walk_.end;
    }
    OpenHole(at);
    if (hole_.hole.claimed_to == 0) hole_.hole.claimed_time_ms = head->time_ms;
    hole_.hole.claimed_to = std::max(hole_.hole.claimed_to, head->last_number());
    checked_to_ = std::max(checked_to_, at + head->bytes);
    return at + kAlignment;
  }

  void OpenHole(uint64_t at) {
    if (hole_.open) return;
    hole_ = {.hole = {.from = at, .first_number = walk_.next_number}, .open = true};
  }

  void CloseHole(uint64_t to, uint64_t next_number) {
    hole_.hole.to = to;
    hole_.hole.next_number = next_number;
    // A head that claims what is behind the next batch cannot be right in both.
    if (next_number != 0) hole_.hole.claimed_to = std::min(hole_.hole.claimed_to, next_number - 1);
    walk_.holes.push_back(hole_.hole);
    hole_.open = false;
  }

  struct OpenedHole {
    Hole hole;
    bool open = false;
  };

  const std::string_view segment_;
  const uint64_t key_;
  const VisitBatch& visit_;
  SegmentWalk walk_;
  OpenedHole hole_;
  // Up to here records have been checked in vain; checking them again for heads that claim to lie
  // among them could take forever.
  uint64_t checked_to_ = 0;
};

}  // namespace

SegmentWalk WalkSegment(std::string_view segment, const SegmentHead& head,
                        const VisitBatch& visit) {
  return Walker(segment, head, visit).Walk();
}

}  // namespace larder::log

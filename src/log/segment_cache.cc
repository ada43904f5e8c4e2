#include "log/segment_cache.h"

#include <algorithm>
#include <utility>

namespace larder::log {

namespace {

// Mapped, besides those whose records are held: address space costs little, mapping anew some
// microseconds. Each is two of the mappings that a process can have (io/mapped_regions.h), and has
// page tables of up to a 512th of its size, which are not let go of with the pages.
constexpr uint64_t kKeptSegments = 256;

}  // namespace

SegmentCache::SegmentCache(io::FileSystem& files, std::string directory, std::string prefix,
                           uint64_t max_resident_bytes)
    : files_(files),
      directory_(std::move(directory)),
      prefix_(std::move(prefix)),
      max_windows_(
          max_resident_bytes == 0 ? 0 : std::max<uint64_t>(max_resident_bytes / kWindowBytes, 1)) {}

void SegmentCache::List(const std::vector<uint64_t>& first_numbers) {
  std::vector<ListedSegment> listed(first_numbers.size());
  auto known = segments_.begin();
  for (size_t i = 0; i < listed.size(); ++i) {
    for (; known != segments_.end() && known->first_number < first_numbers[i]; ++known)
      Unmap(*known);
    if (known != segments_.end() && known->first_number == first_numbers[i])
      listed[i] = std::move(*known++);
    ListedSegment& segment = listed[i];
    segment.first_number = first_numbers[i];
    const uint64_t behind = i + 1 < listed.size() ? first_numbers[i + 1] : UINT64_MAX;
    if (behind == segment.behind) continue;
    // A successor that was never begun may be gone, and more may have been appended to this one.
    segment.behind = behind;
    segment.whole = false;
    segment.sealed_bytes = 0;
    // Or it is another one of that name.
    segment.made_at_ms = 0;
  }
  for (; known != segments_.end(); ++known) Unmap(*known);
  segments_ = std::move(listed);
  last_found_ = segments_.size();
}

bool SegmentCache::Search(uint64_t number) {
  const auto behind = std::ranges::upper_bound(segments_, number, {}, &ListedSegment::first_number);
  if (behind == segments_.begin()) return false;
  last_found_ = static_cast<size_t>(behind - segments_.begin()) - 1;
  segments_[last_found_].used = ++uses_;
  return true;
}

Result<void> SegmentCache::Map(ListedSegment& segment, const LogId& id, uint64_t committed) {
  Unmap(segment);
  if (mapped_ >= kKeptSegments) UnmapOldest();
  auto opened = Open(segment, id, committed);
  if (!opened && opened.error().code() == ErrorCode::kLimit) {
    // This process has too many mappings; most may be these.
    UnmapAll();
    opened = Open(segment, id, committed);
  }
  return opened;
}

Result<void> SegmentCache::Open(ListedSegment& segment, const LogId& id, uint64_t committed) {
  const bool sealed = segment.sealed();
  LARDER_ASSIGN(segment.mapped, MappedSegment::Open(files_, directory_, prefix_,
                                                    {.id = id,
                                                     .first_number = segment.first_number,
                                                     .committed = committed,
                                                     .sealed = sealed}));
  segment.whole = sealed;
  segment.made_at_ms = segment.mapped->head().made_at_ms;
  segment.may_be_marked = segment.mapped->head().may_be_marked;
  ++mapped_;
  if (max_windows_ == 0) return {};
  // The heads have been read, and of a sealed one the ends.
  const std::string_view bytes = segment.mapped->segment_bytes();
  segment.touched = TouchedWindows(bytes);
  windows_ += segment.touched.Touch(bytes.substr(0, 1));
  windows_ += segment.touched.Touch(bytes.substr(bytes.size() - 1));
  if (!segment.mapped->has_index_file()) return {};
  const std::string_view index = segment.mapped->index_bytes();
  segment.touched_index = TouchedWindows(index);
  windows_ += segment.touched_index.Touch(index.substr(0, 1));
  windows_ += segment.touched_index.Touch(index.substr(index.size() - 1));
  return {};
}

void SegmentCache::LetGo() {
  crowded_ = true;
  for (ListedSegment& each : segments_) {
    if (each.mapped == nullptr || each.touched.count() + each.touched_index.count() == 0) continue;
    each.mapped->Forget();
    each.touched.Clear();
    each.touched_index.Clear();
  }
  windows_ = 0;
  for (const auto& weak : held_) {
    if (const auto held = weak.lock()) held->Forget();
  }
}

const io::ReadableFile* SegmentCache::FileOf(ListedSegment& segment) {
  if (segment.file == nullptr) {
    auto opened = files_.OpenForRead(directory_ + "/" + SegmentName(prefix_, segment.first_number));
    if (!opened) return nullptr;
    segment.file = *std::move(opened);
  }
  return segment.file.get();
}

void SegmentCache::Unmap(ListedSegment& segment) {
  if (segment.mapped == nullptr) return;
  --mapped_;
  windows_ -= segment.touched.count() + segment.touched_index.count();
  segment.touched = {};
  segment.touched_index = {};
  segment.file = nullptr;
  std::weak_ptr<const MappedSegment> held = segment.mapped;
  segment.mapped = nullptr;
  const auto still = held.lock();
  if (still == nullptr) return;
  still->Forget();
  std::erase_if(held_, [](const auto& weak) { return weak.expired(); });
  held_.push_back(std::move(held));
}

void SegmentCache::UnmapOldest() {
  ListedSegment* oldest = nullptr;
  for (ListedSegment& segment : segments_) {
    if (segment.mapped != nullptr && (oldest == nullptr || segment.used < oldest->used))
      oldest = &segment;
  }
  if (oldest != nullptr) Unmap(*oldest);
}

void SegmentCache::UnmapAll() {
  for (ListedSegment& segment : segments_) Unmap(segment);
}

}  // namespace larder::log

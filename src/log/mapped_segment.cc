#include "log/mapped_segment.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace larder::log {

namespace {

// So much of a segment is in memory while it is looked through.
constexpr uint64_t kScannedAtOnce = uint64_t{4} << 20;

}  // namespace

SegmentScan ScanMapped(const io::Mapping& segment, const SegmentHead& head,
                       const VisitBatch& visit) {
  uint64_t forgotten = 0;
  SegmentScan scan =
      ScanSegment(segment.bytes(), head, 0, [&](uint64_t offset, const BatchHead& batch) {
        if (visit) visit(offset, batch);
        if (offset - forgotten < kScannedAtOnce) return;
        segment.Forget();
        forgotten = offset;
      });
  segment.Forget();
  return scan;
}

Result<std::shared_ptr<const MappedSegment>> MappedSegment::Open(io::FileSystem& files,
                                                                 const std::string& directory,
                                                                 const std::string& prefix,
                                                                 const Wanted& wanted) {
  std::shared_ptr<MappedSegment> opened(new MappedSegment);
  const std::string name = SegmentName(prefix, wanted.first_number);
  LARDER_ASSIGN(opened->segment_, files.Map(directory + "/" + name));
  opened->segment_bytes_ = opened->segment_->bytes();
  LARDER_ASSIGN(opened->head_, ReadSegmentHead(opened->segment_bytes_, name));
  if (opened->head_.first_number != wanted.first_number || opened->head_.id != wanted.id) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{} is segment {} of another log or place", name,
                                                 opened->head_.first_number));
  }
  LARDER_TRY(opened->MapIndex(files, directory, IndexName(prefix, wanted.first_number), wanted));
  if (opened->index_ == nullptr) opened->LookThrough(wanted.committed);
  if (opened->records() != 0) {
    const uint64_t end = wanted.first_number + opened->records();
    opened->MeasureSpace(wanted.sealed ? end - 1 : std::min(wanted.committed, end - 1));
  }
  return std::shared_ptr<const MappedSegment>(std::move(opened));
}

Result<void> MappedSegment::MapIndex(io::FileSystem& files, const std::string& directory,
                                     const std::string& name, const Wanted& wanted) {
  auto index = files.Map(directory + "/" + name);
  if (!index) {
    if (index.error().code() == ErrorCode::kNotFound) return {};
    return std::unexpected(std::move(index).error());
  }
  const std::string_view bytes = (*index)->bytes();
  const auto head = ReadIndexHead(bytes, name);
  const IndexHead expected{.id = wanted.id, .first_number = wanted.first_number};
  if (!head || *head != expected || (wanted.sealed && !ReachesEnd(bytes))) return {};
  index_bytes_ = bytes;
  index_ = *std::move(index);
  return {};
}

// Whether the last entry's record is what the segment ends with.
bool MappedSegment::ReachesEnd(std::string_view index) const {
  const uint64_t entries = (index.size() - kIndexHeadBytes) / kIndexEntryBytes;
  if (entries == 0) return segment_bytes_.size() == kSegmentHeadBytes;
  const auto offset = IndexedOffset(index, entries - 1);
  if (!offset || *offset < kSegmentHeadBytes || *offset >= segment_bytes_.size() ||
      segment_bytes_.size() - *offset < kRecordHeadBytes) {
    return false;
  }
  const uint64_t bytes = BytesOf(LoadLe<uint32_t>(segment_bytes_.data() + *offset));
  return segment_bytes_.size() - *offset == RecordSpace(bytes);
}

void MappedSegment::MeasureSpace(uint64_t last_number) {
  const auto first = OffsetOf(head_.first_number);
  const auto last = OffsetOf(last_number);
  // Offsets are below 2^35.
  if (!first || !last || *last <= *first) return;
  first_offset_ = *first;
  space_times_2_20_ = ((*last - *first) << 20) / (last_number - head_.first_number);
}

void MappedSegment::LookThrough(uint64_t committed) {
  entries_ = MakeIndexHead({.id = head_.id, .first_number = head_.first_number});
  ScanMapped(*segment_, head_, [&](uint64_t offset, const BatchHead& batch) {
    if (batch.last_number() > committed) return;
    ForEachRecord(segment_bytes_, offset, batch, [&](const RecordInBatch& record) {
      AppendLe(entries_, IndexEntry(record.offset));
    });
  });
  index_bytes_ = entries_;
}

void MappedSegment::Forget() const {
  segment_->Forget();
  if (index_ != nullptr) index_->Forget();
}

}  // namespace larder::log

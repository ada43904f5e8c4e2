#include "log/mapped_segment.h"

#include <utility>

#include <fmt/format.h>

namespace larder::log {

Result<std::shared_ptr<const MappedSegment>> MappedSegment::Open(io::FileSystem& files,
                                                                 const std::string& directory,
                                                                 const std::string& prefix,
                                                                 uint64_t first_number,
                                                                 uint64_t committed) {
  std::shared_ptr<MappedSegment> opened(new MappedSegment);
  const std::string name = SegmentName(prefix, first_number);
  LARDER_ASSIGN(opened->segment_, files.Map(directory + "/" + name));
  LARDER_ASSIGN(opened->head_, ReadSegmentHead(opened->segment_->bytes(), name));
  if (opened->head_.first_number != first_number) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} begins with number {}", name, opened->head_.first_number));
  }
  const std::string index_name = IndexName(prefix, first_number);
  if (auto index = files.Map(directory + "/" + index_name)) {
    const auto head = ReadIndexHead((*index)->bytes(), index_name);
    const IndexHead expected{.id = opened->head_.id, .first_number = first_number};
    if (head && *head == expected) opened->index_ = *std::move(index);
  }
  if (opened->index_ == nullptr) opened->LookThrough(committed);
  return std::shared_ptr<const MappedSegment>(std::move(opened));
}

void MappedSegment::LookThrough(uint64_t committed) {
  const std::string_view bytes = segment_->bytes();
  entries_ = MakeIndexHead({.id = head_.id, .first_number = head_.first_number});
  ScanSegment(bytes, head_, 0, [&](uint64_t offset, const BatchHead& batch) {
    if (batch.last_number() > committed) return;
    ForEachRecord(bytes, offset, batch, [&](const RecordInBatch& record) {
      AppendLe(entries_, IndexEntry(record.offset));
    });
  });
}

std::optional<uint64_t> MappedSegment::OffsetOf(uint64_t number) const {
  if (number < head_.first_number) return std::nullopt;
  const std::string_view index = index_ != nullptr ? index_->bytes() : std::string_view(entries_);
  const auto offset = IndexedOffset(index, number - head_.first_number);
  return offset == 0 ? std::nullopt : offset;
}

std::optional<StoredRecord> MappedSegment::RecordAt(uint64_t offset, uint64_t number) const {
  return ReadRecord(segment_->bytes(), offset, number);
}

}  // namespace larder::log

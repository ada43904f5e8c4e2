#include "log/open_segment.h"

#include <algorithm>
#include <utility>

#include "log/small_files.h"

namespace larder::log {

namespace {

// Space for `end` bytes, in steps that double up to `limit`: few calls for a large segment, little
// space for a small one.
Result<void> Grow(io::AllocatedFile& file, uint64_t end, uint64_t limit) {
  if (end <= file.allocated()) return {};
  const uint64_t doubled = std::max(kFirstAllocation, std::min(file.allocated() * 2, limit));
  return file.Allocate(std::max(end, doubled));
}

// An index that a crash left is of no use: the segment tells all.
Result<std::unique_ptr<io::AllocatedFile>> NewIndex(io::FileSystem& files, const std::string& path,
                                                    const SegmentHead& head,
                                                    std::string_view entries) {
  if (files.Stat(path)) LARDER_TRY(files.Remove(path));
  LARDER_ASSIGN(auto index, files.CreateAllocated(path));
  LARDER_TRY(index->Allocate(std::max(kFirstAllocation, kIndexHeadBytes + entries.size())));
  LARDER_TRY(index->WriteAt(0, MakeIndexHead({.id = head.id, .first_number = head.first_number})));
  LARDER_TRY(index->WriteAt(kIndexHeadBytes, entries));
  return index;
}

}  // namespace

Result<std::unique_ptr<OpenSegment>> OpenSegment::Create(io::FileSystem& files,
                                                         const std::string& directory,
                                                         const std::string& prefix,
                                                         const SegmentHead& head, uint64_t limit) {
  const std::string path = directory + "/" + SegmentName(prefix, head.first_number);
  LARDER_ASSIGN(auto segment, files.CreateAllocated(path));
  LARDER_TRY(segment->Allocate(kFirstAllocation));
  LARDER_TRY(segment->WriteAt(0, MakeSegmentHead(head)));
  LARDER_TRY(segment->Sync());
  LARDER_ASSIGN(auto index,
                NewIndex(files, directory + "/" + IndexName(prefix, head.first_number), head, {}));
  LARDER_TRY(files.SyncDirectory(directory));
  return std::unique_ptr<OpenSegment>(
      new OpenSegment(head, limit, std::move(segment), std::move(index)));
}

Result<std::unique_ptr<OpenSegment>> OpenSegment::Continue(io::FileSystem& files,
                                                           const std::string& directory,
                                                           const std::string& prefix,
                                                           const SegmentHead& head, uint64_t limit,
                                                           uint64_t end, std::string_view entries) {
  LARDER_ASSIGN(auto segment,
                files.OpenAllocated(directory + "/" + SegmentName(prefix, head.first_number)));
  // Before anything is appended: whole batches behind a hole must not come back after a power cut
  // and find their predecessor in what is written next.
  LARDER_TRY(segment->Truncate(end));
  LARDER_TRY(segment->Sync());
  LARDER_ASSIGN(auto index, NewIndex(files, directory + "/" + IndexName(prefix, head.first_number),
                                     head, entries));
  LARDER_TRY(files.SyncDirectory(directory));
  std::unique_ptr<OpenSegment> open(
      new OpenSegment(head, limit, std::move(segment), std::move(index)));
  open->end_ = end;
  open->index_end_ = kIndexHeadBytes + entries.size();
  return open;
}

uint64_t OpenSegment::records() const { return (index_end_ - kIndexHeadBytes) / kIndexEntryBytes; }

Result<void> OpenSegment::MakeRoom(uint64_t batch_bytes, uint64_t entry_bytes) {
  LARDER_TRY(Grow(*segment_, end_ + batch_bytes, limit_));
  return Grow(*index_, index_end_ + entry_bytes, limit_);
}

Result<void> OpenSegment::Append(std::string_view batch, std::string_view entries) {
  LARDER_TRY(segment_->WriteAt(end_, batch));
  LARDER_TRY(index_->WriteAt(index_end_, entries));
  end_ += batch.size();
  index_end_ += entries.size();
  return {};
}

Result<void> OpenSegment::Seal() {
  LARDER_TRY(segment_->Truncate(end_));
  LARDER_TRY(index_->Truncate(index_end_));
  LARDER_TRY(segment_->Sync());
  return index_->Sync();
}

}  // namespace larder::log

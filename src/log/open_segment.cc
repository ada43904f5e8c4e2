#include "log/open_segment.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "log/small_files.h"

namespace larder::log {

namespace {

// Space for `end` bytes, in steps that double up to `limit`: few calls for a large segment, little
// space for a small one.
Result<void> Grow(io::AllocatedFile& file, uint64_t end, uint64_t limit) {
  if (end <= file.allocated()) return {};
  return file.Allocate(std::max(end, std::min(file.allocated() * 2, limit)));
}

// An index that a crash left is of no use: the segment tells all.
Result<std::unique_ptr<io::AllocatedFile>> NewIndex(io::FileSystem& files, const std::string& path,
                                                    const SegmentHead& head,
                                                    std::string_view entries) {
  if (files.Stat(path)) LARDER_TRY(files.Remove(path));
  LARDER_ASSIGN(auto index, files.CreateAllocated(path));
  LARDER_TRY(index->Allocate(std::max(kFirstIndexAllocation, kIndexHeadBytes + entries.size())));
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
                                                           const Whole& whole) {
  LARDER_ASSIGN(auto segment,
                files.OpenAllocated(directory + "/" + SegmentName(prefix, head.first_number)));
  LARDER_TRY(segment->Truncate(whole.end));
  // Before anything is appended: whole batches behind a hole must not come back after a power cut
  // and find their predecessor in what is written next.
  if (whole.sync) LARDER_TRY(segment->Sync());
  LARDER_ASSIGN(auto index, NewIndex(files, directory + "/" + IndexName(prefix, head.first_number),
                                     head, whole.entries));
  if (whole.sync) LARDER_TRY(files.SyncDirectory(directory));
  std::unique_ptr<OpenSegment> open(
      new OpenSegment(head, limit, std::move(segment), std::move(index)));
  open->end_ = whole.end;
  open->index_end_ = kIndexHeadBytes + whole.entries.size();
  return open;
}

Result<std::unique_ptr<OpenSegment>> OpenSegment::Join(io::FileSystem& files,
                                                       const std::string& directory,
                                                       const std::string& prefix,
                                                       uint64_t first_number, uint64_t limit) {
  const std::string path = directory + "/" + SegmentName(prefix, first_number);
  LARDER_ASSIGN(const auto file, files.OpenForRead(path));
  std::string page(kSegmentHeadBytes, '\0');
  LARDER_ASSIGN(const size_t got, file->ReadAt(0, page.data(), page.size()));
  LARDER_ASSIGN(const SegmentHead head,
                ReadSegmentHead(std::string_view(page).substr(0, got), path));
  LARDER_ASSIGN(auto segment, files.OpenAllocated(path));
  LARDER_ASSIGN(auto index, files.OpenAllocated(directory + "/" + IndexName(prefix, first_number)));
  return std::unique_ptr<OpenSegment>(
      new OpenSegment(head, limit, std::move(segment), std::move(index)));
}

Result<void> OpenSegment::Discard(io::FileSystem& files, const std::string& directory,
                                  const std::string& prefix, uint64_t first_number) {
  // The index first: a segment without one can be read, and an index alone is nothing.
  for (const std::string& name :
       {IndexName(prefix, first_number), SegmentName(prefix, first_number)}) {
    std::string path = directory;
    path.append("/").append(name);
    const auto removed = files.Remove(path);
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
  }
  return {};
}

Result<void> OpenSegment::MoveTo(uint64_t end, uint64_t records) {
  const uint64_t index_end = kIndexHeadBytes + records * kIndexEntryBytes;
  if (end > segment_->allocated()) LARDER_TRY(segment_->Refresh());
  if (index_end > index_->allocated()) LARDER_TRY(index_->Refresh());
  if (end > segment_->allocated() || index_end > index_->allocated()) {
    return Fail(ErrorCode::kIoError,
                fmt::format("{} has {} bytes, and should have {}: was it truncated?",
                            segment_->path(), segment_->allocated(), end));
  }
  end_ = end;
  index_end_ = index_end;
  return {};
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

OpenSegment::Bytes OpenSegment::LetGo() {
  const Bytes bytes{.from = std::exchange(let_go_, end_), .to = end_};
  segment_->Forget(bytes.from, bytes.to);
  return bytes;
}

void OpenSegment::TakeBackSpace(const Space& space) {
  std::ignore = segment_->Allocate(space.segment);
  std::ignore = index_->Allocate(space.index);
}

Result<void> OpenSegment::Seal() {
  LARDER_TRY(segment_->Truncate(end_));
  LARDER_TRY(index_->Truncate(index_end_));
  LARDER_TRY(segment_->Sync());
  return index_->Sync();
}

}  // namespace larder::log

#include "log/reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/mutex.h"
#include "log/control.h"
#include "log/mapped_segment.h"

namespace larder::log {

namespace {

// Mapped, besides those whose records are held: address space costs little, mapping anew a
// microsecond and the faults of every page.
constexpr size_t kKeptSegments = 64;

class FileReader final : public Reader {
 public:
  FileReader(io::FileSystem& files, std::string directory, std::string prefix)
      : files_(files), directory_(std::move(directory)), prefix_(std::move(prefix)) {}

  Result<void> Begin();

  Result<Record> Read(uint64_t number) override;
  Result<Record> ReadFrom(uint64_t number) override;
  uint64_t oldest() override;
  uint64_t committed() override;

 private:
  // What is known of the log's extent at one moment.
  struct Extent {
    uint64_t committed = 0;
    std::optional<uint32_t> changes;  // of the set of segments; none: no writer has told
  };

  Extent Look() LARDER_REQUIRES(mutex_);
  bool HasControl() LARDER_REQUIRES(mutex_);
  Result<void> ListSegments(const Extent& extent) LARDER_REQUIRES(mutex_);
  Result<void> FindCommitted() LARDER_REQUIRES(mutex_);
  Result<Record> ReadLocked(uint64_t number) LARDER_REQUIRES(mutex_);
  Result<std::shared_ptr<const MappedSegment>> SegmentOf(uint64_t first, bool anew)
      LARDER_REQUIRES(mutex_);
  std::unexpected<Error> NotThere(uint64_t number) const LARDER_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string directory_;
  const std::string prefix_;

  Mutex mutex_;
  LogId id_ LARDER_GUARDED_BY(mutex_){};
  uint64_t boot_ LARDER_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<Control> control_ LARDER_GUARDED_BY(mutex_);
  Extent extent_ LARDER_GUARDED_BY(mutex_);
  std::vector<uint64_t> segments_ LARDER_GUARDED_BY(mutex_);  // first numbers, ascending
  std::vector<std::shared_ptr<const MappedSegment>> mapped_
      LARDER_GUARDED_BY(mutex_);  // newest last
};

Result<void> FileReader::Begin() {
  const MutexLock lock(mutex_);
  const std::string path = directory_ + "/" + NumbersName(prefix_);
  LARDER_ASSIGN(const std::string bytes, io::ReadWholeFile(files_, path, kSmallFileBytes));
  LARDER_ASSIGN(const Numbers numbers, ReadNumbersFile(bytes, path));
  id_ = numbers.id;
  boot_ = BootChecksum(files_.BootId());
  LARDER_TRY(ListSegments(Look()));
  return extent_.changes ? Result<void>() : FindCommitted();
}

bool FileReader::HasControl() {
  if (control_ == nullptr) {
    const std::string path = directory_ + "/" + ControlName(prefix_);
    if (!files_.Stat(path)) return false;
    if (auto control = Control::Open(files_, path)) control_ = *std::move(control);
  }
  return control_ != nullptr && control_->Trusted(id_, boot_);
}

FileReader::Extent FileReader::Look() {
  if (!HasControl()) return {.committed = extent_.committed, .changes = std::nullopt};
  // In this order: a number that is committed lies in a segment that has been told of.
  const uint64_t committed = control_->committed();
  return {.committed = committed, .changes = control_->segment_changes()};
}

Result<void> FileReader::ListSegments(const Extent& extent) {
  LARDER_ASSIGN(const auto names, files_.List(directory_));
  std::vector<uint64_t> there = FindLogFiles(prefix_, names).segments;
  std::erase_if(mapped_, [&there](const auto& mapped) {
    return !std::ranges::binary_search(there, mapped->first_number());
  });
  segments_ = std::move(there);
  extent_ = extent;
  return {};
}

// Without a writer to ask: what is whole in the last segment that was begun.
Result<void> FileReader::FindCommitted() {
  extent_.committed = 0;
  for (size_t i = segments_.size(); i-- > 0;) {
    const std::string name = SegmentName(prefix_, segments_[i]);
    LARDER_ASSIGN(const auto mapping, files_.Map(directory_ + "/" + name));
    const auto head = ReadSegmentHead(mapping->bytes(), name);
    if (!head) continue;
    const SegmentScan scan = ScanSegment(mapping->bytes(), *head);
    extent_.committed = scan.batches == 0 ? head->last_before : scan.next_number - 1;
    return {};
  }
  return {};
}

uint64_t FileReader::committed() {
  const MutexLock lock(mutex_);
  return Look().committed;
}

uint64_t FileReader::oldest() {
  const MutexLock lock(mutex_);
  if (HasControl()) return control_->oldest();
  return segments_.empty() ? extent_.committed + 1 : segments_[0];
}

std::unexpected<Error> FileReader::NotThere(uint64_t number) const {
  return Fail(ErrorCode::kNotFound,
              fmt::format("there is no record {}: the log has {} to {}, with gaps", number,
                          segments_.empty() ? 0 : segments_[0], extent_.committed));
}

Result<std::shared_ptr<const MappedSegment>> FileReader::SegmentOf(uint64_t first, bool anew) {
  const auto found = std::ranges::find_if(
      mapped_, [&](const auto& mapped) { return mapped->first_number() == first; });
  if (found != mapped_.end()) {
    std::rotate(found, found + 1, mapped_.end());
    if (!anew) return mapped_.back();
    mapped_.pop_back();
  }
  LARDER_ASSIGN(auto opened,
                MappedSegment::Open(files_, directory_, prefix_, first, extent_.committed));
  if (mapped_.size() == kKeptSegments) mapped_.erase(mapped_.begin());
  mapped_.push_back(std::move(opened));
  return mapped_.back();
}

Result<Record> FileReader::ReadLocked(uint64_t number) {
  if (const Extent now = Look(); now.changes != extent_.changes) {
    LARDER_TRY(ListSegments(now));
  } else {
    extent_ = now;
  }
  const auto behind = std::ranges::upper_bound(segments_, number);
  if (number == 0 || number > extent_.committed || behind == segments_.begin())
    return NotThere(number);
  const uint64_t first = *(behind - 1);
  // A segment that has grown since it was mapped is mapped anew, once.
  for (const bool anew : {false, true}) {
    LARDER_ASSIGN(auto segment, SegmentOf(first, anew));
    const auto offset = segment->OffsetOf(number);
    if (!offset) {
      if (anew) return NotThere(number);
      continue;
    }
    if (const auto data = segment->DataAt(*offset, number))
      return Record{.number = number, .data = *data, .held = std::move(segment)};
    if (anew) {
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("{} is damaged: record {} at byte {} is not what was written",
                              SegmentName(prefix_, first), number, *offset));
    }
  }
  return NotThere(number);
}

Result<Record> FileReader::Read(uint64_t number) {
  const MutexLock lock(mutex_);
  return ReadLocked(number);
}

Result<Record> FileReader::ReadFrom(uint64_t number) {
  const MutexLock lock(mutex_);
  for (;;) {
    auto record = ReadLocked(number);
    if (record || record.error().code() != ErrorCode::kNotFound) return record;
    // In a gap, or before the oldest: the next segment's first record.
    const auto next = std::ranges::upper_bound(segments_, number);
    if (next == segments_.end()) return record;
    number = *next;
  }
}

}  // namespace

Result<std::unique_ptr<Reader>> Reader::Open(io::FileSystem& files, const std::string& directory,
                                             const std::string& prefix) {
  LARDER_TRY(CheckPrefix(prefix));
  auto reader = std::make_unique<FileReader>(files, directory, prefix);
  LARDER_TRY(reader->Begin());
  return reader;
}

}  // namespace larder::log

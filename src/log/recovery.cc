#include "log/recovery.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace larder::log {

namespace {

std::string PathOf(const Options& options, const std::string& name) {
  return options.directory + "/" + name;
}

// A segment that was never begun: its head is synced before anything is written behind it.
bool OnlyZerosFollowTheHead(std::string_view segment) {
  return segment.size() <= kSegmentHeadBytes ||
         segment.find_first_not_of('\0', kSegmentHeadBytes) == std::string_view::npos;
}

class Recoverer {
 public:
  Recoverer(io::FileSystem& files, const Options& options, const Control& control, uint64_t boot)
      : files_(files), options_(options), control_(control), boot_(boot) {}

  Result<RecoveredLog> Recover();

 private:
  Result<void> FindFiles();
  Result<void> ReadOrMakeNumbers();
  Result<void> TakeLast();
  Result<bool> ScanLast();
  Result<void> CheckLast() const;
  Result<void> ContinueLast();
  Result<void> CopyInDoubt();
  Result<void> CutCopied(uint64_t first);
  void SkipLostNumbers();

  // Without batches: of the segments before.
  uint64_t LastNumber() const {
    return scan_.batches == 0 ? head_.last_before : scan_.next_number - 1;
  }
  std::string SegmentFile() const { return SegmentName(options_.prefix, log_.segments.back()); }
  bool Trusted() const { return control_.Trusted(log_.numbers.id, boot_); }
  // The kernel may take for written what it could not write, and nobody has noted whether it did.
  bool InDoubt() const {
    if (Trusted()) return control_.state() == ControlState::kSyncFailed;
    return log_.numbers.boot == boot_;
  }

  io::FileSystem& files_;
  const Options& options_;
  const Control& control_;
  const uint64_t boot_;

  RecoveredLog log_;
  bool has_numbers_ = false;
  bool sealed_ = false;  // a successor of the last segment was begun once
  std::unique_ptr<io::Mapping> mapping_;
  SegmentHead head_;
  SegmentScan scan_;
  std::string entries_;
};

Result<RecoveredLog> Recoverer::Recover() {
  LARDER_TRY(FindFiles());
  LARDER_TRY(ReadOrMakeNumbers());
  LARDER_TRY(TakeLast());
  SkipLostNumbers();
  return std::move(log_);
}

Result<void> Recoverer::FindFiles() {
  LARDER_ASSIGN(const auto names, files_.List(options_.directory));
  LogFiles found = FindLogFiles(options_.prefix, names);
  for (const std::string& name : found.temporaries)
    LARDER_TRY(files_.Remove(PathOf(options_, name)));
  log_.segments = std::move(found.segments);
  has_numbers_ = found.has_numbers;
  return {};
}

Result<void> Recoverer::ReadOrMakeNumbers() {
  const std::string path = PathOf(options_, NumbersName(options_.prefix));
  if (has_numbers_) {
    LARDER_ASSIGN(const std::string bytes, io::ReadWholeFile(files_, path, kSmallFileBytes));
    LARDER_ASSIGN(log_.numbers, ReadNumbersFile(bytes, path));
    return {};
  }
  if (!log_.segments.empty()) {
    return Fail(
        ErrorCode::kCorrupt,
        fmt::format("{} is missing, though there are segments: which numbers were given out "
                    "is not known any more. `larder log repair` makes a new log of what is "
                    "whole",
                    path));
  }
  log_.numbers = {.id = NewLogId(), .reserved = 0, .synced = 0, .boot = boot_};
  return PublishNumbers(files_, options_, log_.numbers);
}

Result<void> Recoverer::TakeLast() {
  while (!log_.segments.empty()) {
    LARDER_ASSIGN(const bool begun, ScanLast());
    if (begun) {
      LARDER_TRY(CheckLast());
      return ContinueLast();
    }
    // A crash came before its head was on the disk.
    mapping_ = nullptr;
    LARDER_TRY(files_.Remove(PathOf(options_, SegmentFile())));
    log_.segments.pop_back();
    sealed_ = true;
  }
  return {};
}

Result<bool> Recoverer::ScanLast() {
  const std::string name = SegmentFile();
  LARDER_ASSIGN(mapping_, files_.Map(PathOf(options_, name)));
  const std::string_view bytes = mapping_->bytes();
  const auto head = ReadSegmentHead(bytes, name);
  if (!head) {
    if (head.error().code() == ErrorCode::kUnsupported || !OnlyZerosFollowTheHead(bytes))
      return std::unexpected(head.error());
    return false;
  }
  head_ = *head;
  if (head_.id != log_.numbers.id || head_.first_number != log_.segments.back()) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} is segment {} of another log or place: take it away", name,
                            head_.first_number));
  }
  entries_.clear();
  const uint64_t known_synced =
      std::max(log_.numbers.synced, Trusted() ? control_.synced() : uint64_t{0});
  scan_ = ScanSegment(bytes, head_, known_synced, [&](uint64_t offset, const BatchHead& batch) {
    ForEachRecord(bytes, offset, batch, [&](const RecordInBatch& record) {
      AppendLe(entries_, IndexEntry(record.offset));
    });
  });
  return true;
}

Result<void> Recoverer::CheckLast() const {
  if (mapping_->damaged()) {
    return Fail(ErrorCode::kIoError, fmt::format("{} cannot be read", SegmentFile()));
  }
  const uint64_t last = LastNumber();
  const bool lost_seal = sealed_ && !scan_.clean();
  const bool lost_commit = Trusted() && control_.committed() > last;
  if (!scan_.damaged() && !lost_seal && !lost_commit) return {};
  return Fail(
      ErrorCode::kCorrupt,
      fmt::format("{} is damaged at byte {}: record {} was on the disk and is not whole "
                  "(numbers to {} were safe). Nothing was changed; `larder log repair` makes "
                  "a new log of what is whole",
                  SegmentFile(), scan_.end, scan_.next_number,
                  std::max(scan_.highest_synced, lost_commit ? control_.committed() : last)));
}

Result<void> Recoverer::ContinueLast() {
  log_.report.segment = SegmentFile();
  log_.report.cut_bytes = scan_.bytes_after;
  log_.report.cut_batches = scan_.whole_after;
  if (scan_.bytes_after != 0) {
    LogWarning(fmt::format("{}: a torn tail of {} bytes behind record {} is cut", SegmentFile(),
                           scan_.bytes_after, scan_.next_number - 1));
  }
  log_.committed = LastNumber();
  if (InDoubt() && scan_.highest_synced < log_.committed) LARDER_TRY(CopyInDoubt());
  mapping_ = nullptr;
  // A mere kill has lost nothing: what was not synced is safe when its turn comes. But the head of
  // a segment is, before its first batch is written.
  const bool sync =
      !Trusted() || scan_.bytes_after != 0 || scan_.batches == 0 || log_.report.copied_batches != 0;
  log_.synced = sync ? log_.committed
                     : std::min(std::max(scan_.highest_synced, head_.last_before), log_.committed);
  LARDER_ASSIGN(log_.last,
                OpenSegment::Continue(files_, options_.directory, options_.prefix, head_,
                                      options_.segment_bytes,
                                      {.end = scan_.end, .entries = entries_, .sync = sync}));
  return {};
}

// Everything above the highest mark goes into a segment of its own: pages that are new, and that a
// sync cannot pass over.
Result<void> Recoverer::CopyInDoubt() {
  const uint64_t first = std::max(scan_.highest_synced + 1, head_.first_number);
  const SegmentHead head{.id = head_.id,
                         .first_number = first,
                         .made_at_ms = head_.made_at_ms,
                         .last_before = first == head_.first_number ? head_.last_before : first - 1,
                         .may_be_marked = head_.may_be_marked};
  const std::string path = PathOf(options_, SegmentName(options_.prefix, first));
  LARDER_ASSIGN(auto copy, files_.Create(path + std::string(io::kTemporarySuffix)));
  LARDER_TRY(copy->Write(MakeSegmentHead(head)));
  BatchEncoder encoder;
  std::vector<std::string_view> records;
  uint64_t at = kSegmentHeadBytes;
  Result<void> written;
  std::string entries;
  const std::string_view bytes = mapping_->bytes();
  ScanSegment(bytes, head_, 0, [&](uint64_t offset, const BatchHead& batch) {
    if (!written || batch.first_number < first) return;
    records.clear();
    RecordKind kind = RecordKind::kPlain;
    ForEachRecord(bytes, offset, batch, [&](const RecordInBatch& record) {
      records.push_back(record.data);
      kind = record.kind;
    });
    const std::string_view encoded =
        encoder.Encode(records, batch.first_number, batch.time_ms, batch.synced,
                       {.segment_key = head.key(), .offset = at}, kind);
    written = copy->Write(encoded);
    entries.append(encoder.index_entries());
    at += encoded.size();
    ++log_.report.copied_batches;
  });
  LARDER_TRY(std::move(written));
  LARDER_TRY(io::PublishFile(files_, std::move(copy), path));
  if (first != log_.segments.back()) {
    LARDER_TRY(CutCopied(first));
    log_.segments.push_back(first);
  }
  head_ = head;
  scan_.end = at;
  entries_ = std::move(entries);
  return {};
}

// The segment before ends where its copy begins: else it would have these records again once the
// copy is removed.
Result<void> Recoverer::CutCopied(uint64_t first) {
  LARDER_ASSIGN(auto segment, files_.OpenAllocated(PathOf(options_, SegmentFile())));
  LARDER_TRY(segment->Truncate(scan_.end_of_synced));
  LARDER_TRY(segment->Sync());
  const std::string index_path = PathOf(options_, IndexName(options_.prefix, log_.segments.back()));
  // Without an index the segment is looked through.
  if (!files_.Stat(index_path)) return {};
  LARDER_ASSIGN(auto index, files_.OpenAllocated(index_path));
  LARDER_TRY(index->Truncate(kIndexHeadBytes + (first - log_.segments.back()) * kIndexEntryBytes));
  return index->Sync();
}

void Recoverer::SkipLostNumbers() {
  log_.next_number = std::max(log_.committed + 1, log_.last == nullptr ? 1 : head_.first_number);
  // A process that was killed before its first append has given out no number.
  const bool lost_all = log_.last == nullptr && log_.numbers.reserved != 0 && !Trusted();
  const bool power_cut = log_.numbers.boot != boot_;
  if (!(power_cut || lost_all) || log_.numbers.reserved < log_.next_number) return;
  log_.report.skipped_numbers = log_.numbers.reserved + 1 - log_.next_number;
  log_.next_number = log_.numbers.reserved + 1;
}

}  // namespace

Result<RecoveredLog> Recover(io::FileSystem& files, const Options& options, const Control& control,
                             uint64_t boot) {
  return Recoverer(files, options, control, boot).Recover();
}

Result<void> PublishNumbers(io::FileSystem& files, const Options& options, const Numbers& numbers) {
  return io::PublishFile(files, MakeNumbersFile(numbers),
                         PathOf(options, NumbersName(options.prefix)));
}

}  // namespace larder::log

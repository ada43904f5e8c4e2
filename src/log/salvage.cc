#include "log/salvage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "log/batch.h"
#include "log/segment_walk.h"
#include "log/small_files.h"

namespace larder::log {

namespace {

// Writes segments without gaps, one after the other.
class SegmentsWriter {
 public:
  SegmentsWriter(io::FileSystem& files, LogPlace place, const LogId& id)
      : files_(files), place_(std::move(place)), id_(id) {}

  // What is appended next comes from a segment with this head.
  Result<void> BeginSource(const SegmentHead& head) {
    made_at_ms_ = head.made_at_ms;
    marked_ = marked_ || head.may_be_marked;
    return FinishSegment();
  }

  // Numbers ascend; a gap begins a new segment.
  Result<void> Append(std::span<const std::string_view> records, uint64_t first_number,
                      int64_t time_ms, RecordKind kind) {
    const bool excluded = kind == RecordKind::kMarked && !marked_;
    marked_ = marked_ || excluded;
    const bool fits = file_ != nullptr && !excluded && first_number == next_number_ &&
                      file_->size() + BatchBytes(records) <= kMaxSegmentBytes;
    if (!fits) LARDER_TRY(FinishSegment());
    if (file_ == nullptr) LARDER_TRY(BeginSegment(first_number));
    // What was appended before is on the disk before the log can be opened.
    const std::string_view batch =
        encoder_.Encode(records, first_number, time_ms, next_number_ - 1,
                        {.segment_key = head_.key(), .offset = file_->size()}, kind);
    LARDER_TRY(file_->Write(batch));
    entries_ += encoder_.index_entries();
    next_number_ = first_number + records.size();
    last_number_ = next_number_ - 1;
    return {};
  }

  Result<void> FinishSegment() {
    if (file_ == nullptr) return {};
    std::string index = MakeIndexHead({.id = id_, .first_number = head_.first_number});
    index += entries_;
    made_.push_back(IndexName(place_.prefix, head_.first_number));
    LARDER_TRY(io::PublishFile(files_, index,
                               place_.PathOf(IndexName(place_.prefix, head_.first_number))));
    return io::PublishFile(files_, std::move(file_),
                           place_.PathOf(SegmentName(place_.prefix, head_.first_number)));
  }

  // After an error, so that it can be tried again. What cannot be removed stays.
  void Discard() {
    file_ = nullptr;
    for (const std::string& name : made_) std::ignore = files_.Remove(place_.PathOf(name));
  }

  uint64_t segments() const { return segments_; }
  uint64_t last_number() const { return last_number_; }

 private:
  Result<void> BeginSegment(uint64_t first_number) {
    head_ = {.id = id_,
             .first_number = first_number,
             .made_at_ms = made_at_ms_,
             .last_before = last_number_,
             .may_be_marked = marked_};
    const std::string path = place_.PathOf(SegmentName(place_.prefix, first_number));
    made_.push_back(SegmentName(place_.prefix, first_number));
    made_.push_back(made_.back() + std::string(io::kTemporarySuffix));
    LARDER_ASSIGN(file_, files_.Create(path + std::string(io::kTemporarySuffix)));
    LARDER_TRY(file_->Write(MakeSegmentHead(head_)));
    entries_.clear();
    next_number_ = last_number_ + 1;
    ++segments_;
    return {};
  }

  io::FileSystem& files_;
  const LogPlace place_;
  const LogId id_;
  int64_t made_at_ms_ = 0;
  SegmentHead head_;
  std::unique_ptr<io::WritableFile> file_;  // none: no segment is begun
  std::string entries_;
  std::vector<std::string> made_;  // names of files that are, or may be, there
  BatchEncoder encoder_;
  uint64_t next_number_ = 1;
  bool marked_ = false;  // there may have been a marked record
  uint64_t last_number_ = 0;
  uint64_t segments_ = 0;
};

// A file that may be a segment of the log, by what its head says, else by its name.
struct Source {
  uint64_t name_number = 0;
  uint64_t number = 0;
};

class Salvager {
 public:
  Salvager(io::FileSystem& files, const SalvageOptions& options)
      : files_(files),
        options_(options),
        writer_(files, {.directory = options.to_directory, .prefix = options.from.prefix}, id_) {}

  Result<SalvageReport> Salvage() {
    LARDER_ASSIGN(parts_, ReadLogParts(files_, options_.from));
    if (!parts_.id_known) {
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("{}: neither segments nor indexes nor numbers tell the log's id, so "
                              "nothing in it can be told from other data",
                              options_.from.directory));
    }
    LARDER_ASSIGN(const auto lock, TakeNewDirectory());
    if (auto taken = TakeAll(); !taken) {
      writer_.Discard();
      return std::unexpected(std::move(taken).error());
    }
    report_.segments = writer_.segments();
    report_.newest = writer_.last_number();
    return report_;
  }

 private:
  LogPlace NewPlace() const {
    return {.directory = options_.to_directory, .prefix = options_.from.prefix};
  }

  Result<void> TakeAll() {
    LARDER_TRY(FindSources());
    for (size_t i = 0; i < sources_.size(); ++i) {
      const uint64_t limit = i + 1 < sources_.size() ? sources_[i + 1].number - 1 : kMaxNumber;
      LARDER_TRY(TakeSegment(sources_[i], limit));
    }
    LARDER_TRY(writer_.FinishSegment());
    return WriteNumbers();
  }

  // Nobody opens the new log to append while it is made.
  Result<std::unique_ptr<io::FileLock>> TakeNewDirectory() {
    const LogPlace place = NewPlace();
    LARDER_TRY(files_.MakeDirectories(place.directory));
    LARDER_TRY(CheckEmpty(place));
    LARDER_ASSIGN(auto lock, files_.Lock(place.PathOf(LockName(place.prefix))));
    LARDER_TRY(CheckEmpty(place));
    return lock;
  }

  Result<void> CheckEmpty(const LogPlace& place) const {
    LARDER_ASSIGN(const auto names, files_.List(place.directory));
    const LogFiles found = FindLogFiles(place.prefix, names);
    if (found.segments.empty() && found.indexes.empty() && found.temporaries.empty() &&
        !found.has_numbers) {
      return {};
    }
    return Fail(ErrorCode::kAlreadyExists,
                fmt::format("{} holds a log of the prefix {} already, or a part of one",
                            place.directory, place.prefix));
  }

  Result<void> FindSources() {
    for (const uint64_t number : parts_.files.segments) {
      LARDER_ASSIGN(const auto opened, OpenSegmentFiles(files_, options_.from, parts_.id, number));
      all_bytes_ += opened.bytes().size();
      if (opened.head_state == HeadState::kForeign && opened.head.id != parts_.id) {
        Lose({.file = opened.name, .what = "a segment of another log"});
        continue;
      }
      sources_.push_back({.name_number = number, .number = opened.head.first_number});
    }
    // Where two say that they are the same, the one with the right name counts.
    std::ranges::sort(sources_, [](const Source& a, const Source& b) {
      if (a.number != b.number) return a.number < b.number;
      return (a.name_number == a.number) > (b.name_number == b.number);
    });
    const auto same = std::ranges::unique(sources_, {}, &Source::number);
    for (const Source& source : same) {
      Lose({.file = SegmentName(options_.from.prefix, source.name_number),
            .what = fmt::format("another copy of segment {}", source.number)});
    }
    sources_.erase(same.begin(), same.end());
    return {};
  }

  Result<void> TakeSegment(const Source& source, uint64_t limit) {
    LARDER_ASSIGN(const auto opened,
                  OpenSegmentFiles(files_, options_.from, parts_.id, source.name_number));
    opened.segment->Advise(io::AccessPattern::kSequential);
    See(source.number);
    See(opened.head.last_before);
    if (const uint64_t entries = opened.IndexEntries(); entries != 0) {
      const uint64_t room = kMaxNumber - source.number;
      See(source.number + std::min(entries - 1, room));
    }
    LARDER_TRY(writer_.BeginSource(opened.head));
    const SegmentWalk walk = WalkSegment(opened.bytes(), opened.head);
    See(walk.highest_synced);
    LARDER_TRY(TakeWalked(opened, walk, limit));
    if (opened.head_state == HeadState::kWrong) {
      Lose({.damage = false,
            .file = opened.name,
            .what = "its head is not right: its batches are taken as its name says"});
    }
    if (opened.damaged()) {
      Lose({.file = opened.name, .what = "some of its pages cannot be read"});
    }
    bytes_done_ += opened.bytes().size();
    return {};
  }

  // Batches and holes in the order of their offsets.
  Result<void> TakeWalked(const SegmentFiles& opened, const SegmentWalk& walk, uint64_t limit) {
    size_t next_hole = 0;
    Result<void> taken;
    uint64_t last_progress = 0;
    int64_t time_ms = opened.head.made_at_ms;
    WalkSegment(opened.bytes(), opened.head, [&](uint64_t offset, const BatchHead& batch) {
      while (taken && next_hole < walk.holes.size() && walk.holes[next_hole].from < offset) {
        taken = TakeHole(opened, walk.holes[next_hole++], time_ms, limit);
      }
      time_ms = batch.time_ms;
      if (taken) taken = TakeBatch(opened, offset, batch, limit);
      if (taken && offset - last_progress >= kProgressBytes) {
        last_progress = offset;
        taken = ShowProgress(offset);
      }
    });
    while (taken && next_hole < walk.holes.size()) {
      taken = TakeHole(opened, walk.holes[next_hole++], time_ms, limit);
    }
    return taken;
  }

  Result<void> TakeBatch(const SegmentFiles& opened, uint64_t offset, const BatchHead& batch,
                         uint64_t limit) {
    See(batch.last_number());
    records_.clear();
    RecordKind kind = RecordKind::kPlain;
    ForEachRecord(opened.bytes(), offset, batch, [&](const RecordInBatch& record) {
      // The next segment has the others.
      if (record.number > limit) return;
      records_.push_back(record.data);
      kind = record.kind;
    });
    if (records_.empty()) return {};
    ++report_.batches;
    return Keep(batch.first_number, batch.time_ms, kind);
  }

  // records_, numbered from `first_number` on.
  Result<void> Keep(uint64_t first_number, int64_t time_ms, RecordKind kind) {
    LARDER_TRY(writer_.Append(records_, first_number, time_ms, kind));
    if (report_.oldest == 0) report_.oldest = first_number;
    report_.records += records_.size();
    for (const std::string_view record : records_) report_.bytes += record.size();
    return {};
  }

  // The last number that was lost in it, as far as anything tells; below the first: nothing does.
  static uint64_t LastLost(const SegmentFiles& opened, const Hole& hole, uint64_t limit) {
    if (hole.next_number != 0) return std::min(hole.next_number - 1, limit);
    uint64_t last = std::max(hole.claimed_to, hole.first_number - 1);
    if (const uint64_t entries = opened.IndexEntries(); entries != 0) {
      const uint64_t room = kMaxNumber - opened.head.first_number;
      last = std::max(last, opened.head.first_number + std::min(entries - 1, room));
    }
    return std::min(last, limit);
  }

  Result<void> TakeHole(const SegmentFiles& opened, const Hole& hole, int64_t time_ms,
                        uint64_t limit) {
    See(hole.claimed_to);
    if (hole.first_number > limit) return {};  // the next segment has them
    const uint64_t last = LastLost(opened, hole, limit);
    uint64_t kept = 0;
    uint64_t right = 0;
    if (hole.claimed_to != 0) time_ms = hole.claimed_time_ms;
    for (uint64_t number = hole.first_number; number <= last; ++number) {
      const auto record = RightRecord(opened, hole, number);
      if (!record) continue;
      ++right;
      if (!options_.single_records) continue;
      records_.assign(1, record->data);
      LARDER_TRY(Keep(number, time_ms, record->kind));
      ++report_.batches;
      ++kept;
    }
    report_.single_records += right;
    LoseHole(opened, hole, last, right);
    report_.lost_records -= kept;
    return {};
  }

  // Where the index leads, when that is in the hole and the record there is right by itself.
  static std::optional<StoredRecord> RightRecord(const SegmentFiles& opened, const Hole& hole,
                                                 uint64_t number) {
    const auto offset = opened.OffsetOf(number);
    if (!offset || *offset < hole.from + kBatchHeadBytes || *offset >= hole.to) return std::nullopt;
    const auto record = ReadRecord(opened.bytes(), *offset, number);
    if (!record || *offset + RecordSpace(record->data.size()) > AlignUp(hole.to, kAlignment))
      return std::nullopt;
    return record;
  }

  void LoseHole(const SegmentFiles& opened, const Hole& hole, uint64_t last, uint64_t right) {
    Finding loss{.file = opened.name, .offset = hole.from, .what = {}};
    if (last < hole.first_number) {
      loss.what = fmt::format("{} bytes behind record {} are no whole batch", hole.to - hole.from,
                              hole.first_number - 1);
    } else {
      loss.first_number = hole.first_number;
      loss.last_number = last;
      report_.lost_records += last - hole.first_number + 1;
      loss.what = last == hole.first_number
                      ? fmt::format("record {} is not whole", last)
                      : fmt::format("records {} to {} are not whole", hole.first_number, last);
      if (right != 0) {
        loss.what += fmt::format("; {} of them {} right by {}", right, right == 1 ? "is" : "are",
                                 right == 1 ? "itself" : "themselves");
        loss.what += options_.single_records ? ", and kept" : ", which --records keeps";
      }
    }
    Lose(loss);
  }

  void Lose(const Finding& loss) {
    if (loss.damage) ++report_.losses;
    if (options_.visit_loss) options_.visit_loss(loss);
  }

  // No number up to this will be given out.
  void See(uint64_t number) { seen_ = std::max(seen_, std::min(number, kMaxNumber)); }

  Result<void> WriteNumbers() {
    if (parts_.control) See(std::max(parts_.control->reserved, parts_.control->committed));
    if (parts_.numbers_state == PartState::kRight) See(parts_.numbers.reserved);
    report_.numbers_known = parts_.numbers_right();
    if (!report_.numbers_known) {
      // More may have been given out, and lost, but not more than are reserved at once.
      seen_ += std::min(kNumbersReservedAhead, kMaxNumber - seen_);
    }
    report_.reserved = seen_;
    const LogPlace place = NewPlace();
    // No start of the machine has this: what is appended gets a number behind the reserved ones.
    constexpr uint64_t kNoBoot = 0;
    const Numbers numbers{
        .id = id_, .reserved = seen_, .synced = writer_.last_number(), .boot = kNoBoot};
    return io::PublishFile(files_, MakeNumbersFile(numbers),
                           place.PathOf(NumbersName(place.prefix)));
  }

  Result<void> ShowProgress(uint64_t offset) {
    if (!options_.progress || options_.progress(bytes_done_ + offset, all_bytes_)) return {};
    return Fail(ErrorCode::kCancelled, fmt::format("{}: cancelled", options_.from.directory));
  }

  static constexpr uint64_t kProgressBytes = uint64_t{1} << 20;

  io::FileSystem& files_;
  const SalvageOptions& options_;
  const LogId id_ = NewLogId();
  SegmentsWriter writer_;
  LogParts parts_;
  std::vector<Source> sources_;
  std::vector<std::string_view> records_;
  SalvageReport report_;
  uint64_t seen_ = 0;
  uint64_t all_bytes_ = 0;
  uint64_t bytes_done_ = 0;
};

}  // namespace

Result<SalvageReport> Salvage(io::FileSystem& files, const SalvageOptions& options) {
  return Salvager(files, options).Salvage();
}

}  // namespace larder::log

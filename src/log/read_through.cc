#include "log/read_through.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "log/segment_walk.h"

namespace larder::log {

namespace {

// What lies behind it may have changed meanwhile; damage that stays is damage.
constexpr int kAttempts = 4;

std::string RecordsText(uint64_t first, uint64_t last) {
  return first >= last ? fmt::format("record {}", first)
                       : fmt::format("records {} to {}", first, last);
}

// What must be in a segment.
struct Expectation {
  uint64_t known = 0;           // up to here its records are on the disk, or were committed
  uint64_t limit = kMaxNumber;  // above it the next segment counts
  bool sealed = false;          // it has a successor: nothing is torn
  bool removable = false;       // segments behind it may have been removed
  bool cut = false;             // its end is not told, but was cut to its last batch
  bool in_use = false;          // behind `known` somebody may be writing
};

// One segment, looked at once; its findings count only when the look was a good one.
class SegmentLook {
 public:
  SegmentLook(const SegmentFiles& files, const Expectation& expected, bool check_index)
      : files_(files), expected_(expected), check_index_(check_index) {}

  // `visit` is called for every batch that is whole.
  void Walk(const VisitBatch& visit) {
    walk_ = WalkSegment(files_.bytes(), files_.head, [&](uint64_t offset, const BatchHead& batch) {
      if (check_index_) CheckEntries(offset, batch);
      CheckMark(offset, batch);
      if (visit) visit(offset, batch);
    });
    expected_.known = std::max(expected_.known, walk_.highest_synced);
    for (const Hole& hole : walk_.holes) JudgeHole(hole);
    JudgeEnd();
    JudgeIndex();
    JudgeMarks();
  }

  const SegmentWalk& walk() const { return walk_; }
  const std::vector<Finding>& findings() const { return findings_; }
  bool has_damage() const {
    return std::ranges::any_of(findings_, [](const Finding& finding) { return finding.damage; });
  }
  // Behind it are whole batches which are no part of the log.
  uint64_t end_of_log() const { return end_of_log_; }

 private:
  bool MustBeThere(uint64_t number) const {
    return number <= expected_.limit && (number <= expected_.known || expected_.sealed);
  }

  void CheckEntries(uint64_t offset, const BatchHead& batch) {
    if (files_.index_state != PartState::kRight) return;
    if (batch.last_number() > expected_.limit) return;
    if (expected_.in_use && batch.last_number() > expected_.known) return;
    ForEachRecord(files_.bytes(), offset, batch, [&](const RecordInBatch& record) {
      if (files_.OffsetOf(record.number) == record.offset) return;
      if (wrong_entries_++ == 0) first_wrong_entry_ = record.number;
      last_wrong_entry_ = record.number;
    });
  }

  // All records of a batch are of one kind.
  void CheckMark(uint64_t offset, const BatchHead& batch) {
    if (files_.head_state != HeadState::kRight || files_.head.may_be_marked) return;
    const char* const first = files_.bytes().data() + offset + kBatchHeadBytes;
    if (KindOf(LoadLe<uint32_t>(first)) != RecordKind::kMarked) return;
    if (marked_batches_++ == 0) first_marked_ = {.offset = offset, .number = batch.first_number};
  }

  void JudgeMarks() {
    if (marked_batches_ == 0) return;
    findings_.push_back(
        {.file = files_.name,
         .offset = first_marked_.offset,
         .first_number = first_marked_.number,
         .last_number = first_marked_.number,
         .what = fmt::format("record {} is marked, and the segment's head says that none is",
                             first_marked_.number)});
  }

  void JudgeHole(const Hole& hole) {
    const bool tail = hole.next_number == 0;
    // A sealed segment's tail is judged by what is known of its end.
    const bool damage =
        !tail ? MustBeThere(hole.first_number)
              : TailIsMissed() || (expected_.cut && hole.first_number <= expected_.limit);
    if (!damage) {
      end_of_log_ = std::min(end_of_log_, hole.first_number - 1);
      if (tail && !expected_.in_use) NoteTail(hole);
      return;
    }
    uint64_t last = tail ? std::max(hole.first_number, hole.claimed_to) : hole.next_number - 1;
    if (tail) last = std::max(last, std::min(expected_.known, expected_.limit));
    findings_.push_back({.file = files_.name,
                         .offset = hole.from,
                         .first_number = hole.first_number,
                         .last_number = last,
                         .what = fmt::format("{} not whole ({} bytes)",
                                             Are(hole.first_number, last), hole.to - hole.from)});
  }

  static std::string Are(uint64_t first, uint64_t last) {
    return RecordsText(first, last) + (first >= last ? " is" : " are");
  }

  void NoteTail(const Hole& hole) {
    const uint64_t from = std::min(hole.from, first_hole());
    findings_.push_back(
        {.damage = false,
         .file = files_.name,
         .offset = from,
         .what = expected_.sealed
                     ? fmt::format("{} bytes behind its records, which the next segment has",
                                   hole.to - from)
                     : fmt::format("a torn tail of {} bytes, which is cut when the log is opened "
                                   "to append",
                                   hole.to - from)});
  }

  uint64_t first_hole() const { return walk_.holes.front().from; }

  // Whether a record that should be there is missing behind the last whole batch.
  bool TailIsMissed() const {
    if (walk_.next_number > expected_.limit || walk_.next_number > expected_.known) return false;
    if (!expected_.removable) return true;
    // What was known safe may have been in segments that were removed since. The index has an entry
    // for each of this one's records.
    if (files_.index_state == PartState::kRight)
      return files_.IndexEntries() > walk_.next_number - files_.head.first_number;
    return walk_.end != files_.bytes().size() || !Clean();
  }

  bool Clean() const { return walk_.holes.empty() || walk_.holes.back().next_number != 0; }

  // Nothing but zeros behind the last batch, and yet it should not end there.
  void JudgeEnd() {
    if (!Clean() || !TailIsMissed()) return;
    uint64_t last = std::min(expected_.known, expected_.limit);
    if (expected_.removable) {
      const uint64_t entries = files_.IndexEntries();
      if (entries != 0) last = std::min(last, files_.head.first_number + entries - 1);
    }
    last = std::max(last, walk_.next_number);
    findings_.push_back({.file = files_.name,
                         .offset = walk_.end,
                         .first_number = walk_.next_number,
                         .last_number = last,
                         .what = RecordsText(walk_.next_number, last) + " should follow here"});
  }

  void JudgeIndex() {
    if (!check_index_ || walk_.records == 0) return;
    if (files_.index_state != PartState::kRight) {
      if (expected_.in_use && !expected_.sealed) return;
      findings_.push_back({.damage = false,
                           .file = files_.index_name,
                           .what = files_.index_state == PartState::kMissing
                                       ? "missing: its segment is looked through instead"
                                       : "not right: its segment is looked through instead"});
    } else if (wrong_entries_ != 0) {
      const bool mended = !expected_.sealed && !expected_.in_use;
      findings_.push_back(
          {.damage = !mended,
           .file = files_.index_name,
           .offset =
               kIndexHeadBytes + (first_wrong_entry_ - files_.head.first_number) * kIndexEntryBytes,
           .first_number = first_wrong_entry_,
           .last_number = last_wrong_entry_,
           .what = fmt::format("{} of its entries do not lead to their records, the first that of "
                               "record {}",
                               wrong_entries_, first_wrong_entry_)});
    }
  }

  const SegmentFiles& files_;
  Expectation expected_;
  const bool check_index_;
  SegmentWalk walk_;
  std::vector<Finding> findings_;
  uint64_t end_of_log_ = kMaxNumber;
  uint64_t wrong_entries_ = 0;
  uint64_t first_wrong_entry_ = 0;
  uint64_t last_wrong_entry_ = 0;
  struct Place {
    uint64_t offset = 0;
    uint64_t number = 0;
  };
  uint64_t marked_batches_ = 0;  // though the head says that there are none
  Place first_marked_;
};

class Passage {
 public:
  Passage(io::FileSystem& files, const LogPlace& place, const ReadThroughOptions& options)
      : files_(files), place_(place), options_(options) {}

  Result<ReadThroughTotals> Read() {
    LARDER_ASSIGN(parts_, ReadLogParts(files_, place_));
    for (const uint64_t number : parts_.files.segments) {
      if (const auto info = files_.Stat(place_.PathOf(SegmentName(place_.prefix, number))))
        all_bytes_ += info->bytes;
    }
    uint64_t done_to = 0;
    while (const auto number = NextSegment(done_to)) {
      LARDER_TRY(ReadSegment(*number));
      done_to = *number;
    }
    LARDER_TRY(JudgeNumbers());
    return totals_;
  }

 private:
  // Files that were there a moment ago may be removed, others are new.
  std::optional<uint64_t> NextSegment(uint64_t done_to) const {
    const auto next = std::ranges::upper_bound(parts_.files.segments, done_to);
    return next == parts_.files.segments.end() ? std::nullopt : std::optional(*next);
  }
  bool IsLast(uint64_t number) const { return number == parts_.files.segments.back(); }

  bool OutOfRange(uint64_t number) const {
    if (number > options_.to) return true;
    const auto next = NextSegment(number);
    return next && *next <= options_.from;
  }

  Result<void> ReadSegment(uint64_t number) {
    if (OutOfRange(number)) return {};
    for (int attempt = 1;; ++attempt) {
      LARDER_ASSIGN(const bool done, TryToRead(number, attempt == kAttempts));
      if (done) return {};
      LARDER_ASSIGN(parts_, ReadLogParts(files_, place_));
      if (!std::ranges::binary_search(parts_.files.segments, number)) return {};
    }
  }

  // False: what is not right may be so because it has changed meanwhile.
  Result<bool> TryToRead(uint64_t number, bool last_attempt) {
    auto opened = OpenSegmentFiles(files_, place_, parts_.id, number);
    if (!opened) {
      if (opened.error().code() == ErrorCode::kNotFound && !last_attempt) return false;
      return std::unexpected(opened.error());
    }
    opened->segment->Advise(io::AccessPattern::kSequential);
    const bool right = opened->head_state == HeadState::kRight;
    if (!right && IsLast(number) && !last_attempt) return false;
    if (!right && std::exchange(reported_head_, number) != number) ReportHead(*opened, number);
    if (right || opened->head_state == HeadState::kWrong) {
      LARDER_ASSIGN(const bool done, ReadOpened(*opened, number, last_attempt));
      if (!done) return false;
    }
    ++totals_.segments;
    totals_.bytes += opened->bytes().size();
    return true;
  }

  void ReportHead(const SegmentFiles& opened, uint64_t number) {
    Finding finding{.file = opened.name, .first_number = number, .what = opened.head_problem};
    if (opened.head_state == HeadState::kNotBegun) {
      // Only the last can have been interrupted by a crash: its successor would be without a past.
      finding.damage = !IsLast(number) || parts_.known() >= number;
      finding.first_number = 0;
      finding.what = "it was never begun";
    }
    // The names of files are said by whoever prints it.
    if (finding.what.starts_with(finding.file + ": ")) {
      finding.what.erase(0, finding.file.size() + 2);
    }
    Report(finding);
  }

  Expectation Expect(uint64_t number) const {
    Expectation expected;
    const auto next = NextSegment(number);
    if (!next) {
      expected.known = parts_.known();
      expected.in_use = parts_.in_use();
      return expected;
    }
    expected.limit = *next - 1;
    const auto successor = OpenSegmentFiles(files_, place_, parts_.id, *next);
    if (successor && successor->head_state == HeadState::kRight) {
      expected.known = successor->head.last_before;
      expected.removable = true;
    } else {
      // A successor that was never begun is left by a crash, or is just being made, or given up:
      // what was known is of this one.
      const bool begun = !successor || successor->head_state != HeadState::kNotBegun;
      if (!begun && IsLast(*next)) {
        expected.known = parts_.known();
        expected.in_use = parts_.in_use();
      }
      expected.cut = !expected.in_use;
    }
    expected.sealed = !expected.in_use;
    return expected;
  }

  Result<bool> ReadOpened(const SegmentFiles& opened, uint64_t number, bool last_attempt) {
    const Expectation expected = Expect(number);
    SegmentLook look(opened, expected, options_.check_indexes);
    Result<void> passed;
    uint64_t last_progress = 0;
    uint64_t records = 0;
    uint64_t batches = 0;
    const auto pass = [&](uint64_t offset, const BatchHead& batch) {
      if (!passed || batch.first_number > expected.limit) return;
      ++batches;
      records += std::min(batch.last_number(), expected.limit) - batch.first_number + 1;
      if (offset - last_progress >= kProgressBytes) {
        last_progress = offset;
        passed = ShowProgress(offset);
      }
      if (passed && !IsLast(number)) {
        passed = PassRecords(opened, offset, batch, std::min(expected.limit, parts_.Readable()));
      }
    };
    look.Walk(pass);
    LARDER_TRY(std::move(passed));
    // Of older segments nothing changes any more.
    const auto next = NextSegment(number);
    const bool suspicious = look.has_damage() && (!next || IsLast(*next));
    if ((suspicious || opened.damaged()) && !last_attempt) return false;
    if (opened.damaged()) {
      Report({.file = opened.name, .what = "some of its pages cannot be read"});
    }
    for (const Finding& finding : look.findings()) Report(finding);
    if (IsLast(number)) {
      const uint64_t committed = parts_.Readable();
      LARDER_ASSIGN(records, PassLast(opened, std::min(committed, look.end_of_log())));
    }
    if (records != 0) last_record_ = std::max(last_record_, look.walk().next_number - 1);
    totals_.batches += batches;
    totals_.records += records;
    return true;
  }

  // Once more, now that it is known where the log ends.
  Result<uint64_t> PassLast(const SegmentFiles& opened, uint64_t limit) {
    uint64_t records = 0;
    Result<void> passed;
    WalkSegment(opened.bytes(), opened.head, [&](uint64_t offset, const BatchHead& batch) {
      if (!passed || batch.last_number() > limit) return;
      records += batch.records;
      passed = PassRecords(opened, offset, batch, limit);
    });
    LARDER_TRY(std::move(passed));
    return records;
  }

  Result<void> PassRecords(const SegmentFiles& opened, uint64_t offset, const BatchHead& batch,
                           uint64_t limit) {
    if (!options_.visit_record) return {};
    Result<void> passed;
    ForEachRecord(opened.bytes(), offset, batch, [&](const RecordInBatch& record) {
      const uint64_t number = record.number;
      if (!passed || number > limit || number <= passed_to_) return;
      if (number < options_.from || number > options_.to) return;
      passed_to_ = number;
      passed = options_.visit_record({.number = number,
                                      .time_ms = batch.time_ms,
                                      .marked = record.kind == RecordKind::kMarked,
                                      .data = record.data});
    });
    return passed;
  }

  Result<void> ShowProgress(uint64_t offset) {
    if (!options_.progress || options_.progress(totals_.bytes + offset, all_bytes_)) return {};
    return Fail(ErrorCode::kCancelled, fmt::format("{}: cancelled", place_.directory));
  }

  void Report(const Finding& finding) {
    ++(finding.damage ? totals_.damaged : totals_.notes);
    if (options_.visit_finding) options_.visit_finding(finding);
  }

  Result<void> JudgeNumbers() {
    const std::string name = NumbersName(place_.prefix);
    // Numbers are reserved before they are used: what is read now covers all records seen.
    LARDER_ASSIGN(parts_, ReadLogParts(files_, place_));
    if (parts_.numbers_state == PartState::kMissing) {
      Report({.file = name, .what = "missing: how far numbers were given out is not known"});
    } else if (parts_.numbers_state == PartState::kWrong) {
      std::string what = parts_.numbers_problem;
      if (what.starts_with(name + ": ")) what.erase(0, name.size() + 2);
      Report({.file = name, .what = what});
    } else if (!parts_.numbers_right()) {
      Report({.file = name, .what = "of another log than the segments"});
    } else if (last_record_ > parts_.numbers.reserved) {
      Report({.file = name,
              .offset = kReservedAt,
              .first_number = parts_.numbers.reserved + 1,
              .last_number = last_record_,
              .what = fmt::format("reserves numbers to {}, and there is record {}",
                                  parts_.numbers.reserved, last_record_)});
    } else if (parts_.files.segments.empty() && parts_.numbers.synced != 0) {
      Report({.file = name,
              .offset = kNumbersSyncedAt,
              .what = fmt::format("records to {} were safe, and there is no segment",
                                  parts_.numbers.synced)});
    }
    return {};
  }

  static constexpr uint64_t kProgressBytes = uint64_t{1} << 20;

  io::FileSystem& files_;
  const LogPlace& place_;
  const ReadThroughOptions& options_;
  LogParts parts_;
  ReadThroughTotals totals_;
  uint64_t all_bytes_ = 0;
  uint64_t passed_to_ = 0;
  uint64_t reported_head_ = 0;
  uint64_t last_record_ = 0;
};

}  // namespace

std::string Finding::Text() const { return fmt::format("{}: byte {}: {}", file, offset, what); }

Result<ReadThroughTotals> ReadThrough(io::FileSystem& files, const LogPlace& place,
                                      const ReadThroughOptions& options) {
  return Passage(files, place, options).Read();
}

}  // namespace larder::log

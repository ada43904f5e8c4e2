#include "log/examine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "log/batch.h"

namespace larder::log {

namespace {

// Somebody may append meanwhile, and removes what was listed a moment ago.
constexpr int kAttempts = 8;

// Processes write these while they are read.
uint64_t LoadShared64(std::string_view page, uint64_t at) {
  return __atomic_load_n(reinterpret_cast<const uint64_t*>(page.data() + at), __ATOMIC_ACQUIRE);
}
uint32_t LoadShared32(std::string_view page, uint64_t at) {
  return __atomic_load_n(reinterpret_cast<const uint32_t*>(page.data() + at), __ATOMIC_ACQUIRE);
}

// A copy of the control file's page; empty when it is none.
struct ControlPage {
  LogId id{};
  uint64_t boot = 0;
  ControlFacts facts;
};

std::optional<ControlPage> ReadControl(io::FileSystem& files, const LogPlace& place) {
  const auto mapping = files.Map(place.PathOf(ControlName(place.prefix)));
  if (!mapping || (*mapping)->bytes().size() < kControlBytes) return std::nullopt;
  // Words are loaded where a page begins, so they are aligned; a copy in a test need not be.
  const std::string_view page = (*mapping)->bytes();
  if (reinterpret_cast<uintptr_t>(page.data()) % alignof(uint64_t) != 0) return std::nullopt;
  if (LoadShared64(page, 0) != LoadLe<uint64_t>(kControlMagic.data()) ||
      LoadShared32(page, control_at::kVersion) != kFormatVersion) {
    return std::nullopt;
  }
  ControlPage control{.id = LogId{},
                      .boot = LoadShared64(page, control_at::kBoot),
                      .facts = {.state = LoadShared32(page, control_at::kState),
                                .reserved = LoadShared64(page, control_at::kReserved),
                                .committed = LoadShared64(page, control_at::kCommitted),
                                .synced = LoadShared64(page, control_at::kSynced)}};
  std::memcpy(control.id.data(), page.data() + control_at::kLogId, control.id.size());
  if ((*mapping)->damaged() || control.facts.state > 2) return std::nullopt;
  return control;
}

Result<void> ReadNumbers(io::FileSystem& files, const LogPlace& place, LogParts& parts) {
  const std::string name = NumbersName(place.prefix);
  // One byte more, so that too long a file is wrong and no error of reading.
  const auto bytes = io::ReadWholeFile(files, place.PathOf(name), kSmallFileBytes);
  if (!bytes) {
    if (bytes.error().code() == ErrorCode::kNotFound) return {};
    if (bytes.error().code() != ErrorCode::kLimit) return std::unexpected(bytes.error());
  }
  const auto numbers =
      bytes ? ReadNumbersFile(*bytes, name) : Result<Numbers>(std::unexpected(bytes.error()));
  parts.numbers_state = numbers ? PartState::kRight : PartState::kWrong;
  if (numbers) {
    parts.numbers = *numbers;
  } else {
    parts.numbers_problem = numbers.error().message();
  }
  return {};
}

// The id that the heads of most of these files tell; of several as frequent ones any.
std::optional<LogId> MostFrequent(const std::map<LogId, uint64_t>& ids) {
  if (ids.empty()) return std::nullopt;
  return std::ranges::max_element(ids, {}, [](const auto& id) { return id.second; })->first;
}

std::map<LogId, uint64_t> SegmentIds(io::FileSystem& files, const LogPlace& place,
                                     const std::vector<uint64_t>& numbers) {
  std::map<LogId, uint64_t> ids;
  for (const uint64_t number : numbers) {
    const std::string name = SegmentName(place.prefix, number);
    const auto mapping = files.Map(place.PathOf(name));
    if (!mapping) continue;
    if (const auto head = ReadSegmentHead((*mapping)->bytes(), name)) ++ids[head->id];
  }
  return ids;
}

std::map<LogId, uint64_t> IndexIds(io::FileSystem& files, const LogPlace& place,
                                   const std::vector<uint64_t>& numbers) {
  std::map<LogId, uint64_t> ids;
  for (const uint64_t number : numbers) {
    const std::string name = IndexName(place.prefix, number);
    const auto mapping = files.Map(place.PathOf(name));
    if (!mapping) continue;
    if (const auto head = ReadIndexHead((*mapping)->bytes(), name)) ++ids[head->id];
  }
  return ids;
}

// From whatever still tells it.
void FindId(io::FileSystem& files, const LogPlace& place, const std::optional<ControlPage>& control,
            LogParts& parts) {
  const auto ids = SegmentIds(files, place, parts.files.segments);
  const bool numbers = parts.numbers_state == PartState::kRight;
  std::optional<LogId> id;
  if (numbers && (ids.empty() || ids.contains(parts.numbers.id))) {
    id = parts.numbers.id;
  } else if (!ids.empty()) {
    id = MostFrequent(ids);
  } else {
    id = MostFrequent(IndexIds(files, place, parts.files.indexes));
    if (!id && control) id = control->id;
  }
  parts.id_known = id.has_value();
  if (id) parts.id = *id;
}

bool OnlyZerosFollowTheHead(std::string_view segment) {
  return EndOfData(segment, std::min<uint64_t>(segment.size(), kSegmentHeadBytes)) <=
         kSegmentHeadBytes;
}

void JudgeHead(const LogId& id, uint64_t number, SegmentFiles& files) {
  const auto head = ReadSegmentHead(files.bytes(), files.name);
  files.head = head ? *head : SegmentHead{.id = id, .first_number = number};
  if (!head) {
    files.head_problem = head.error().message();
    const bool newer = head.error().code() == ErrorCode::kUnsupported;
    files.head_state =
        !newer && OnlyZerosFollowTheHead(files.bytes()) ? HeadState::kNotBegun : HeadState::kWrong;
  } else if (head->id != id) {
    files.head_state = HeadState::kForeign;
    files.head_problem = fmt::format("{}: a segment of another log", files.name);
  } else if (head->first_number != number) {
    files.head_state = HeadState::kForeign;
    files.head_problem =
        fmt::format("{}: the segment that begins with {}", files.name, head->first_number);
  } else {
    files.head_state = HeadState::kRight;
  }
}

}  // namespace

uint64_t LogParts::known() const {
  uint64_t known = numbers_right() ? numbers.synced : 0;
  if (control) known = std::max({known, control->synced, control->committed});
  return known;
}

// What claims of numbers are read first: files that are listed and mapped later hold all of it.
Result<LogParts> ReadLogParts(io::FileSystem& files, const LogPlace& place) {
  LARDER_TRY(CheckPrefix(place.prefix));
  LogParts parts;
  LARDER_TRY(ReadNumbers(files, place, parts));
  const auto control = ReadControl(files, place);
  LARDER_ASSIGN(const auto names, files.List(place.directory));
  parts.files = FindLogFiles(place.prefix, names);
  if (parts.files.segments.empty() && parts.files.indexes.empty() &&
      parts.numbers_state == PartState::kMissing) {
    return Fail(ErrorCode::kNotFound, fmt::format("{}: there is no log of the prefix {} here",
                                                  place.directory, place.prefix));
  }
  FindId(files, place, control, parts);
  const bool trusted = control && parts.id_known && control->id == parts.id &&
                       control->boot == BootChecksum(files.BootId());
  if (trusted) parts.control = control->facts;
  return parts;
}

uint64_t SegmentFiles::IndexEntries() const {
  if (index_state != PartState::kRight) return 0;
  const uint64_t end = EndOfData(index->bytes(), kIndexHeadBytes);
  return (end - kIndexHeadBytes + kIndexEntryBytes - 1) / kIndexEntryBytes;
}

std::optional<uint64_t> SegmentFiles::OffsetOf(uint64_t number) const {
  if (index_state != PartState::kRight || number < head.first_number) return std::nullopt;
  return IndexedOffset(index->bytes(), number - head.first_number);
}

Result<SegmentFiles> OpenSegmentFiles(io::FileSystem& files, const LogPlace& place, const LogId& id,
                                      uint64_t number) {
  SegmentFiles opened;
  opened.name = SegmentName(place.prefix, number);
  opened.index_name = IndexName(place.prefix, number);
  LARDER_ASSIGN(opened.segment, files.Map(place.PathOf(opened.name)));
  JudgeHead(id, number, opened);
  if (auto index = files.Map(place.PathOf(opened.index_name))) {
    opened.index = *std::move(index);
    const auto head = ReadIndexHead(opened.index->bytes(), opened.index_name);
    const IndexHead expected{.id = opened.head.id, .first_number = opened.head.first_number};
    opened.index_state = head && *head == expected ? PartState::kRight : PartState::kWrong;
  } else if (index.error().code() != ErrorCode::kNotFound) {
    opened.index_state = PartState::kWrong;
  }
  return opened;
}

namespace {

// The end of the record when it is where the index says.
std::optional<uint64_t> EndOfIndexed(const SegmentFiles& files, uint64_t number) {
  const auto offset = files.OffsetOf(number);
  const auto record = offset ? ReadRecord(files.bytes(), *offset, number) : std::nullopt;
  if (!record) return std::nullopt;
  return *offset + RecordSpace(record->data.size());
}

uint64_t CountByHeads(const SegmentFiles& files) {
  uint64_t records = 0;
  uint64_t at = kSegmentHeadBytes;
  while (const auto head = ReadBatchHead(files.bytes(), at, files.head.key())) {
    if (head->first_number != files.head.first_number + records) break;
    records += head->records;
    at += head->bytes;
  }
  return records;
}

// By its two ends: an index is not read.
void CountSealed(const SegmentFiles& files, SegmentFacts& facts) {
  facts.index = files.index_state;
  const uint64_t entries = files.IndexEntries();
  const uint64_t first = files.head.first_number;
  const bool right = entries == 0
                         ? EndOfData(files.bytes(), kSegmentHeadBytes) == kSegmentHeadBytes
                         : EndOfIndexed(files, first).has_value() &&
                               EndOfIndexed(files, first + entries - 1) == files.bytes().size();
  if (facts.index == PartState::kRight && right) {
    facts.records = entries;
    return;
  }
  facts.records = CountByHeads(files);
  if (facts.index == PartState::kRight && facts.records != entries) facts.index = PartState::kWrong;
}

class Inspector {
 public:
  Inspector(io::FileSystem& files, const LogPlace& place) : files_(files), place_(place) {}

  // Nothing: something has changed meanwhile.
  Result<std::optional<LogFacts>> Inspect() {
    LARDER_ASSIGN(facts_.parts, ReadLogParts(files_, place_));
    for (const uint64_t number : facts_.parts.files.segments) {
      LARDER_TRY(Look(number));
      if (changed_) return std::nullopt;
    }
    CutOverlaps();
    if (facts_.missing_number != 0 && !last_attempt_) return std::nullopt;
    return std::optional(std::move(facts_));
  }
  void set_last_attempt() { last_attempt_ = true; }

 private:
  Result<void> Look(uint64_t number) {
    const auto opened = OpenSegmentFiles(files_, place_, facts_.parts.id, number);
    if (!opened) {
      if (opened.error().code() != ErrorCode::kNotFound) return std::unexpected(opened.error());
      // Removed meanwhile. So is the last only when there are later ones.
      changed_ = number == facts_.parts.files.segments.back() && !last_attempt_;
      return {};
    }
    SegmentFacts facts{.number = number,
                       .head_state = opened->head_state,
                       .problem = opened->head_problem,
                       .bytes = opened->bytes().size(),
                       .index_bytes = opened->index == nullptr ? 0 : opened->index->bytes().size(),
                       .made_at_ms = opened->head.made_at_ms,
                       .last = number == facts_.parts.files.segments.back()};
    if (facts.last) {
      CountLast(*opened, facts);
    } else if (facts.head_state == HeadState::kRight) {
      CountSealed(*opened, facts);
    } else {
      facts.index = opened->index_state;
      if (facts.head_state == HeadState::kWrong) facts.records = CountByHeads(*opened);
    }
    if (opened->damaged() && !last_attempt_) changed_ = true;
    facts_.segments.push_back(std::move(facts));
    return {};
  }

  void CountLast(const SegmentFiles& opened, SegmentFacts& facts) {
    facts.index = opened.index_state;
    if (facts.head_state == HeadState::kNotBegun || facts.head_state == HeadState::kForeign) return;
    bool index_right = true;
    const SegmentScan scan = ScanSegment(
        opened.bytes(), opened.head, facts_.parts.known(),
        [&](uint64_t offset, const BatchHead& batch) {
          ForEachRecord(opened.bytes(), offset, batch, [&](const RecordInBatch& record) {
            if (opened.OffsetOf(record.number) != record.offset) index_right = false;
          });
        });
    facts.records = scan.next_number - opened.head.first_number;
    if (!index_right && facts.index == PartState::kRight && !facts_.parts.in_use())
      facts.index = PartState::kWrong;
    facts_.tail_bytes = scan.bytes_after;
    facts_.tail_batches = scan.whole_after;
    // Behind what was committed before, who appends is still writing.
    const bool missing =
        facts_.parts.in_use() ? facts_.parts.known() >= scan.next_number : scan.damaged();
    if (!missing) return;
    facts_.missing_number = scan.next_number;
    facts_.missing_at = scan.end;
  }

  void CutOverlaps() {
    for (size_t i = 0; i < facts_.segments.size(); ++i) {
      SegmentFacts& facts = facts_.segments[i];
      if (i + 1 < facts_.segments.size()) {
        const SegmentFacts& next = facts_.segments[i + 1];
        facts.records = std::min(facts.records, next.number - facts.number);
      }
      if (facts.records == 0) continue;
      if (facts_.oldest == 0) facts_.oldest = facts.number;
      facts_.newest = facts.last_number();
    }
  }

  io::FileSystem& files_;
  const LogPlace& place_;
  LogFacts facts_;
  bool changed_ = false;
  bool last_attempt_ = false;
};

}  // namespace

Result<LogFacts> InspectLog(io::FileSystem& files, const LogPlace& place) {
  for (int attempt = 1;; ++attempt) {
    Inspector inspector(files, place);
    if (attempt == kAttempts) inspector.set_last_attempt();
    LARDER_ASSIGN(auto facts, inspector.Inspect());
    if (facts) return *std::move(facts);
  }
}

}  // namespace larder::log

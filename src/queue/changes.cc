#include "queue/changes.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "log/format.h"

namespace larder::queue {

namespace {

template <typename... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};

// ---- Fields, written.

void PutUint(std::string& to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<char>(value | 0x80));
  to.push_back(static_cast<char>(value));
}

void PutTime(std::string& to, int64_t ms) { PutUint(to, static_cast<uint64_t>(ms)); }

void PutDifference(std::string& to, int64_t value, int64_t from) {
  const uint64_t difference = static_cast<uint64_t>(value) - static_cast<uint64_t>(from);
  const uint64_t sign = uint64_t{0} - (difference >> 63);
  PutUint(to, (difference << 1) ^ sign);
}

void PutText(std::string& to, std::string_view text) {
  PutUint(to, text.size());
  to.append(text);
}

void PutPlace(std::string& to, const Place& place) {
  PutText(to, place.directory);
  PutText(to, place.prefix);
}

void PutRanges(std::string& to, const std::vector<Range>& ranges) {
  PutUint(to, ranges.size());
  uint64_t before = 0;
  for (const Range& range : ranges) {
    PutUint(to, range.first - before);
    PutUint(to, range.last - range.first);
    before = range.last;
  }
}

void PutSettings(std::string& to, const GroupSettings& settings) {
  PutTime(to, settings.visibility_timeout_ms);
  PutUint(to, settings.max_deliveries);
  PutPlace(to, settings.dead_letter);
}

void PutGroup(std::string& to, const Checkpoint::Group& group) {
  PutText(to, group.name);
  PutSettings(to, group.settings);
  PutUint(to, group.next);
  PutUint(to, group.consumers.size());
  for (const std::string& consumer : group.consumers) PutText(to, consumer);
  PutUint(to, group.pending.size());
  Checkpoint::Pending before;
  for (const Checkpoint::Pending& pending : group.pending) {
    PutUint(to, pending.number - before.number);
    PutUint(to, pending.consumer);
    PutDifference(to, pending.delivered_at_ms, before.delivered_at_ms);
    PutDifference(to, pending.deadline_ms, pending.delivered_at_ms);
    PutUint(to, pending.deliveries);
    before = pending;
  }
}

void PutArrived(std::string& to, const Arrived& arrived) {
  to.append(BytesOf(arrived.from));
  PutUint(to, arrived.needed_behind);
  PutUint(to, arrived.records.size());
  Arrived::Record before;
  for (const Arrived::Record& record : arrived.records) {
    PutUint(to, record.here - before.here);
    PutDifference(to, static_cast<int64_t>(record.there), static_cast<int64_t>(before.there));
    before = record;
  }
}

void PutCheckpoint(std::string& to, const Checkpoint& checkpoint) {
  PutRanges(to, checkpoint.deleted);
  PutUint(to, checkpoint.groups.size());
  for (const Checkpoint::Group& group : checkpoint.groups) PutGroup(to, group);
  PutUint(to, checkpoint.moves.size());
  uint64_t before = 0;
  for (const Moving& move : checkpoint.moves) {
    PutUint(to, move.number - before);
    PutPlace(to, move.to);
    PutUint(to, move.destination_committed);
    before = move.number;
  }
  PutUint(to, checkpoint.arrivals.size());
  for (const Arrived& arrived : checkpoint.arrivals) PutArrived(to, arrived);
}

// ---- Fields, read.

// Once something is wrong, everything that is read is nothing; whoever reads asks at the end, and
// in loops.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes), rest_(bytes) {}

  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }
  uint64_t offset() const { return bytes_.size() - rest_.size(); }

  uint8_t Byte() {
    if (rest_.empty()) return static_cast<uint8_t>(Bad());
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  uint64_t Uint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint64_t byte = Byte();
      if (!good_) return 0;
      const uint64_t bits = byte & 0x7f;
      if (shift == 63 && bits > 1) return Bad();
      value |= bits << shift;
      if (byte == bits) return bits == 0 && shift != 0 ? Bad() : value;
    }
    return Bad();
  }

  // So much above `before`, and no more than `limit`.
  uint64_t Above(uint64_t before, uint64_t limit) {
    const uint64_t difference = Uint();
    return difference <= limit - before ? before + difference : Bad();
  }

  int64_t Time() { return static_cast<int64_t>(Uint()); }

  int64_t Difference(int64_t from) {
    const uint64_t value = Uint();
    const uint64_t difference = (value >> 1) ^ (uint64_t{0} - (value & 1));
    return static_cast<int64_t>(static_cast<uint64_t>(from) + difference);
  }

  std::string Text() {
    const uint64_t size = Uint();
    if (size > rest_.size()) {
      Bad();
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  bool Flag() {
    const uint8_t byte = Byte();
    if (byte > 1) Bad();
    return byte == 1;
  }

  QueueId Id() {
    QueueId id{};
    if (rest_.size() < id.size()) {
      Bad();
      return id;
    }
    rest_.copy(id.data(), id.size());
    rest_.remove_prefix(id.size());
    return id;
  }

  Place ReadPlace() {
    std::string directory = Text();
    return {.directory = std::move(directory), .prefix = Text()};
  }

  std::vector<Range> Ranges() {
    std::vector<Range> ranges;
    uint64_t before = 0;
    for (uint64_t left = Uint(); left != 0 && good_; --left) {
      const uint64_t first = Above(before, log::kMaxNumber);
      ranges.push_back({first, Above(first, log::kMaxNumber)});
      before = ranges.back().last;
    }
    return ranges;
  }

  GroupSettings Settings() {
    GroupSettings settings;
    settings.visibility_timeout_ms = Time();
    settings.max_deliveries = Uint();
    settings.dead_letter = ReadPlace();
    return settings;
  }

 private:
  uint64_t Bad() {
    good_ = false;
    return 0;
  }

  std::string_view bytes_;
  std::string_view rest_;
  bool good_ = true;
};

Checkpoint::Group ReadGroup(Fields& fields) {
  Checkpoint::Group group;
  group.name = fields.Text();
  group.settings = fields.Settings();
  group.next = fields.Uint();
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left)
    group.consumers.push_back(fields.Text());
  Checkpoint::Pending before;
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left) {
    Checkpoint::Pending pending;
    pending.number = fields.Above(before.number, log::kMaxNumber);
    pending.consumer = fields.Uint();
    pending.delivered_at_ms = fields.Difference(before.delivered_at_ms);
    pending.deadline_ms = fields.Difference(pending.delivered_at_ms);
    pending.deliveries = fields.Uint();
    group.pending.push_back(pending);
    before = pending;
  }
  return group;
}

Arrived ReadArrived(Fields& fields) {
  Arrived arrived;
  arrived.from = fields.Id();
  arrived.needed_behind = fields.Uint();
  Arrived::Record before;
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left) {
    Arrived::Record record;
    record.here = fields.Above(before.here, log::kMaxNumber);
    record.there = static_cast<uint64_t>(fields.Difference(static_cast<int64_t>(before.there)));
    arrived.records.push_back(record);
    before = record;
  }
  return arrived;
}

Checkpoint ReadCheckpoint(Fields& fields) {
  Checkpoint checkpoint;
  checkpoint.deleted = fields.Ranges();
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left)
    checkpoint.groups.push_back(ReadGroup(fields));
  uint64_t before = 0;
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left) {
    Moving move;
    move.number = fields.Above(before, log::kMaxNumber);
    move.to = fields.ReadPlace();
    move.destination_committed = fields.Uint();
    before = move.number;
    checkpoint.moves.push_back(std::move(move));
  }
  for (uint64_t left = fields.Uint(); left != 0 && fields.good(); --left)
    checkpoint.arrivals.push_back(ReadArrived(fields));
  return checkpoint;
}

// The order of the fields in the file is the order of these statements.
Result<Change> ReadFields(uint8_t kind, Fields& fields) {
  switch (kind) {
    case 1:
      return Delete{.ranges = fields.Ranges()};
    case 2: {
      SetGroup set{.group = fields.Text(), .settings = {}};
      set.settings = fields.Settings();
      set.next = fields.Uint();
      return set;
    }
    case 3:
      return DropGroup{.group = fields.Text()};
    case 4: {
      Deliver deliver{.group = fields.Text(), .consumer = {}, .ranges = {}};
      deliver.consumer = fields.Text();
      deliver.now_ms = fields.Time();
      deliver.deadline_ms = fields.Time();
      deliver.ranges = fields.Ranges();
      return deliver;
    }
    case 5: {
      Acknowledge acknowledge{.group = fields.Text(), .ranges = {}};
      acknowledge.delete_when_done = fields.Flag();
      acknowledge.ranges = fields.Ranges();
      return acknowledge;
    }
    case 6: {
      Release release{.group = fields.Text(), .ranges = {}};
      release.available_at_ms = fields.Time();
      release.ranges = fields.Ranges();
      return release;
    }
    case 7: {
      Extend extend{.group = fields.Text(), .ranges = {}};
      extend.deadline_ms = fields.Time();
      extend.ranges = fields.Ranges();
      return extend;
    }
    case 8: {
      Moving moving{.number = fields.Uint(), .to = {}};
      moving.to = fields.ReadPlace();
      moving.destination_committed = fields.Uint();
      return moving;
    }
    case 9:
      return CancelMove{.number = fields.Uint()};
    case 10:
      return ReadCheckpoint(fields);
    case 11:
      return ReadArrived(fields);
    default:
      return Fail(ErrorCode::kUnsupported,
                  fmt::format("a change of kind {}, which a newer version of Larder makes", kind));
  }
}

// ---- Bounds.

std::unexpected<Error> Wrong(std::string_view what) {
  return Fail(ErrorCode::kCorrupt, fmt::format("a change of a queue is wrong: {}", what));
}

Result<void> CheckNumber(uint64_t number) {
  if (number == 0 || number > log::kMaxNumber) return Wrong("a number that no record has");
  return {};
}

Result<void> CheckRanges(const std::vector<Range>& ranges) {
  uint64_t before = 0;
  for (const Range& range : ranges) {
    LARDER_TRY(CheckNumber(range.first));
    LARDER_TRY(CheckNumber(range.last));
    const bool apart = before == 0 || (range.first > before && range.first - before >= 2);
    if (range.last < range.first || !apart) return Wrong("ranges that do not ascend, or touch");
    before = range.last;
  }
  return {};
}

Result<void> CheckName(std::string_view name) {
  if (name.size() > kMaxNameBytes) return Wrong("a name that is too long");
  return {};
}

Result<void> CheckGroupName(std::string_view name) {
  if (name.empty()) return Wrong("a group without a name");
  return CheckName(name);
}

Result<void> CheckPlace(const Place& place) {
  if (place.directory.size() > kMaxDirectoryBytes || place.prefix.size() > kMaxPrefixBytes)
    return Wrong("the name of a queue that is too long");
  return {};
}

Result<void> CheckMoving(const Moving& moving) {
  LARDER_TRY(CheckNumber(moving.number));
  return CheckPlace(moving.to);
}

Result<void> CheckArrived(const Arrived& arrived) {
  uint64_t before = arrived.needed_behind;
  for (const Arrived::Record& record : arrived.records) {
    LARDER_TRY(CheckNumber(record.here));
    LARDER_TRY(CheckNumber(record.there));
    if (record.here <= before) return Wrong("arrivals that do not ascend, or that nobody needs");
    before = record.here;
  }
  return {};
}

Result<void> CheckDelivered(const std::vector<Range>& ranges) {
  LARDER_TRY(CheckRanges(ranges));
  uint64_t numbers = 0;
  for (const Range& range : ranges) {
    if (range.last - range.first >= kMaxDelivered - numbers) return Wrong("too many numbers");
    numbers += range.last - range.first + 1;
  }
  return {};
}

bool IsIn(const std::vector<Range>& ranges, uint64_t number) {
  const auto behind = std::ranges::upper_bound(ranges, number, {}, &Range::first);
  return behind != ranges.begin() && std::prev(behind)->last >= number;
}

Result<void> CheckGroup(const Checkpoint::Group& group, const std::vector<Range>& deleted) {
  LARDER_TRY(CheckGroupName(group.name));
  LARDER_TRY(CheckPlace(group.settings.dead_letter));
  if (group.next == 0) return Wrong("a group without a next number");
  for (const std::string& consumer : group.consumers) LARDER_TRY(CheckName(consumer));
  if (std::ranges::adjacent_find(group.consumers, std::ranges::greater_equal()) !=
      group.consumers.end())
    return Wrong("consumers that do not ascend");
  std::vector<bool> named(group.consumers.size());
  uint64_t before = 0;
  for (const Checkpoint::Pending& pending : group.pending) {
    LARDER_TRY(CheckNumber(pending.number));
    if (pending.number <= before) return Wrong("pending numbers that do not ascend");
    before = pending.number;
    if (pending.consumer >= named.size()) return Wrong("a consumer that is not in the list");
    named[pending.consumer] = true;
    if (IsIn(deleted, pending.number)) return Wrong("a pending number that is deleted");
  }
  if (!std::ranges::all_of(named, [](bool is) { return is; }))
    return Wrong("a consumer that has nothing pending");
  return {};
}

Result<void> CheckCheckpoint(const Checkpoint& checkpoint) {
  LARDER_TRY(CheckRanges(checkpoint.deleted));
  const Checkpoint::Group* group_before = nullptr;
  for (const Checkpoint::Group& group : checkpoint.groups) {
    if (group_before != nullptr && group.name <= group_before->name)
      return Wrong("groups that do not ascend");
    group_before = &group;
    LARDER_TRY(CheckGroup(group, checkpoint.deleted));
  }
  uint64_t before = 0;
  for (const Moving& move : checkpoint.moves) {
    LARDER_TRY(CheckMoving(move));
    if (move.number <= before) return Wrong("moves that do not ascend");
    before = move.number;
    if (IsIn(checkpoint.deleted, move.number)) return Wrong("a deleted number that moves");
  }
  const Arrived* arrived_before = nullptr;
  for (const Arrived& arrived : checkpoint.arrivals) {
    if (arrived_before != nullptr && BytesOf(arrived.from) <= BytesOf(arrived_before->from))
      return Wrong("queues of arrivals that do not ascend");
    arrived_before = &arrived;
    LARDER_TRY(CheckArrived(arrived));
  }
  return {};
}

}  // namespace

Result<void> CheckChange(const Change& any) {
  return std::visit(Overloaded{
                        [](const Delete& change) { return CheckRanges(change.ranges); },
                        [](const SetGroup& change) -> Result<void> {
                          LARDER_TRY(CheckGroupName(change.group));
                          return CheckPlace(change.settings.dead_letter);
                        },
                        [](const DropGroup& change) { return CheckGroupName(change.group); },
                        [](const Deliver& change) -> Result<void> {
                          LARDER_TRY(CheckGroupName(change.group));
                          LARDER_TRY(CheckName(change.consumer));
                          return CheckDelivered(change.ranges);
                        },
                        [](const Moving& change) { return CheckMoving(change); },
                        [](const CancelMove& change) { return CheckNumber(change.number); },
                        [](const Checkpoint& change) { return CheckCheckpoint(change); },
                        [](const Arrived& change) { return CheckArrived(change); },
                        // Acknowledge, Release, Extend.
                        [](const auto& change) -> Result<void> {
                          LARDER_TRY(CheckGroupName(change.group));
                          return CheckRanges(change.ranges);
                        },
                    },
                    any);
}

void EncodeChange(const Change& any, std::string& to) {
  to.push_back(static_cast<char>(any.index() + 1));
  std::visit(Overloaded{
                 [&to](const Delete& change) { PutRanges(to, change.ranges); },
                 [&to](const SetGroup& change) {
                   PutText(to, change.group);
                   PutSettings(to, change.settings);
                   PutUint(to, change.next);
                 },
                 [&to](const DropGroup& change) { PutText(to, change.group); },
                 [&to](const Deliver& change) {
                   PutText(to, change.group);
                   PutText(to, change.consumer);
                   PutTime(to, change.now_ms);
                   PutTime(to, change.deadline_ms);
                   PutRanges(to, change.ranges);
                 },
                 [&to](const Acknowledge& change) {
                   PutText(to, change.group);
                   to.push_back(change.delete_when_done ? 1 : 0);
                   PutRanges(to, change.ranges);
                 },
                 [&to](const Release& change) {
                   PutText(to, change.group);
                   PutTime(to, change.available_at_ms);
                   PutRanges(to, change.ranges);
                 },
                 [&to](const Extend& change) {
                   PutText(to, change.group);
                   PutTime(to, change.deadline_ms);
                   PutRanges(to, change.ranges);
                 },
                 [&to](const Moving& change) {
                   PutUint(to, change.number);
                   PutPlace(to, change.to);
                   PutUint(to, change.destination_committed);
                 },
                 [&to](const CancelMove& change) { PutUint(to, change.number); },
                 [&to](const Checkpoint& change) { PutCheckpoint(to, change); },
                 [&to](const Arrived& change) { PutArrived(to, change); },
             },
             any);
}

Result<Change> DecodeChange(std::string_view bytes) {
  Fields fields(bytes);
  const uint8_t kind = fields.Byte();
  if (!fields.good()) return Wrong("it is empty");
  LARDER_ASSIGN(Change change, ReadFields(kind, fields));
  if (!fields.good() || !fields.at_end()) {
    return Wrong(fmt::format("kind {}, of {} bytes, is not right at byte {}", kind, bytes.size(),
                             fields.offset()));
  }
  LARDER_TRY(CheckChange(change));
  return change;
}

}  // namespace larder::queue

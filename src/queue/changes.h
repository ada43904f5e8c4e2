// The changes of a queue's positions, and the bytes that they are in its log.
// Format: docs/formats/queue.md, "Encoding"
//
// What a change does is Positions' business (queue/positions.h).
//
// Threads: pure functions.
// Errors:  kCorrupt (what is wrong, and where), kUnsupported (a kind of a newer Larder).
// Cost:    a change has one encoding, and DecodeChange takes no other; what it allocates is by the
//          bytes that are there, never by what they claim.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "queue/number_set.h"

namespace larder::queue {

inline constexpr uint64_t kMaxNameBytes = 65'535;     // of groups and consumers
inline constexpr uint64_t kMaxDirectoryBytes = 4096;  // of other queues
inline constexpr uint64_t kMaxPrefixBytes = 216;      // so that ".positions" has room
inline constexpr uint64_t kMaxDelivered = 65'536;     // numbers of one Deliver

using QueueId = std::array<char, 16>;  // of the log of its records

// Another queue.
struct Place {
  std::string directory;
  std::string prefix;

  bool operator==(const Place&) const = default;
};

struct GroupSettings {
  int64_t visibility_timeout_ms = 0;
  uint64_t max_deliveries = 0;  // 0: no limit
  Place dead_letter;            // empty: none

  bool operator==(const GroupSettings&) const = default;
};

// Times are Unix milliseconds; ranges as RangesOf makes them.
struct Delete {
  std::vector<Range> ranges;
  bool operator==(const Delete&) const = default;
};

struct SetGroup {
  std::string group;
  GroupSettings settings;
  uint64_t next = 0;  // the first to deliver; 0: as it is
  bool operator==(const SetGroup&) const = default;
};

struct DropGroup {
  std::string group;
  bool operator==(const DropGroup&) const = default;
};

struct Deliver {
  std::string group;
  std::string consumer;
  int64_t now_ms = 0;
  int64_t deadline_ms = 0;
  std::vector<Range> ranges;
  bool operator==(const Deliver&) const = default;
};

struct Acknowledge {
  std::string group;
  bool delete_when_done = false;
  std::vector<Range> ranges;
  bool operator==(const Acknowledge&) const = default;
};

struct Release {
  std::string group;
  int64_t available_at_ms = 0;
  std::vector<Range> ranges;
  bool operator==(const Release&) const = default;
};

struct Extend {
  std::string group;
  int64_t deadline_ms = 0;
  std::vector<Range> ranges;
  bool operator==(const Extend&) const = default;
};

struct Moving {
  uint64_t number = 0;
  Place to;
  uint64_t destination_committed = 0;  // the record is behind it, if it is there
  bool operator==(const Moving&) const = default;
};

struct CancelMove {
  uint64_t number = 0;
  bool operator==(const CancelMove&) const = default;
};

// Records that came here from one other queue, and that were in segments that are removed.
struct Arrived {
  struct Record {
    uint64_t here = 0;
    uint64_t there = 0;  // the number that it had in the other queue
    bool operator==(const Record&) const = default;
  };

  QueueId from{};
  uint64_t needed_behind = 0;   // the other queue will not ask for numbers here up to this one
  std::vector<Record> records;  // ascending by `here`, all behind it
  bool operator==(const Arrived&) const = default;
};

// A whole state. Everything ascends: names, numbers, consumers, ids (as bytes).
struct Checkpoint {
  struct Pending {
    uint64_t number = 0;
    uint64_t consumer = 0;  // of `consumers`
    int64_t delivered_at_ms = 0;
    int64_t deadline_ms = 0;
    uint64_t deliveries = 0;
    bool operator==(const Pending&) const = default;
  };
  struct Group {
    std::string name;
    GroupSettings settings;
    uint64_t next = 0;
    std::vector<std::string> consumers;
    std::vector<Pending> pending;
    bool operator==(const Group&) const = default;
  };

  std::vector<Range> deleted;
  std::vector<Group> groups;
  std::vector<Moving> moves;
  std::vector<Arrived> arrivals;
  bool operator==(const Checkpoint&) const = default;
};

// In the order of their kinds, from 1.
using Change = std::variant<Delete, SetGroup, DropGroup, Deliver, Acknowledge, Release, Extend,
                            Moving, CancelMove, Checkpoint, Arrived>;

constexpr std::string_view BytesOf(const QueueId& id) { return {id.data(), id.size()}; }

// Whether it can be encoded, whatever the state is that it changes: bounds, order, what a
// checkpoint says of itself.
Result<void> CheckChange(const Change& change);

// Of one that CheckChange accepts. Appends to `to`.
void EncodeChange(const Change& change, std::string& to);
Result<Change> DecodeChange(std::string_view bytes);

}  // namespace larder::queue

// A record that was moved here from another queue: its data, and where it comes from.
// Format: docs/formats/queue.md, "Records"
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"
#include "larder/queue.h"
#include "log/format.h"

namespace larder::queue {

struct MovedRecord {
  std::string_view data;
  QueueOrigin origin;
  // The other queue will not ask for what it moved here up to this number. Below this record's.
  uint64_t needed_behind = 0;
};

inline constexpr size_t kTrailerBytes = sizeof(QueueOrigin::queue) + 2 * sizeof(uint64_t);

// `number` is the one that it has here.
inline Result<MovedRecord> ReadMovedRecord(std::string_view record, uint64_t number) {
  if (record.size() < kTrailerBytes) {
    return Fail(
        ErrorCode::kCorrupt,
        fmt::format("record {} came from another queue, and does not say from which: it has "
                    "{} bytes",
                    number, record.size()));
  }
  MovedRecord moved{.data = record.substr(0, record.size() - kTrailerBytes), .origin = {}};
  const char* const trailer = record.data() + moved.data.size();
  std::memcpy(moved.origin.queue.data(), trailer, moved.origin.queue.size());
  const char* const numbers = trailer + moved.origin.queue.size();
  moved.origin.number = LoadLe<uint64_t>(numbers);
  moved.needed_behind = LoadLe<uint64_t>(numbers + sizeof(uint64_t));
  const bool can_be = moved.origin.number != 0 && moved.origin.number <= log::kMaxNumber &&
                      moved.needed_behind < number;
  if (!can_be) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("record {} came from another queue, where it cannot have been number "
                            "{}, needed here behind {}",
                            number, moved.origin.number, moved.needed_behind));
  }
  return moved;
}

inline std::string MakeMovedRecord(const MovedRecord& moved) {
  std::string record;
  record.reserve(moved.data.size() + kTrailerBytes);
  record.append(moved.data);
  record.append(moved.origin.queue.data(), moved.origin.queue.size());
  AppendLe(record, moved.origin.number);
  AppendLe(record, moved.needed_behind);
  return record;
}

}  // namespace larder::queue

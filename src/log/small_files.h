// The small parts of a log: names of its files, the index's head and entries, the numbers file.
// Format: docs/formats/log.md, "Files", "Index" and "Numbers"
//
// Threads:    all from any thread.
// Errors:     kCorrupt, kUnsupported (a newer format), kInvalidArgument (a prefix); the message
//             begins with the given file name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "log/format.h"

namespace larder::log {

// A prefix is what a file name can be that leaves room for what follows it.
Result<void> CheckPrefix(std::string_view prefix);

std::string SegmentName(std::string_view prefix, uint64_t number);
std::string IndexName(std::string_view prefix, uint64_t number);
std::string NumbersName(std::string_view prefix);
std::string ControlName(std::string_view prefix);
std::string LockName(std::string_view prefix);
std::string TurnName(std::string_view prefix);

enum class FileRole : uint8_t { kSegment, kIndex, kNumbers, kControl, kLock };

struct FileName {
  FileRole role = FileRole::kSegment;
  uint64_t number = 0;     // of a segment or index: 1 to kMaxNumber
  bool temporary = false;  // unpublished: the name and io::kTemporarySuffix

  bool operator==(const FileName&) const = default;
};

// Nothing for names that are not of the log with this prefix.
std::optional<FileName> ParseFileName(std::string_view prefix, std::string_view name);

// What of a directory is a log's; other names are left out. Numbers ascend.
struct LogFiles {
  std::vector<uint64_t> segments;
  std::vector<uint64_t> indexes;
  std::vector<std::string> temporaries;
  bool has_numbers = false;
};
LogFiles FindLogFiles(std::string_view prefix, const std::vector<std::string>& names);

struct IndexHead {
  LogId id{};
  uint64_t first_number = 0;  // NUMBER of the segment

  bool operator==(const IndexHead&) const = default;
};

std::string MakeIndexHead(const IndexHead& head);
// Of a whole index, or of its first bytes.
Result<IndexHead> ReadIndexHead(std::string_view index, std::string_view name);

// `offset` is a multiple of 8 below kMaxSegmentBytes.
constexpr uint32_t IndexEntry(uint64_t offset) {
  return static_cast<uint32_t>(offset / kAlignment);
}

// Where the index says that a record is, the `position`-th of its segment from 0. Nothing when it
// has no such entry. The offset may be any: ReadRecord checks it.
inline std::optional<uint64_t> IndexedOffset(std::string_view index, uint64_t position) {
  if (index.size() < kIndexHeadBytes ||
      position >= (index.size() - kIndexHeadBytes) / kIndexEntryBytes) {
    return std::nullopt;
  }
  return uint64_t{LoadLe<uint32_t>(index.data() + kIndexHeadBytes + position * kIndexEntryBytes)} *
         kAlignment;
}

struct Numbers {
  LogId id{};
  uint64_t reserved = 0;  // no greater number has been given out; at most kMaxNumber
  uint64_t synced = 0;    // known to be on the disk when this was written; at most `reserved`
  uint64_t boot = 0;      // BootChecksum of the machine when this was written

  bool operator==(const Numbers&) const = default;
};

// Random, for a log that is made.
LogId NewLogId();

// What control and numbers files know the machine's start by; never 0.
uint64_t BootChecksum(std::string_view boot_id);

std::string MakeNumbersFile(const Numbers& numbers);
Result<Numbers> ReadNumbersFile(std::string_view bytes, std::string_view name);

}  // namespace larder::log

// The STATE file of a Dataset's directory, and the names of its other files: pure text, no files.
//
// Errors: ParseState: kCorrupt (damage), kUnsupported (whole, but of a newer format).
// Format: docs/formats/dataset.md, "STATE"
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace larder::dataset {

inline constexpr std::string_view kStateFileName = "STATE";
inline constexpr std::string_view kLockFileName = "LOCK";
inline constexpr uint64_t kMaxStateBytes = uint64_t{64} << 10;
inline constexpr uint64_t kVersionNumberLimit = 1'000'000'000'000;  // twelve digits

struct DirectoryState {
  uint64_t current = 0;  // 0: none
  bool pinned = false;
  uint64_t next = 1;
  std::set<uint64_t> damaged;

  bool operator==(const DirectoryState&) const = default;
};

std::string EncodeState(const DirectoryState& state);
Result<DirectoryState> ParseState(std::string_view bytes);

std::string VersionFileName(uint64_t number);
// The number in a version file's name; none: some other file.
std::optional<uint64_t> ParseVersionFileName(std::string_view name);
// The same of the verdict that stands beside a refused version.
std::string VerdictFileName(uint64_t number);
std::optional<uint64_t> ParseVerdictFileName(std::string_view name);
// The same of the origin that stands beside a version that was copied.
std::string OriginFileName(uint64_t number);
std::optional<uint64_t> ParseOriginFileName(std::string_view name);
// A temporary of a version, a verdict, an origin or STATE that was never published.
bool IsUnfinishedFileName(std::string_view name);

}  // namespace larder::dataset

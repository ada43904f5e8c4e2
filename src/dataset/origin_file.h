// The origin file of a version that was taken as a Snapshot: which file it was copied from. (A
// version that was compiled tells its source in its own metadata; those of a copy tell the
// publisher's.) Pure text, no files.
//
// Errors: ParseOrigin: kCorrupt (not such a file), kUnsupported (of a newer format).
// Format: docs/formats/dataset.md, "Origins"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace larder::dataset {

inline constexpr uint64_t kMaxOriginBytes = uint64_t{64} << 10;

// Stands for the import options of a version that was copied: they do not apply.
inline constexpr std::string_view kSnapshotImportOptions = "snapshot 1";

struct Origin {
  std::string source;
  uint64_t bytes = 0;  // of the file as it was, compressed or not
  int64_t mtime_ns = 0;
  std::string checksum;     // XXH3-128 of these bytes, 32 hexadecimal digits
  int64_t taken_at_ms = 0;  // Unix time
  bool operator==(const Origin&) const = default;
};

std::string EncodeOrigin(const Origin& origin);
Result<Origin> ParseOrigin(std::string_view bytes);

}  // namespace larder::dataset

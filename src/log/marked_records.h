// Which records of a segment are marked. Other segments are not looked at.
// Format: docs/formats/log.md, "Record"
//
// Threads:    a pure look at a sealed segment, which does not change any more.
// Errors:     kNotFound (it was removed), kCorrupt (its head), those of the file system.
// Cost:       one pass over the segment, which is brought into memory piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "io/file_system.h"
#include "log/batch.h"

namespace larder::log {

// Calls `visit` for every marked record of a whole batch, ascending. Returns how many bytes of the
// segment are not whole: what was there is not known.
Result<uint64_t> VisitMarked(io::FileSystem& files, const std::string& directory,
                             const std::string& prefix, uint64_t first_number,
                             const std::function<void(const RecordInBatch&)>& visit);

}  // namespace larder::log

// Salvage: a new log of what is whole in a damaged one.
// Format: docs/formats/log.md, "Recovery"
//
// Records keep their numbers, times and marks. What is lost becomes a gap between two segments.
// Whole batches count wherever they are: behind holes, in a torn tail, in segments whose head is
// damaged. The old log is never changed.
//
// Threads:    of one thread.
// Errors:     kNotFound (there is no log), kAlreadyExists (the new directory holds one), kCorrupt
//             (nothing tells the log's id any more), kCancelled, those of the file system.
// Durability: everything is on the disk when it returns. Until then the new log has no numbers
// file,
//             so that nobody takes a part of it for all.
// Cost:       one pass over the old log, one over what is written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "io/file_system.h"
#include "log/examine.h"
#include "log/read_through.h"

namespace larder::log {

struct SalvageOptions {
  LogPlace from;
  std::string to_directory;  // made when it is missing; the prefix stays
  // Also keep right records of batches that are not whole.
  bool single_records = false;
  std::function<void(const Finding&)> visit_loss = {};
  std::function<bool(uint64_t, uint64_t)> progress = {};  // as in ReadThroughOptions
};

struct SalvageReport {
  uint64_t segments = 0;  // of the new log
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;   // of data
  uint64_t oldest = 0;  // 0: nothing was whole
  uint64_t newest = 0;
  uint64_t single_records = 0;  // right ones of batches that are not whole: kept, or to be had
  uint64_t losses = 0;          // stretches of the old log of which something is lost
  uint64_t lost_records = 0;    // as far as their numbers are known
  uint64_t reserved = 0;        // the new log goes on behind this number
  bool numbers_known = true;    // else `reserved` is a guess that is on the safe side
};
Result<SalvageReport> Salvage(io::FileSystem& files, const SalvageOptions& options);

}  // namespace larder::log

// Recovery: what a log's directory holds, made fit to be appended to.
// Format: docs/formats/log.md, "Recovery" and "Numbers"
//
// Threads:    the one that opens; the log's lock is held.
// Errors:     kCorrupt, and nothing was changed; the file system's.
// Cost:       the last segment is read once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "log/control.h"
#include "log/open_segment.h"
#include "log/options.h"
#include "log/small_files.h"
#include "log/writer.h"

namespace larder::log {

struct RecoveredLog {
  Numbers numbers;
  std::vector<uint64_t> segments;     // first numbers, ascending
  std::unique_ptr<OpenSegment> last;  // none in a log without segments
  uint64_t committed = 0;             // the last number that is there; 0: none
  uint64_t synced = 0;                // the last that is known to be on the disk
  uint64_t next_number = 1;           // of the next record: a new segment when not committed + 1
  Recovery report;
};

Result<RecoveredLog> Recover(io::FileSystem& files, const Options& options, const Control& control,
                             uint64_t boot);

Result<void> PublishNumbers(io::FileSystem& files, const Options& options, const Numbers& numbers);

}  // namespace larder::log

// Locks: who may append to a log.
// Format: docs/formats/log.md, "Control"
#pragma once

#include <memory>

#include "base/error.h"
#include "io/file_system.h"
#include "log/options.h"

namespace larder::log {

// What keeps other writers out, always or in turns; none of it when nobody else is there.
struct Locks {
  std::unique_ptr<io::FileLock> held;
  std::unique_ptr<io::TurnLock> turns;  // of shared writers
};

// Errors: kBusy: another process appends, and is not to share.
Result<Locks> TakeLocks(io::FileSystem& files, const Options& options);

// kInvalidArgument: options that cannot be.
Result<void> CheckOptions(const Options& options);

}  // namespace larder::log

#include "log/locks.h"

#include <string>

#include <fmt/format.h>

#include "log/format.h"
#include "log/small_files.h"

namespace larder::log {

Result<void> CheckOptions(const Options& options) {
  LARDER_TRY(CheckPrefix(options.prefix));
  if (options.segment_bytes > kMaxSegmentBytes) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("segments of {} bytes, at most {}",
                                                         options.segment_bytes, kMaxSegmentBytes));
  }
  if (options.sync == SyncPolicy::kInterval && options.sync_interval.count() <= 0)
    return Fail(ErrorCode::kInvalidArgument, "a sync interval of 0: use kAlways");
  return {};
}

Result<Locks> TakeLocks(io::FileSystem& files, const Options& options) {
  Locks locks;
  if (!options.locking) return locks;
  const std::string base = options.directory + "/";
  const std::string path = base + LockName(options.prefix);
  if (options.writers == Writers::kExclusive) {
    LARDER_ASSIGN(locks.held, files.Lock(path));
    return locks;
  }
  LARDER_ASSIGN(locks.held, files.LockShared(path));
  LARDER_ASSIGN(locks.turns, files.OpenTurnLock(base + TurnName(options.prefix)));
  return locks;
}

}  // namespace larder::log

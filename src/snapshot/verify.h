// Verify with options; docs and errors: snapshot.h.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {

struct VerifyOptions {
  unsigned threads = 0;  // 0: all cores. What is found does not depend on it.
  // As that of Verify in snapshot.h; called by the calling thread.
  std::function<bool(uint64_t bytes_done)> progress = {};
};

Result<VerifyReport> Verify(const Snapshot& snapshot, const VerifyOptions& options);

}  // namespace larder::snapshot

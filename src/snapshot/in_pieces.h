// CheckInPieces: work that falls into numbered pieces, by several threads; of several errors that
// of the first piece is told, whatever the threads do.
//
// Threads:    runs its own and returns when they have ended; `between` is called by the calling
// one. Errors:     those of the piece with the lowest number that has one; what `between` returns.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"

namespace larder::snapshot {

// Calls `own` on the calling thread and, side by side, `others` on `threads` - 1 more, or on as
// many as are to be had; returns when all have.
void WorkOnThreads(uint64_t threads, const std::function<void()>& own,
                   const std::function<void()>& others);

using PieceCheck = std::function<Result<void>(uint64_t piece)>;

// check(piece) for every piece below `count`, each once and by any of the threads, up to the first
// error; `between` after each piece of the calling thread, whose error ends the work.
Result<void> CheckInPieces(uint64_t count, unsigned threads, const PieceCheck& check,
                           const std::function<Result<void>()>& between);

}  // namespace larder::snapshot

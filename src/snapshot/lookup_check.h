// CheckLookups: looks every key of a finished file up in it, by several threads.
//
// Walks the records, so that each page is read once and in order, and asks the index for each key:
// the answer must be that record, or, for a record that a duplicate replaced, another one of the
// same key. The number of live records must come out as the footer says, and a key with a separator
// must have its collection in the directory.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "snapshot/index_section.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {

// `starts`: offsets of some records in ascending order, the first record's among them; what lies
// between two is one thread's piece of work. `progress` is called by the calling thread with bytes.
// Errors: kInternal (a look-up failed), kIoError (a page could not be read), what progress returns.
Result<void> CheckLookups(const Snapshot& snapshot, std::span<const uint64_t> starts,
                          unsigned threads, const StepProgress& progress);

}  // namespace larder::snapshot

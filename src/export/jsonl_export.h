// ExportJsonl: the records of a Snapshot as a text of short JSONL, in the order of the file, which
// is that of the source it was made of. `larder build` of the text gives an equal Snapshot.
//
// Threads: one. Errors: kCorrupt (a damaged Snapshot), kCancelled, those of the sink; what came
// before went to the sink.
// Cost:    front to back through the file; memory for a megabyte and the longest line.
// Format:  docs/formats/jsonl.md
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.h"
#include "snapshot/snapshot.h"

namespace larder::exporter {

// Takes some whole lines at a time.
using TextSink = std::function<Result<void>(std::string_view lines)>;

struct ExportReport {
  uint64_t records = 0;
  uint64_t text_bytes = 0;
};

// `progress` is called now and then; returning false cancels.
Result<ExportReport> ExportJsonl(const snapshot::Snapshot& snapshot, const TextSink& sink,
                                 const std::function<bool(uint64_t records)>& progress = {});

}  // namespace larder::exporter

// ReadThrough: every record of a log in order, and everything that is wrong with it.
// Format: docs/formats/log.md
//
// Changes nothing and takes no lock. While others append, only what was committed when it began is
// judged.
//
// Threads:    of one thread.
// Errors:     kNotFound (no log there), kCancelled, those of the file system. Damage is no error:
//             it is found, and what lies behind it is read.
// Cost:       one pass over the segments, two over the last.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "log/batch.h"
#include "log/examine.h"
#include "log/format.h"

namespace larder::log {

struct Finding {
  // Something that was safe, or was given to readers, is lost or would be read wrong. Otherwise a
  // note: what opening to append mends by itself.
  bool damage = true;
  std::string file = {};  // its name
  uint64_t offset = 0;
  uint64_t first_number = 0;  // records that it concerns; 0: none, or not known
  uint64_t last_number = 0;
  std::string what = {};

  // "log-...seg: byte 4096: records 1 to 3 are not whole"
  std::string Text() const;
};

struct FoundRecord {
  uint64_t number = 0;
  int64_t time_ms = 0;
  bool marked = false;
  std::string_view data;  // valid during the call
};

struct ReadThroughOptions {
  // Segments without these are left out.
  uint64_t from = 0;
  uint64_t to = kMaxNumber;
  bool check_indexes = true;
  std::function<void(const Finding&)> visit_finding = {};
  // In order, each number once. What it returns ends everything.
  std::function<Result<void>(const FoundRecord&)> visit_record = {};
  // Bytes done and bytes in all, now and then; false: kCancelled.
  std::function<bool(uint64_t, uint64_t)> progress = {};
};

struct ReadThroughTotals {
  uint64_t segments = 0;
  uint64_t bytes = 0;
  uint64_t batches = 0;
  uint64_t records = 0;  // whole, and in their place
  uint64_t damaged = 0;  // findings
  uint64_t notes = 0;
};
Result<ReadThroughTotals> ReadThrough(io::FileSystem& files, const LogPlace& place,
                                      const ReadThroughOptions& options);

}  // namespace larder::log

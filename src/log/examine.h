// What a log's directory holds, found out without changing anything and without the writer's lock.
// Format: docs/formats/log.md
//
// Others may append and remove segments meanwhile: what was committed when the look began must be
// whole, and only that is judged.
//
// Threads:    of one thread.
// Errors:     kNotFound (no log of that prefix there), those of the file system. Damage is no
//             error, but what there is to tell.
// Cost:       InspectLog maps every file and touches a few pages of each; only the last segment is
//             looked through. A segment whose index is missing costs a look at its batches' heads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "log/segment_scan.h"
#include "log/small_files.h"

namespace larder::log {

struct LogPlace {
  std::string directory;
  std::string prefix = "log";

  std::string PathOf(const std::string& name) const { return directory + "/" + name; }
};

enum class PartState : uint8_t { kRight, kMissing, kWrong };

// What the processes that have the log open, or had it, say of it.
struct ControlFacts {
  uint32_t state = 0;  // as in the control file: 0 in use, 1 closed, 2 a sync has failed
  uint64_t reserved = 0;
  uint64_t committed = 0;
  uint64_t synced = 0;

  bool in_use() const { return state == 0; }
};

// The small files and the names of the others.
struct LogParts {
  LogFiles files;
  PartState numbers_state = PartState::kMissing;
  std::string numbers_problem;  // when they are wrong
  Numbers numbers;              // when they are right
  LogId id{};  // of most segments, of the numbers file when it is right and no segment says else
  bool id_known = false;
  std::optional<ControlFacts> control;  // when it is of this log and of this start of the machine

  bool numbers_right() const { return numbers_state == PartState::kRight && numbers.id == id; }
  bool in_use() const { return control && control->in_use(); }
  // Closed, and not opened since: nothing was given out that is not on the disk.
  bool closed() const { return !in_use() && numbers_right() && numbers.reserved == numbers.synced; }
  // Who reads beside processes that append is given nothing above this.
  uint64_t Readable() const {
    return control && control->in_use() ? control->committed : kMaxNumber;
  }
  // The greatest number that is known to be in the log and safe, or was committed in use.
  uint64_t known() const;
};
Result<LogParts> ReadLogParts(io::FileSystem& files, const LogPlace& place);

enum class HeadState : uint8_t {
  kRight,
  kNotBegun,  // nothing follows a head that is not right: a crash came before
  kWrong,
  kForeign,  // of another log, or of another NUMBER than its name
};

// One segment and its index in memory.
struct SegmentFiles {
  std::string name;
  std::string index_name;
  std::unique_ptr<io::Mapping> segment;
  std::unique_ptr<io::Mapping> index;  // none: missing
  HeadState head_state = HeadState::kWrong;
  std::string head_problem;
  SegmentHead head;  // as it is when right or foreign, otherwise as id and name say
  PartState index_state = PartState::kMissing;  // of its head

  std::string_view bytes() const { return segment->bytes(); }
  bool damaged() const { return segment->damaged() || (index != nullptr && index->damaged()); }
  // Entries that are not zero at its end; 0 when the index is not right.
  uint64_t IndexEntries() const;
  // Where the index says that the record is.
  std::optional<uint64_t> OffsetOf(uint64_t number) const;
};
Result<SegmentFiles> OpenSegmentFiles(io::FileSystem& files, const LogPlace& place, const LogId& id,
                                      uint64_t number);

struct SegmentFacts {
  uint64_t number = 0;
  HeadState head_state = HeadState::kRight;
  std::string problem;       // with the head
  uint64_t records = 0;      // that count: the next segment has what is above
  uint64_t bytes = 0;        // of the file
  uint64_t index_bytes = 0;  // of its index
  int64_t made_at_ms = 0;
  bool last = false;
  PartState index = PartState::kRight;

  uint64_t last_number() const { return number + records - 1; }
};

struct LogFacts {
  LogParts parts;
  std::vector<SegmentFacts> segments;  // ascending
  uint64_t oldest = 0;                 // 0: there is no record
  uint64_t newest = 0;
  // Behind the last record of the last segment.
  uint64_t tail_bytes = 0;
  uint64_t tail_batches = 0;  // whole ones, behind a hole
  // Known to be on the disk and not there, in the last segment: damage.
  uint64_t missing_number = 0;
  uint64_t missing_at = 0;
};
Result<LogFacts> InspectLog(io::FileSystem& files, const LogPlace& place);

}  // namespace larder::log

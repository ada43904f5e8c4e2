// Reader: records by number and in order, also while another thread or process appends.
// Format: docs/formats/log.md
//
// Trusts nothing beyond the committed number of the control file; without one that is right it
// looks through the last segment itself. It makes the control file (and the directory) when they
// are missing, so that it can sleep before there is a writer. Where it may not, the log stays as
// it was found, and nothing can be waited for.
//
// Threads:    all members from any thread. Who waits holds nobody up.
// Errors:     kNotFound (never written, lost, or removed; the message says which numbers are
//             there), kCorrupt (segment, offset, number), the file system's. After an error the
//             next call tries again.
// Cost:       Read: a load from the index, a record from its segment, and one checksum; no system
//             call, but when others have begun or removed a segment since the last. A segment is
//             mapped when it is first read and stays so while one of its records is held, or it
//             is among the last 256 used. SealedSegments: two system calls for each that is new.
//             ListSegments: two more for the last. Segments: a copy of all, too.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "log/options.h"

namespace larder::log {

struct Record {
  uint64_t number = 0;
  std::string_view data;  // valid while `held` is
  RecordKind kind = RecordKind::kPlain;
  std::shared_ptr<const void> held = {};
};

struct SegmentInfo {
  uint64_t first_number = 0;
  uint64_t records = 0;  // of the last one: as far as it is committed
  uint64_t bytes = 0;    // of the file, with its index
  int64_t made_at_ms = 0;
  bool may_be_marked = false;  // else no record of it is

  uint64_t last_number() const { return first_number + records - 1; }
};

// At one moment, ascending. What is sealed does not change, and is shared by all who ask until the
// set of segments changes.
struct SegmentList {
  std::shared_ptr<const std::vector<SegmentInfo>> sealed;  // never null
  std::optional<SegmentInfo> last;                         // none: the log has no segment

  size_t size() const { return sealed->size() + (last ? 1 : 0); }
  std::vector<SegmentInfo> All() const;
};

struct ReaderOptions {
  std::string directory;
  std::string prefix = "log";
  // Of the log's files in this process's memory, about; 0 is no limit. They stay in the kernel's
  // cache all the same. Beyond it reading in order costs little more, and reading here and there
  // some page faults each time. A record that is larger, and who looks again at records that are
  // held, may pass it.
  uint64_t max_resident_bytes = uint64_t{64} << 20;
};

class Reader {
 public:
  // A log that is not there yet is empty, until it is.
  static Result<std::unique_ptr<Reader>> Open(io::FileSystem& files, const ReaderOptions& options);
  virtual ~Reader() = default;

  virtual Result<Record> Read(uint64_t number) = 0;
  // The first record whose number is not below `number`: kNotFound when there is none.
  virtual Result<Record> ReadFrom(uint64_t number) = 0;

  virtual uint64_t oldest() = 0;     // the first number that is kept; committed() + 1 if none
  virtual uint64_t committed() = 0;  // 0 if there is no record
  virtual uint64_t synced() = 0;     // the last that is known to be on the disk; 0 if unknown
  // Nothing while it may be that an append that ended before the call, or whose process died, is
  // not committed and will be: nobody has recovered from that, or another append goes on. Else how
  // often the log was recovered: another number later tells that what was read meanwhile may have
  // been copied just then.
  virtual std::optional<uint32_t> Decided() = 0;

  // Waits until a record above `number` can be read, and says whether one can: not when the
  // deadline has passed, or by Interrupt. Looks all the time for `spin`, then sleeps until it is
  // woken.
  virtual Result<bool> WaitAbove(uint64_t number, std::chrono::steady_clock::time_point deadline,
                                 std::chrono::nanoseconds spin = {}) = 0;
  // To wait for something else that others do: Prepare, look whether it is done, then Wait until
  // anything is appended or removed, or somebody nudges, since Prepare.
  virtual Result<uint32_t> PrepareToWait() = 0;
  virtual Result<void> Wait(uint32_t prepared, std::chrono::steady_clock::time_point deadline) = 0;
  // Wakes who waits so, in all processes.
  virtual Result<void> Nudge() = 0;
  // Ends all waits of this Reader, those to come too.
  virtual void Interrupt() = 0;

  // Without reading data.
  virtual Result<SegmentList> ListSegments() = 0;
  virtual Result<std::shared_ptr<const std::vector<SegmentInfo>>> SealedSegments() = 0;
  Result<std::vector<SegmentInfo>> Segments();
  // Its records are gone for every reader; what is held stays. The last segment cannot go:
  // kInvalidArgument. Others may append and remove meanwhile.
  virtual Result<void> RemoveSegment(uint64_t first_number) = 0;
};

}  // namespace larder::log

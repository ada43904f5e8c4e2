// What a log is opened with.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace larder::log {

// When an append is on the disk. Whatever the policy, a segment is synced before its successor
// begins.
enum class SyncPolicy : uint8_t {
  kNever,     // when the kernel pleases
  kInterval,  // at most so long, or so many bytes, after the append
  kAlways,    // before the append returns; appends of many threads share one sync
};

// Who may append.
enum class Writers : uint8_t {
  kExclusive,  // one Writer at a time; another one's Open is refused
  kShared,     // Writers of any number of processes take turns
};

// How a record was appended; what it means is for who appends.
enum class RecordKind : uint8_t { kPlain, kMarked };

struct Options {
  std::string directory;
  std::string prefix = "log";
  SyncPolicy sync = SyncPolicy::kInterval;
  std::chrono::milliseconds sync_interval{100};
  uint64_t sync_bytes = uint64_t{64} << 20;  // of kInterval

  // A segment ends with the append after which one of these is passed; 0 is no limit. A batch that
  // is larger than segment_bytes gets a segment of its own.
  uint64_t segment_bytes = uint64_t{64} << 20;
  uint64_t segment_records = 0;
  std::chrono::milliseconds segment_age{0};
  // An append that would need more fails with kLimit and changes nothing; 0 is no limit.
  uint64_t max_segments = 0;
  // Whether segments begin as such that may have marked records. Otherwise the first marked one
  // begins such a segment, which can cost a number: the last one may be empty, and have its name.
  bool may_be_marked = false;

  Writers writers = Writers::kExclusive;
  // Off: no other process uses the log, which spares the system calls of a turn.
  bool locking = true;
};

}  // namespace larder::log

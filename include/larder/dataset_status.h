// What a dataset tells of its versions and of itself.
//
// Threads: values, copied out; a moment later they may be history.
#pragma once

#include <cstdint>
#include <string>

#include "larder/residency.h"

namespace larder {

// What LARDER VERSIONS and `larder versions` show of a version on disk.
struct VersionInfo {
  uint64_t number = 0;
  bool current = false;
  bool damaged = false;
  bool refused = false;  // by a gate or by probation; `verdict` says why
  std::string verdict;
  uint64_t records = 0;
  uint64_t file_bytes = 0;
  std::string source;
  std::string source_checksum;
  int64_t built_at_ms = 0;
};

// How a dataset is doing.
struct DatasetStatus {
  std::string name;
  std::string source;
  std::string directory;
  uint64_t current = 0;  // 0: nothing to serve yet
  bool pinned = false;
  bool compiling = false;
  uint64_t records = 0;
  uint64_t file_bytes = 0;
  Residency residency = Residency::kMapped;  // what was reached for the version that is served
  std::string residency_shortfall;           // why it is not what was asked for; empty: it is
  uint64_t resident_bytes = 0;               // of it in memory, some seconds ago
  uint64_t switches = 0;
  uint64_t refused = 0;            // versions left out, since the start
  uint64_t refused_version = 0;    // the one that waits on disk for a verdict's revision; 0: none
  std::string verdict;             // why it was refused
  uint64_t skipped_lines = 0;      // bad lines left out of the version that is served
  int64_t probation_until_ms = 0;  // Unix time; 0: not on probation
  uint64_t damaged = 0;            // versions that became unreadable while they were served
  int64_t last_switch_ms = 0;      // Unix time
  int64_t last_check_ms = 0;
  std::string last_error;  // why the last attempt failed; empty after a success
  int64_t last_error_ms = 0;
};

// What a change did, once every reader has moved on.
struct SwitchReport {
  uint64_t previous = 0;
  uint64_t current = 0;
  bool pinned = false;
  bool compiled = false;  // false: the content was already there, or nothing changed
};

}  // namespace larder

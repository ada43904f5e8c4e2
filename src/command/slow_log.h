// SlowLog: the latest commands that took long, for SLOWLOG.
//
// Ownership:  of the Instruments; copies what it keeps, shortened as Redis shortens it.
// Threads:    any; everything takes a lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "command/spec.h"

namespace larder::command {

class SlowLog {
 public:
  struct Entry {
    uint64_t id = 0;
    int64_t unix_seconds = 0;
    uint64_t microseconds = 0;
    std::vector<std::string> arguments;
    std::string client_address;
    std::string client_name;
  };

  // Keeps it, and no more than `max_entries` of all; the id is its own.
  void Add(Entry entry, uint64_t max_entries);
  // The latest first.
  std::vector<Entry> Latest(uint64_t count) const;
  uint64_t size() const;
  // Numbers go on from where they were.
  void Clear();

 private:
  mutable Mutex mutex_;
  uint64_t next_id_ LARDER_GUARDED_BY(mutex_) = 0;
  std::deque<Entry> entries_ LARDER_GUARDED_BY(mutex_);  // the latest first
};

// At most 32 arguments of at most 128 bytes, and how much is left out.
std::vector<std::string> ShortenedArguments(Arguments args);

}  // namespace larder::command

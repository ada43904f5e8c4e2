// AccessLog: requests that were denied, for ACL LOG.
//
// Like ones that follow each other within a minute are one entry with a count, so that a client
// that tries again and again does not push the others out.
//
// Ownership:  of the Instruments.
// Threads:    any; everything takes a lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "command/host.h"

namespace larder::command {

struct Denial {
  enum class Reason : uint8_t {
    kPassword,  // wrong, or of a user that is not or not enabled
    kCommand,   // not this user's
  };

  Reason reason = Reason::kCommand;
  bool in_transaction = false;
  std::string object;  // the command
  std::string user;    // who was meant
  ClientInfo client;
  int64_t at_ms = 0;  // the last time
  uint64_t count = 1;
};

class AccessLog {
 public:
  // Redis's acllog-max-len.
  static constexpr size_t kMaxEntries = 128;

  void Add(Denial denial);
  // The latest first.
  std::vector<Denial> Latest(uint64_t count) const;
  void Clear();

 private:
  mutable Mutex mutex_;
  std::deque<Denial> entries_ LARDER_GUARDED_BY(mutex_);  // the latest first
};

}  // namespace larder::command

// Dispatcher: executes a batch of requests of one connection against the stores.
//
// Commands are data: a constexpr table (command/table.cc) of name, arity, flags, key positions and
// handler, one handler file per family. The dispatcher looks a name up once, checks arity and flags
// in the order Redis 7.0.15 does, and calls the handler; it compares no names itself. Before a
// batch is executed the first key of every request is hashed and its bucket and record are
// prefetched.
//
// Threads:    one Dispatcher per worker; Execute between Enter and Leave of the worker's epoch.
// Errors:     become replies, byte for byte Redis 7.0.15's.
// Cost:       no allocation, no lock and no atomic read-modify-write per read command.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "command/host.h"
#include "command/instruments.h"
#include "command/session.h"
#include "protocol/resp/reply.h"
#include "store/catalogue.h"

namespace larder::command {

// One request: arguments[first .. first + count), the command's name first.
struct Request {
  uint32_t first;
  uint32_t count;
};

// The first look-up of what was received for a connection whose turn comes later in the round. Good
// for the epoch.
struct Foreseen {
  const char* key = nullptr;  // where it stands; null: nothing is foreseen
  const snapshot::Snapshot* snapshot = nullptr;
  snapshot::Snapshot::Lookup lookup;

  // In this order, each when the memory has had time for the one before.
  void FetchRecord() {
    if (key != nullptr) snapshot->PrefetchRecord(lookup);
  }
  void FetchValue() const {
    if (key != nullptr) snapshot->PrefetchValue(lookup);
  }
};

class Dispatcher {
 public:
  // `statistics` are this worker's own.
  Dispatcher(const store::Catalogue& catalogue, Host& host, Counters& counters,
             Instruments& instruments, CommandStatistics& statistics);

  // A guess, and its bucket fetched: the second argument of the first request is nearly always a
  // key of the selected database. A wrong one costs no more than this.
  Foreseen Foresee(const Session& session, std::string_view received) const;

  // Executes requests in order, appends their replies. Returns how many were executed: fewer than
  // given after QUIT or a deferred command (session.batch_end), before and after a command that
  // acts (kActs), or when `reply` has grown past `max_reply_bytes` (the caller sends first and
  // comes back with the rest).
  size_t Execute(Session& session, std::span<const std::string_view> arguments,
                 std::span<const Request> requests, int64_t now_ms, size_t max_reply_bytes,
                 resp::ReplyBuffer& reply, const Foreseen& foreseen = {});

  // A version that Execute read from turned out damaged (io/mapping.h) while it ran: its replies
  // must not be sent. Cleared by the call; null if none. The caller truncates its buffer, has the
  // dataset leave that version and executes the batch again.
  struct Damage {
    std::shared_ptr<dataset::Dataset> dataset;  // for work outside of the epoch
    uint64_t version = 0;
  };
  Damage TakeDamage();
  // Whether there is one.
  bool met_damage() const { return damage_.dataset != nullptr; }

 private:
  const store::Catalogue& catalogue_;
  Host& host_;
  Counters& counters_;
  Instruments& instruments_;
  CommandStatistics& statistics_;
  Damage damage_;
};

}  // namespace larder::command

// Session: what a connection's commands remember from one to the next.
//
// Ownership:  of its connection, in a server; borrows its user.
// Threads:    the connection's worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace larder::command {

struct CommandSpec;
struct Transaction;  // command/transaction.h
class User;          // command/users.h

// Why the next request is more than a look-up and a call. None of it holds for nearly everybody, so
// that the read path asks once.
enum Unusual : uint32_t {
  kNotAuthenticated = 1 << 0,
  kMayNotAll = 1 << 1,         // the user may execute some commands only
  kInMulti = 1 << 2,           // between MULTI and EXEC
  kSubscribed = 1 << 3,        // to channels, patterns or shard channels
  kRepliesOff = 1 << 4,        // CLIENT REPLY OFF
  kSkipsThisReply = 1 << 5,    // the one after CLIENT REPLY SKIP
  kMonitoring = 1 << 6,        // MONITOR
  kCachingGiven = 1 << 7,      // CLIENT CACHING, until the next command that is not CLIENT's
  kSkipsNextReply = 1 << 8,    // CLIENT REPLY SKIP was just said; turns into kSkipsThisReply
  kTransactionFails = 1 << 9,  // a request since MULTI was refused: EXEC executes nothing
};

// Why a batch ends after a request.
enum BatchEnd : uint8_t {
  kClosesAfterReply = 1 << 0,  // QUIT, CLIENT KILL of itself
  kDeferred = 1 << 1,          // a handler called Host::Defer or Host::Block
};

// What a batch that met a damaged version is repeated from: a copy taken before puts it back.
struct SessionState {
  uint64_t id = 0;
  int protocol = 2;
  uint32_t database = 0;
  uint32_t unusual = 0;   // bits of Unusual
  uint8_t batch_end = 0;  // bits of BatchEnd
  // Writes are refused with NOPERM instead of READONLY, for clients that reconnect on the latter.
  bool read_only_is_noperm = false;
  bool no_evict = false;       // told by CLIENT LIST, without an effect: nothing is evicted
  bool no_touch = false;       // the same: nothing is touched
  const User* user = nullptr;  // null: nobody yet; good until the server's users change
  // By AUTH or HELLO; the default user may need no password.
  bool gave_password = false;
  std::string name;
  std::string library_name;
  std::string library_version;
  // How much of the transaction is good: what a repeated batch queued before lies behind it.
  uint32_t queued = 0;
  uint32_t watched = 0;
  const CommandSpec* last_command = nullptr;
  const CommandSpec* last_subcommand = nullptr;

  bool closes_after_reply() const { return (batch_end & kClosesAfterReply) != 0; }
  bool deferred() const { return (batch_end & kDeferred) != 0; }
  bool Is(Unusual bit) const { return (unusual & bit) != 0; }
  void Set(Unusual bit, bool on = true) { unusual = on ? unusual | bit : unusual & ~uint32_t{bit}; }
};

struct Session : SessionState {
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SessionState& state() { return *this; }

  // Commands queued since MULTI and keys watched; null: none. It outlives an EXEC until the next
  // batch begins, so that the EXEC can be repeated.
  std::unique_ptr<Transaction> transaction;

  // The connection's limits: of what a transaction may hold, and of the replies to one.
  uint64_t max_transaction_bytes = uint64_t{1} << 30;
  uint64_t max_reply_bytes = uint64_t{1} << 30;
};

// Of one worker, added up for INFO; written by that worker only.
struct Counters {
  uint64_t commands = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
};

}  // namespace larder::command

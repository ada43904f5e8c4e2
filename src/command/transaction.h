// Transaction: what a connection has said since MULTI, and the keys that it watches.
//
// A Dataset's keys change only by a switch, so a watched key is remembered by a digest of its
// value: EXEC asks whether the key still has it. Of a large value, that of its whole version.
//
// EXEC, DISCARD, UNWATCH and RESET take nothing away here, they only say in the session that it is
// no longer good: a batch that met a damaged version may have to execute them again. The next batch
// begins with TrimTransaction.
//
// Threads:    the connection's worker.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "command/context.h"

namespace larder::command {

struct WatchedKey {
  uint32_t database = 0;
  std::string key;
  uint64_t digest = 0;  // of type, value and expiry; 0: there was none
};

struct QueuedCommand {
  const CommandSpec* spec = nullptr;
  std::vector<std::string> args;
};

struct Transaction {
  std::vector<QueuedCommand> queued;
  std::vector<WatchedKey> watched;
  uint64_t bytes = 0;  // of both, what holds them included

  // The version that EXEC has taken of each store it has looked at; good while it executes.
  struct Seen {
    dataset::Dataset* dataset = nullptr;
    const dataset::Version* version = nullptr;
  };
  std::vector<Seen> seen;
};

// Drops what the session no longer counts as queued or watched.
void TrimTransaction(Session& session);

// The session is in no transaction any more, and watches nothing.
void EndTransaction(Session& session);

// What the transaction may hold is used up when this is false: nothing was added.
bool Enqueue(Session& session, const CommandSpec& spec, Arguments args);

// Of what the context's version has under `key`; 0: nothing.
uint64_t DigestOf(const Context& context, std::string_view key);

}  // namespace larder::command

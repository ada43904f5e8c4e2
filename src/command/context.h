// Context: what a handler works with: the stores as of one version, the session, the reply.
//
// Ownership:  borrows everything; lives for one request.
// Threads:    the worker's own, inside its epoch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "command/host.h"
#include "command/instruments.h"
#include "command/session.h"
#include "command/spec.h"
#include "dataset/dataset.h"
#include "protocol/resp/reply.h"
#include "snapshot/snapshot.h"
#include "store/catalogue.h"

namespace larder::command {

// Redis's own words for what several commands refuse.
inline constexpr std::string_view kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kOutOfRange = "ERR value is out of range";
// For the lowest integer where Redis wants to turn the sign.
inline constexpr std::string_view kNotNegatable =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

struct Context {
  const store::Catalogue& catalogue;
  Host& host;
  Counters& counters;
  Instruments& instruments;
  Session& session;
  resp::ReplyWriter& reply;
  int64_t now_ms = 0;
  const CommandSpec* spec = nullptr;
  // Of the selected database; null: no store there, or (only for commands with the loading flag)
  // nothing to serve yet.
  const dataset::Version* version = nullptr;
  // The look-up of args[1] as a key of this snapshot, begun ahead; null: it was not.
  const snapshot::Snapshot* begun_in = nullptr;
  const snapshot::Snapshot::Lookup* first_key = nullptr;
  // EXEC executes this: it must not block, as everything in Redis's transactions.
  bool in_transaction = false;

  const snapshot::Snapshot* snapshot() const {
    return version == nullptr ? nullptr : version->snapshot.get();
  }

  // The command's first key. Counts a hit or a miss; expired records are missing.
  std::optional<snapshot::Value> Find(std::string_view key);
  // The same, answering kWrongType when the value is of another type. `*missing` tells the cases of
  // no value apart: true when there is none and nothing was answered.
  std::optional<snapshot::Value> FindOfType(std::string_view key, ValueType type, bool* missing);

  // One slice of the mapping: large ones are borrowed with a pin, small ones copied.
  void Slice(std::string_view bytes);
  // The same for text that needs a bulk's head and end around it.
  void BulkSlice(std::string_view text);

  bool resp3() const { return reply.protocol() >= 3; }
};

// How many keys are looked up side by side: enough to hide the memory's latency, few enough for the
// line fill buffers and the stack.
inline constexpr size_t kKeysPerGroup = 32;

// Looks up many keys of one command with prefetching and calls `found(index, value or none)` in
// their order. Counts hits and misses.
template <typename Found>
void FindEach(Context& context, Arguments keys, Found&& found) {
  const snapshot::Snapshot* snapshot = context.snapshot();
  snapshot::Snapshot::Lookup lookups[kKeysPerGroup];
  for (size_t first = 0; first < keys.size(); first += kKeysPerGroup) {
    const Arguments group = keys.subspan(first, std::min(kKeysPerGroup, keys.size() - first));
    if (snapshot != nullptr) {
      for (size_t i = 0; i < group.size(); ++i) lookups[i] = snapshot->StartLookup(group[i]);
      snapshot->Prefetch({lookups, group.size()});
    }
    for (size_t i = 0; i < group.size(); ++i) {
      std::optional<snapshot::Value> value;
      if (snapshot != nullptr) value = snapshot->Find(group[i], lookups[i]);
      if (value && value->Expired(context.now_ms)) value.reset();
      ++(value ? context.counters.keyspace_hits : context.counters.keyspace_misses);
      found(first + i, value);
    }
  }
}

}  // namespace larder::command

// The commands about transactions, as data (command/spec.h). For command/table.cc only.
#pragma once

#include "command/handlers.h"
#include "command/spec.h"
#include "command/table/tips.h"

namespace larder::command {

inline constexpr CommandSpec kTransactionsCommands[] = {
    {.name = "discard",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kActs,
     .categories = kInFast | kInTransaction,
     .since = "2.0.0",
     .group = "transactions",
     .complexity = "O(N), N the number of queued commands",
     .summary = "Forgets what was queued since MULTI, and what was watched.",
     .handler = &Discard},
    {.name = "exec",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog | kActs,
     .categories = kInSlow | kInTransaction,
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "Depends on the queued commands",
     .summary = "Executes what was queued since MULTI, all of it on one version of each store.",
     .handler = &Exec},
    {.name = "multi",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "O(1)",
     .summary = "Begins a transaction: commands are queued until EXEC.",
     .handler = &Multi},
    {.name = "unwatch",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy | kActs,
     .categories = kInFast | kInTransaction,
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(N), N the number of watched keys",
     .summary = "Forgets what was watched.",
     .handler = &Unwatch},
    {.name = "watch",
     .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .keys = {KeyRange(1, -1, 1, kKeyRo)},
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(N), N the number of keys",
     .summary =
         "Lets the next EXEC execute nothing when one of the keys has another value by then.",
     .syntax = "key [key ...]",
     .handler = &Watch},
};

}  // namespace larder::command

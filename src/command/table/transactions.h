// The commands about transactions, as data (command/spec.h). For command/table.cc only.
#pragma once

#include "command/handlers.h"
#include "command/spec.h"
#include "command/table/tips.h"

namespace larder::command {

inline constexpr CommandSpec kTransactionsCommands[] = {
    {.name = "discard",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .since = "2.0.0",
     .group = "transactions"},
    {.name = "exec",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kSkipSlowlog,
     .categories = kInSlow | kInTransaction,
     .since = "1.2.0",
     .group = "transactions"},
    {.name = "multi",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .since = "1.2.0",
     .group = "transactions"},
    {.name = "unwatch",
     .arity = 1,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .since = "2.2.0",
     .group = "transactions"},
    {.name = "watch",
     .arity = -2,
     .flags = kNoScript | kLoading | kStale | kFast | kAllowBusy,
     .categories = kInFast | kInTransaction,
     .keys = {KeyRange(1, -1, 1, kKeyRo)},
     .since = "2.2.0",
     .group = "transactions"},
};

}  // namespace larder::command

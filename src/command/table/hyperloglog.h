// The commands about HyperLogLogs, as data (command/spec.h). For command/table.cc only.
#pragma once

#include "command/handlers.h"
#include "command/spec.h"
#include "command/table/tips.h"

namespace larder::command {

inline constexpr CommandSpec kHyperloglogCommands[] = {
    {.name = "pfadd",
     .arity = -2,
     .flags = kWrite | kDenyOom | kFast,
     .categories = kInWrite | kInHyperLogLog | kInFast,
     .keys = {OneKey(1, kKeyRw | kKeyInsert)},
     .since = "2.8.9",
     .group = "hyperloglog",
     .summary = "Adds elements to a HyperLogLog."},
    {.name = "pfcount",
     .arity = -2,
     .flags = kReadonly,
     .categories = kInRead | kInHyperLogLog | kInSlow,
     .keys = {KeyRange(1, -1, 1, kKeyRw | kKeyAccess,
                       "RW because it may change the internal representation of the key, and "
                       "propagate to replicas")},
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(N), N the number of keys; each is read whole unless it is a single one with "
                   "its count stored",
     .summary =
         "Estimates how many different elements one HyperLogLog, or several merged, have seen.",
     .syntax = "key [key ...]",
     .handler = &PfCount},
    {.name = "pfdebug",
     .arity = 3,
     .flags = kWrite | kDenyOom | kAdmin,
     .categories = kInWrite | kInHyperLogLog | kInAdmin | kInSlow | kInDangerous,
     .keys = {OneKey(2, kKeyRw | kKeyAccess)},
     .since = "2.8.9",
     .group = "hyperloglog",
     .summary = "Looks into a HyperLogLog, for those who develop Redis."},
    {.name = "pfmerge",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .categories = kInWrite | kInHyperLogLog | kInSlow,
     .keys = {OneKey(1, kKeyRw | kKeyAccess | kKeyInsert), KeyRange(2, -1, 1, kKeyRo | kKeyAccess)},
     .since = "2.8.9",
     .group = "hyperloglog",
     .summary = "Merges HyperLogLogs into one key."},
    {.name = "pfselftest",
     .arity = 1,
     .flags = kAdmin,
     .categories = kInHyperLogLog | kInAdmin | kInSlow | kInDangerous,
     .since = "2.8.9",
     .group = "hyperloglog",
     .summary = "Tests the HyperLogLogs of Redis.",
     .refusal =
         "ERR Larder has no self test of HyperLogLogs; its own tests check them at every build"},
};

}  // namespace larder::command

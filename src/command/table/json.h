// The commands about JSON values, as data (command/spec.h). The facts are RedisJSON's.
// For command/table.cc only.
#pragma once

#include "command/handlers.h"
#include "command/spec.h"
#include "command/table/tips.h"

namespace larder::command {

inline constexpr CommandSpec kJsonCommands[] = {
    {.name = "json.get",
     .arity = -2,
     .flags = kReadonly | kModule,
     .categories = kInRead | kInSlow,
     .keys = {OneKey(1, kKeyRo | kKeyAccess)},
     .since = "1.0.0",
     .group = "json"},
};

}  // namespace larder::command

// The commands about bits of strings, as data (command/spec.h). For command/table.cc only.
#pragma once

#include "command/handlers.h"
#include "command/spec.h"
#include "command/table/tips.h"

namespace larder::command {

inline constexpr CommandSpec kBitmapCommands[] = {
    {.name = "bitcount",
     .arity = -2,
     .flags = kReadonly,
     .categories = kInRead | kInBitmap | kInSlow,
     .keys = {OneKey(1, kKeyRo | kKeyAccess)},
     .since = "2.6.0",
     .group = "bitmap"},
    {.name = "bitfield",
     .arity = -2,
     .flags = kWrite | kDenyOom,
     .categories = kInWrite | kInBitmap | kInSlow,
     .keys = {OneKey(1, kKeyRw | kKeyAccess | kKeyUpdate | kKeyVariable,
                     "This command allows both access and modification of the key")},
     .since = "3.2.0",
     .group = "bitmap"},
    {.name = "bitfield_ro",
     .arity = -2,
     .flags = kReadonly | kFast,
     .categories = kInRead | kInBitmap | kInFast,
     .keys = {OneKey(1, kKeyRo | kKeyAccess)},
     .since = "6.0.0",
     .group = "bitmap"},
    {.name = "bitop",
     .arity = -4,
     .flags = kWrite | kDenyOom,
     .categories = kInWrite | kInBitmap | kInSlow,
     .keys = {OneKey(2, kKeyOw | kKeyUpdate), KeyRange(3, -1, 1, kKeyRo | kKeyAccess)},
     .since = "2.6.0",
     .group = "bitmap"},
    {.name = "bitpos",
     .arity = -3,
     .flags = kReadonly,
     .categories = kInRead | kInBitmap | kInSlow,
     .keys = {OneKey(1, kKeyRo | kKeyAccess)},
     .since = "2.8.7",
     .group = "bitmap"},
    {.name = "getbit",
     .arity = 3,
     .flags = kReadonly | kFast,
     .categories = kInRead | kInBitmap | kInFast,
     .keys = {OneKey(1, kKeyRo | kKeyAccess)},
     .since = "2.2.0",
     .group = "bitmap"},
    {.name = "setbit",
     .arity = 4,
     .flags = kWrite | kDenyOom,
     .categories = kInWrite | kInBitmap | kInSlow,
     .keys = {OneKey(1, kKeyRw | kKeyAccess | kKeyUpdate)},
     .since = "2.2.0",
     .group = "bitmap"},
};

}  // namespace larder::command

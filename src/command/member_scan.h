// HSCAN, SSCAN and ZSCAN: one walk over the members of a collection.
#pragma once

#include "command/context.h"

namespace larder::command {

void ScanMembers(Context& context, Arguments args, ValueType type);

}  // namespace larder::command

// The line by which MONITOR tells of a command.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "command/spec.h"

namespace larder::command {

// `unix_us` is the time in microseconds, `address` the client's as CLIENT LIST has it. Without the
// plus sign in front and the line's end.
std::string MonitorLine(int64_t unix_us, uint32_t database, std::string_view address,
                        Arguments args);

}  // namespace larder::command

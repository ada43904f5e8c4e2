// What Larder writes to stderr of a program that it is a part of.
//
// Threads: any, at any time.
#pragma once

#include <cstdint>

#include "larder/api.h"

namespace larder {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

// kWarning until set.
LARDER_API void SetLogLevel(LogLevel level);

}  // namespace larder

// The program's log: lines on stderr with time and level (spdlog underneath).
//
// Threads: any. Cost: a line takes a lock and a write; never on the path of a request.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

void SetLogLevel(LogLevel level);

void LogDebug(std::string_view message);
void LogInfo(std::string_view message);
void LogWarning(std::string_view message);
void LogError(std::string_view message);

}  // namespace larder

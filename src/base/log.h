// The program's log: lines on stderr with time and level, as text or as JSON (spdlog underneath).
//
// A line of JSON is one object with "time", "level" and "message", valid whatever the message
// holds: bytes that are no UTF-8 are shown as U+FFFD.
//
// Threads: any, the settings too: a line is written in one format, whole.
// Cost:    a line takes a lock and a write; never on the path of a request.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "larder/log.h"

namespace larder {

enum class LogFormat : uint8_t { kText, kJson };

// In the order of the enumerators, as they are written in settings; kOff has no name.
inline constexpr std::array<std::string_view, 4> kLogLevelNames = {"debug", "info", "warning",
                                                                   "error"};
inline constexpr std::array<std::string_view, 2> kLogFormatNames = {"text", "json"};
std::optional<LogLevel> ParseLogLevel(std::string_view name);

LogLevel CurrentLogLevel();
// kText until set.
void SetLogFormat(LogFormat format);

void LogDebug(std::string_view message);
void LogInfo(std::string_view message);
void LogWarning(std::string_view message);
void LogError(std::string_view message);

}  // namespace larder

#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace larder {

namespace {

spdlog::logger& Logger() {
  // Leaked on purpose: threads may still log while static objects are destroyed.
  static auto* const logger = [] {
    auto* made = new spdlog::logger("larder", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    return made;
  }();
  return *logger;
}

spdlog::string_view_t View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void SetLogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return Logger().set_level(spdlog::level::debug);
    case LogLevel::kInfo:
      return Logger().set_level(spdlog::level::info);
    case LogLevel::kWarning:
      return Logger().set_level(spdlog::level::warn);
    case LogLevel::kError:
      return Logger().set_level(spdlog::level::err);
    case LogLevel::kOff:
      return Logger().set_level(spdlog::level::off);
  }
}

void LogDebug(std::string_view message) { Logger().log(spdlog::level::debug, View(message)); }
void LogInfo(std::string_view message) { Logger().log(spdlog::level::info, View(message)); }
void LogWarning(std::string_view message) { Logger().log(spdlog::level::warn, View(message)); }
void LogError(std::string_view message) { Logger().log(spdlog::level::err, View(message)); }

}  // namespace larder

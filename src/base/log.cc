#include "base/log.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace larder {

namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})";

// The message as a JSON string. In a pattern, so that a line is made in one format under the sink's
// lock, also while the format changes.
class JsonMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& to) override {
    const nlohmann::json text = std::string(message.payload.data(), message.payload.size());
    const std::string escaped = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    to.append(escaped.data(), escaped.data() + escaped.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

spdlog::logger& Logger() {
  // Leaked on purpose: threads may still log while static objects are destroyed.
  static auto* const logger = [] {
    auto* made = new spdlog::logger("larder", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern(kTextPattern);
    made->set_level(spdlog::level::warn);  // a program that has Larder in it did not ask for more
    return made;
  }();
  return *logger;
}

spdlog::string_view_t View(std::string_view text) { return {text.data(), text.size()}; }

std::atomic<LogLevel> current_level{LogLevel::kWarning};

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  const auto* const found = std::ranges::find(kLogLevelNames, name);
  if (found == kLogLevelNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLogLevelNames.begin());
}

void SetLogLevel(LogLevel level) {
  current_level.store(level, std::memory_order_relaxed);
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

LogLevel CurrentLogLevel() { return current_level.load(std::memory_order_relaxed); }

void SetLogFormat(LogFormat format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonMessage>('*').set_pattern(format == LogFormat::kJson ? kJsonPattern
                                                                               : kTextPattern);
  Logger().set_formatter(std::move(formatter));
}

void LogDebug(std::string_view message) { Logger().log(spdlog::level::debug, View(message)); }
void LogInfo(std::string_view message) { Logger().log(spdlog::level::info, View(message)); }
void LogWarning(std::string_view message) { Logger().log(spdlog::level::warn, View(message)); }
void LogError(std::string_view message) { Logger().log(spdlog::level::err, View(message)); }

}  // namespace larder

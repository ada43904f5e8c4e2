// CONFIG: the settings in Redis's words. What CONFIG SET changes holds until the next reload of
// larder.toml, which wins again; all of what it is given, or nothing.
#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/glob.h"
#include "base/log.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// ---- Values as Redis reads them. Empty: good; else what is wrong, in Redis's words.

std::string WhyNoNumber(std::string_view value, int64_t low, int64_t high) {
  const auto number = ParseInteger(value);
  if (!number) return "argument couldn't be parsed into an integer";
  if (*number >= low && *number <= high) return "";
  return fmt::format("argument must be between {} and {} inclusive", low, high);
}

std::string WhyNoBoolean(std::string_view value) {
  return IsOption(value, "yes") || IsOption(value, "no") ? "" : "argument must be 'yes' or 'no'";
}

// Redis's levels, the least important first, and Larder's.
constexpr std::pair<std::string_view, LogLevel> kLogLevels[] = {{"debug", LogLevel::kDebug},
                                                                {"verbose", LogLevel::kInfo},
                                                                {"notice", LogLevel::kInfo},
                                                                {"warning", LogLevel::kWarning}};

std::optional<LogLevel> LogLevelOf(std::string_view name) {
  for (const auto& [known, level] : kLogLevels) {
    if (IsOption(name, known)) return level;
  }
  return std::nullopt;
}

std::string_view LogLevelName(LogLevel level) {
  if (level == LogLevel::kDebug) return "debug";
  return level == LogLevel::kInfo ? "notice" : "warning";
}

// Words between blanks.
std::optional<std::vector<double>> ReadPercentiles(std::string_view value) {
  std::vector<double> percentiles;
  while (!value.empty()) {
    const size_t end = std::min(value.find(' '), value.size());
    if (end != 0) {
      const auto number = ParseDouble(value.substr(0, end));
      if (!number) return std::nullopt;
      percentiles.push_back(*number);
    }
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return percentiles;
}

std::string WhyNoPercentiles(std::string_view value) {
  const auto percentiles = ReadPercentiles(value);
  if (!percentiles) return "Invalid latency-tracking-info-percentiles parameters";
  const bool fit =
      std::ranges::all_of(*percentiles, [](double number) { return number >= 0 && number <= 100; });
  return fit ? "" : "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
}

std::string PercentilesText(const std::vector<double>& percentiles) {
  std::string text;
  for (const double number : percentiles) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{:.10g}", number);
  }
  return text;
}

int64_t Number(std::string_view value) { return ParseInteger(value).value_or(0); }

// ---- Settings that may change.

struct Changeable {
  std::string_view name;
  std::string (*why_not)(std::string_view value);
  // Null: the host's.
  void (*set)(Instruments& instruments, std::string_view value);
  std::string (*get)(const Instruments& instruments);
};

constexpr Changeable kChangeable[] = {
    {"latency-monitor-threshold",
     [](std::string_view value) { return WhyNoNumber(value, 0, INT64_MAX); },
     [](Instruments& to, std::string_view value) {
       to.latency_monitor.threshold_ms = static_cast<uint64_t>(Number(value));
     },
     [](const Instruments& from) {
       return fmt::format("{}", from.latency_monitor.threshold_ms.load());
     }},
    {"latency-tracking", [](std::string_view value) { return WhyNoBoolean(value); },
     [](Instruments& to, std::string_view value) { to.latency_tracking = IsOption(value, "yes"); },
     [](const Instruments& from) { return std::string(from.latency_tracking ? "yes" : "no"); }},
    {"latency-tracking-info-percentiles", &WhyNoPercentiles,
     [](Instruments& to, std::string_view value) {
       to.SetPercentiles(ReadPercentiles(value).value_or(std::vector<double>()));
     },
     [](const Instruments& from) { return PercentilesText(from.percentiles()); }},
    {"loglevel",
     [](std::string_view value) {
       return std::string(
           LogLevelOf(value)
               ? ""
               : "argument(s) must be one of the following: debug, verbose, notice, warning");
     },
     [](Instruments&, std::string_view value) {
       SetLogLevel(LogLevelOf(value).value_or(LogLevel::kInfo));
     },
     [](const Instruments&) { return std::string(LogLevelName(CurrentLogLevel())); }},
    {"maxclients", [](std::string_view value) { return WhyNoNumber(value, 1, UINT_MAX); }, nullptr,
     nullptr},
    {"slowlog-log-slower-than",
     [](std::string_view value) { return WhyNoNumber(value, -1, INT64_MAX); },
     [](Instruments& to, std::string_view value) { to.SetSlowLogMin(Number(value)); },
     [](const Instruments& from) { return fmt::format("{}", from.slow_log_min_us()); }},
    {"slowlog-max-len", [](std::string_view value) { return WhyNoNumber(value, 0, INT64_MAX); },
     [](Instruments& to, std::string_view value) {
       to.slow_log_max_entries = static_cast<uint64_t>(Number(value));
     },
     [](const Instruments& from) { return fmt::format("{}", from.slow_log_max_entries.load()); }},
    {"timeout", [](std::string_view value) { return WhyNoNumber(value, 0, INT_MAX); }, nullptr,
     nullptr},
};

// What Redis cannot change while it runs either: not even to what it is.
constexpr std::string_view kNeverChanged[] = {"databases",   "io-threads",         "unixsocket",
                                              "daemonize",   "cluster-enabled",    "aclfile",
                                              "tcp-backlog", "cluster-config-file"};

// Every setting, by name: the host's, and those of the instruments.
Settings AllSettings(const Context& context) {
  Settings settings = context.host.config();
  for (const Changeable& setting : kChangeable) {
    if (setting.get == nullptr) continue;
    settings.emplace_back(setting.name, setting.get(context.instruments));
  }
  std::ranges::sort(settings);
  return settings;
}

// What CONFIG GET calls the setting when the pattern matches it: as Redis does, the client's own
// spelling when that is no pattern.
std::optional<std::string_view> MatchSetting(std::string_view pattern, std::string_view name) {
  if (pattern.find_first_of("[*?") == std::string_view::npos) {
    const bool same = pattern.size() == name.size() && IsOption(pattern, name);
    return same ? std::optional(pattern) : std::nullopt;
  }
  std::string folded(pattern);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return GlobMatches(folded, name) ? std::optional(name) : std::nullopt;
}

// One of the pairs of CONFIG SET.
struct Change {
  std::string_view name;  // as the setting is called
  std::string_view value;
  const Changeable* setting = nullptr;  // null: it stays as it is
};

std::string Failure(std::string_view name, std::string_view why) {
  return fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, why);
}

// The first error of all pairs, as Redis looks for them before it looks at values.
std::string ReadChanges(const Settings& settings, Arguments pairs, std::vector<Change>& changes) {
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const auto known = std::ranges::find_if(
        settings, [&](const auto& setting) { return IsOption(pairs[i], setting.first); });
    if (known == settings.end()) {
      return fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'",
                         CString(pairs[i]));
    }
    const auto* changeable = std::ranges::find(kChangeable, known->first, &Changeable::name);
    Change change{.name = known->first, .value = pairs[i + 1]};
    if (changeable != std::end(kChangeable)) {
      change.setting = changeable;
    } else if (std::ranges::find(kNeverChanged, known->first) != std::end(kNeverChanged) ||
               CString(pairs[i + 1]) != known->second) {
      return Failure(known->first, "can't set immutable config");
    }
    if (std::ranges::find(changes, change.name, &Change::name) != changes.end()) {
      return Failure(CString(pairs[i]), "duplicate parameter");
    }
    changes.push_back(change);
  }
  for (const Change& change : changes) {
    if (change.setting == nullptr) continue;
    const std::string why_not = change.setting->why_not(change.value);
    if (!why_not.empty()) return Failure(change.name, why_not);
  }
  return "";
}

}  // namespace

void ConfigGet(Context& context, Arguments args) {
  // The name as it is answered, and the setting's value.
  std::vector<std::pair<std::string_view, std::string_view>> found;
  const Settings settings = AllSettings(context);
  for (const auto& [name, value] : settings) {
    for (const std::string_view pattern : args.subspan(2)) {
      const auto answered = MatchSetting(pattern, name);
      if (!answered) continue;
      found.emplace_back(*answered, value);
      break;
    }
  }
  context.reply.Map(found.size());
  for (const auto& [name, value] : found) {
    context.reply.Bulk(name);
    context.reply.Bulk(value);
  }
}

void ConfigHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "config"); }

void ConfigResetStat(Context& context, Arguments /*args*/) {
  context.instruments.Reset();
  context.host.ResetStatistics();
  context.reply.Simple("OK");
}

void ConfigSet(Context& context, Arguments args) {
  if (args.size() % 2 != 0) return context.reply.Error(kSyntaxError);
  const Settings settings = AllSettings(context);
  std::vector<Change> changes;
  const std::string error = ReadChanges(settings, args.subspan(2), changes);
  if (!error.empty()) return context.reply.Error(error);
  std::vector<std::pair<std::string_view, std::string_view>> of_host;
  for (const Change& change : changes) {
    if (change.setting != nullptr && change.setting->set == nullptr) {
      of_host.emplace_back(change.name, change.value);
    }
  }
  // First what may fail.
  if (const auto taken = context.host.SetConfig(of_host); !taken) {
    return context.reply.Error(fmt::format("ERR {}", taken.error().message()));
  }
  for (const Change& change : changes) {
    if (change.setting != nullptr && change.setting->set != nullptr) {
      change.setting->set(context.instruments, change.value);
    }
  }
  context.reply.Simple("OK");
}

}  // namespace larder::command

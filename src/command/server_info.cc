// The server: INFO, CONFIG GET, DBSIZE, TIME.
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/glob.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"
#include "command/info_sections.h"

namespace larder::command {
namespace {

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

}  // namespace

void Info(Context& context, Arguments args) {
  context.reply.Verbatim("txt", InfoText(context, args.subspan(1)));
}

void ConfigGet(Context& context, Arguments args) {
  // The name as it is answered, and the setting's value.
  std::vector<std::pair<std::string_view, std::string_view>> found;
  const auto settings = context.host.config();
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

void DbSize(Context& context, Arguments /*args*/) {
  const snapshot::Snapshot* snapshot = context.snapshot();
  context.reply.Integer(snapshot == nullptr ? 0 : static_cast<int64_t>(snapshot->record_count()));
}

void Time(Context& context, Arguments /*args*/) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  context.reply.Array(2);
  context.reply.Bulk(fmt::format_int(now / 1'000'000).c_str());
  context.reply.Bulk(fmt::format_int(now % 1'000'000).c_str());
}

}  // namespace larder::command

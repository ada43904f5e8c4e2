// The server: INFO, CONFIG GET, DBSIZE, TIME.
#include <chrono>
#include <set>
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

void Info(Context& context, Arguments args) {
  context.reply.Verbatim("txt", InfoText(context, args.subspan(1)));
}

void ConfigGet(Context& context, Arguments args) {
  const auto settings = context.host.config();
  std::vector<const std::pair<std::string, std::string>*> found;
  for (const auto& setting : settings) {
    for (std::string pattern : std::vector<std::string>(args.begin() + 2, args.end())) {
      for (char& c : pattern) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
      }
      if (!GlobMatches(pattern, setting.first)) continue;
      found.push_back(&setting);
      break;
    }
  }
  context.reply.Map(found.size());
  for (const auto* setting : found) {
    context.reply.Bulk(setting->first);
    context.reply.Bulk(setting->second);
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

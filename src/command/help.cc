#include "command/help.h"

#include <string>

#include <fmt/format.h>

#include "command/handlers.h"
#include "command/table.h"

namespace larder::command {
namespace {

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
  }
  return upper;
}

}  // namespace

void AnswerHelp(Context& context, std::string_view container) {
  const CommandSpec* spec = FindListed(container);
  context.reply.Array(1 + 2 * spec->subcommands.size());
  context.reply.Simple(fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                                   UpperCase(spec->name)));
  for (const CommandSpec& sub : spec->subcommands) {
    const std::string name = UpperCase(sub.own_name());
    context.reply.Simple(sub.syntax.empty() ? name : fmt::format("{} {}", name, sub.syntax));
    context.reply.Simple(fmt::format("    {}", sub.summary));
  }
}

// Of what writes there is nothing else to serve.
void XGroupHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "xgroup"); }

}  // namespace larder::command

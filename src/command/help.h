// The HELP subcommand of every container, made from its table.
#pragma once

#include <string_view>

#include "command/context.h"

namespace larder::command {

void AnswerHelp(Context& context, std::string_view container);

}  // namespace larder::command

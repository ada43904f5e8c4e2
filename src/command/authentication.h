// Making a session a user's, and remembering who was denied what.
#pragma once

#include <string_view>

#include "command/access_log.h"
#include "command/context.h"

namespace larder::command {

// For AUTH and HELLO, whose request `args` is. False: refused and answered, and the session is what
// it was.
bool Authenticate(Context& context, Arguments args, std::string_view name,
                  std::string_view password);

// For ACL LOG. `object` is the command's name.
void NoteDenial(const Context& context, Denial::Reason reason, std::string_view object,
                std::string_view user);

}  // namespace larder::command

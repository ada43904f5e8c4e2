// Making a session a user's, for AUTH and HELLO.
#pragma once

#include <string_view>

#include "command/context.h"

namespace larder::command {

// False: refused and answered, and the session is what it was.
bool Authenticate(Context& context, std::string_view name, std::string_view password);

}  // namespace larder::command

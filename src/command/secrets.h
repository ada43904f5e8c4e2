// A request as it may be shown to others: MONITOR, SLOWLOG.
#pragma once

#include <string_view>
#include <vector>

#include "command/spec.h"

namespace larder::command {

// `args` with Redis's word for what is hidden in the place of every user's name and password, and
// of every setting that is a secret.
std::vector<std::string_view> WithoutSecrets(const CommandSpec& spec, Arguments args);

}  // namespace larder::command

// The text of INFO: Redis's sections with Redis's field names where Larder has a true value for
// them, and a section of its own, Datasets.
#pragma once

#include <string>

#include "command/context.h"

namespace larder::command {

// `sections` as the client named them, in any case; none: the default ones. Sections come in
// Redis's order, each once, and unknown names are passed over.
std::string InfoText(const Context& context, Arguments sections);

// Unix time at which a store last began to serve another version; when none did, the server's
// start.
int64_t LastSwitchMs(const Context& context);

}  // namespace larder::command

// What stands between a request that is well-formed and its handler, in the order of Redis 7.0.15.
#pragma once

#include <string>
#include <string_view>

#include "command/context.h"

namespace larder::command {

inline constexpr std::string_view kLoadingError = "LOADING Larder is loading the dataset in memory";

// Whether WhyRefused has something to say; it is noted nowhere.
bool IsRefused(const Session& session, const CommandSpec& spec);

// The error, code first; empty: nothing stands in the way. What loads is the caller's to find. A
// command that is not the user's is noted for ACL LOG.
std::string WhyRefused(const Context& context, const CommandSpec& spec);

// The error for a command without a handler.
std::string WhyUnserved(const Session& session, const CommandSpec& spec);

// Inside MULTI, too: EXEC and what else does not wait for it.
bool IsExecutedAtOnce(const CommandSpec& spec);

std::string UnknownCommand(Arguments args);
std::string UnknownSubcommand(const CommandSpec& container, std::string_view name);
std::string WrongArity(const CommandSpec& spec);

}  // namespace larder::command

// LOLWUT: the version, which is all that Redis 7.0.15 tells unless an older drawing is asked for.
#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/redis_version.h"

namespace larder::command {

void Lolwut(Context& context, Arguments args) {
  if (args.size() >= 3 && IsOption(args[1], "version") && !ParseInteger(args[2])) {
    return context.reply.Error(kNotAnInteger);
  }
  context.reply.Verbatim("txt", fmt::format("Redis ver. {}\n", kRedisVersion));
}

}  // namespace larder::command

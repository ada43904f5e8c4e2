// MODULE: there are none. The JSON commands are Larder's own, so that a client which needs a
// certain version of RedisJSON is not told of one.
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {

void ModuleList(Context& context, Arguments /*args*/) { context.reply.Array(0); }

void ModuleHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "module"); }

}  // namespace larder::command

// MONITOR.
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {

void Monitor(Context& context, Arguments /*args*/) {
  // As in Redis, a monitor that asks again gets no reply at all; in EXEC nobody may wait for more.
  if (context.session.Is(kMonitoring)) return;
  if (context.in_transaction) {
    return context.reply.Error("ERR MONITOR isn't allowed for DENY BLOCKING client");
  }
  context.host.StartMonitoring(context.session);
  context.reply.Simple("OK");
}

}  // namespace larder::command

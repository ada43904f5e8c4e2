// CLUSTER, READONLY, READWRITE, ASKING: what a Redis without a cluster answers to all of them.
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {

void NoCluster(Context& context, Arguments /*args*/) {
  context.reply.Error("ERR This instance has cluster support disabled");
}

}  // namespace larder::command

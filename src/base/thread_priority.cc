#include "base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

namespace larder {

void LowerThreadPriority() {
  // On Linux a "process" is a thread here, as long as it is named by its thread's number.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowPriorityNice);
}

}  // namespace larder

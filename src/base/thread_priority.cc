#include "base/thread_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace larder {

void LowerThreadPriority() {
  // On Linux a "process" is a thread here, as long as it is named by its thread's number.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowPriorityNice);
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
}

}  // namespace larder

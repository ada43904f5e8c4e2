#include "command/instruments.h"

namespace larder::command {

CommandStatistics::CommandStatistics()
    : per_command_(std::make_unique<PerCommand[]>(SpecCount())) {}

CommandStatistics& Instruments::AddWorker() {
  const MutexLock lock(mutex_);
  workers_.push_back(std::make_unique<CommandStatistics>());
  return *workers_.back();
}

}  // namespace larder::command

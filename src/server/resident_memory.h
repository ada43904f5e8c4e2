// ResidentMemory: how much of this process is in memory, as the system counts it.
//
// Threads: any. Errors: zeroes when the system does not tell. Cost: reads a file of /proc.
#pragma once

#include <cstdint>

namespace larder::server {

struct ResidentBytes {
  uint64_t total = 0;
  uint64_t of_files = 0;  // pages of mapped files among them: versions, and the program itself
};

ResidentBytes ResidentMemory();

}  // namespace larder::server

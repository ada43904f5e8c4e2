// MemoryUse: the server's memory as INFO and MEMORY tell it.
//
// What Redis calls "used" is resident memory here: the pages of versions that are mapped and
// resident are what Larder takes of the machine, though the system may take them back.
//
// Threads:    any, with its own Context.
// Cost:       asks the system and the allocator; for slow paths.
#pragma once

#include <cstdint>

#include "command/context.h"

namespace larder::command {

struct MemoryUse {
  uint64_t resident = 0;
  uint64_t peak = 0;
  uint64_t at_start = 0;
  uint64_t mapped = 0;  // resident pages of files: versions, and the program itself
  uint64_t own = 0;     // the rest: what was allocated, stacks
  uint64_t clients = 0;
  uint64_t allocated = 0;
  uint64_t active = 0;  // what the allocator has of the system
  uint64_t machine = 0;
  uint64_t keys = 0;        // of all stores
  uint64_t file_bytes = 0;  // of the versions that are served
};

MemoryUse MeasureMemory(const Context& context);

// 0 when there is nothing to divide by.
double PercentOf(uint64_t part, uint64_t whole);
double Ratio(uint64_t part, uint64_t whole);

}  // namespace larder::command

// Sleeping on a word of memory that processes share, until somebody says that it has changed.
//
// Threads: any, of any process that has the memory.
// Cost:    a system call each.
#pragma once

#include <chrono>
#include <cstdint>

namespace larder::io {

// Returns at once when `word` is not `expected`; else when it is woken, when the deadline has
// passed, or for no reason.
void FutexWait(const uint32_t& word, uint32_t expected,
               std::chrono::steady_clock::time_point deadline);
void FutexWakeAll(const uint32_t& word);

}  // namespace larder::io

// LowerThreadPriority: for a thread whose work may take its time beside threads that must answer.
//
// The calling thread, and every thread that it starts from then on, gets the processor only as far
// as threads of normal priority leave it some: SCHED_IDLE, and nice 19 where a system knows only
// that (docs/decisions/0034-compiling-beside-readers.md).
// There is no way back: without privileges a thread cannot raise its priority again, so this is for
// threads that end with their work. When the system refuses, the priority stays as it was.
#pragma once

namespace larder {

inline constexpr int kLowPriorityNice = 19;

void LowerThreadPriority();

}  // namespace larder

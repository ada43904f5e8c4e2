// Where the keys stand among the arguments of a command, for COMMAND GETKEYS.
//
// Found by the command's key specs and, where these do not tell all, by what Redis knows of the
// command besides: the options of SORT, MIGRATE, XREAD, and what SET and BITFIELD do to their key.
//
// Cost:       O(N), N the number of arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "command/spec.h"

namespace larder::command {

struct KeyPosition {
  size_t at = 0;       // among the arguments, the command's name being 0
  uint16_t flags = 0;  // bits of KeyFlag
};

// Whether there may be any; the names of shard channels are none.
bool TakesKeys(const CommandSpec& spec);

// Empty: there are none, or the arguments are not those of such a command. Arity has been checked.
std::vector<KeyPosition> FindKeys(const CommandSpec& spec, Arguments args);

// The positions that clients knew before there were key specs: of the first to the last key of all
// specs that follow each other.
struct KeyRangeOfOld {
  int first = 0;
  int last = 0;
  int step = 0;
};
KeyRangeOfOld OldKeyRange(const CommandSpec& spec);

}  // namespace larder::command

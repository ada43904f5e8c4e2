// Residency: how much is done so that a version's bytes are in memory before anybody reads them.
// Which mode is for whom: docs/operations.md, "Memory"
#pragma once

#include <cstdint>

namespace larder {

enum class Residency : uint8_t {
  kMapped,     // pages come in when they are first touched, and may go when memory is short
  kPopulated,  // all pages are read in; they may go when memory is short
  kHuge,       // a copy in huge pages of this process's own memory
  kLocked,     // all pages are read in, and stay
};

}  // namespace larder

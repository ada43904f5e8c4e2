// MakeResident: a mapping whose bytes are in memory, in one of the ways that there are.
//
// What was asked for may not be had (memory is short, huge pages are off, locking is not
// permitted): then the pages are read in and stay where they are, and `shortfall` says why.
//
// Threads:    any; takes as long as reading the file.
// Errors:     kCorrupt: a page could not be read. kCancelled: `go_on` said so.
// Cost:       kPopulated and kLocked read each page once; kHuge copies besides, and takes as much
//             memory of this process as the file is long.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/mapping.h"
#include "larder/residency.h"

namespace larder::io {

std::string_view ResidencyName(Residency residency);

// What the machine can give; for tests.
struct MemorySupply {
  uint64_t free_bytes = 0;  // that may be taken without anybody else being short
  bool huge_pages = false;  // for who asks for them
};
// Of this machine, and of the control group that this process is in.
MemorySupply AskForMemory();

struct ResidentMapping {
  std::unique_ptr<Mapping> mapping;
  Residency reached = Residency::kMapped;
  std::string shortfall = {};  // why it is not what was asked for; empty: it is
};

// `go_on` is asked every few megabytes; empty: always.
Result<ResidentMapping> MakeResident(std::unique_ptr<Mapping> mapping, Residency wanted,
                                     const std::function<bool()>& go_on = {},
                                     const MemorySupply& supply = AskForMemory());

}  // namespace larder::io

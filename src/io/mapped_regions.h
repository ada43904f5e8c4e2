// MappedRegions: the mappings that are alive, as the SIGBUS handler sees them.
//
// A fixed table of slots, each guarded by a sequence number, so that the handler can look an
// address up without a lock and without allocating. The handler puts a page of zeros where the
// unreadable page was and marks the slot damaged; a SIGBUS at any other address goes to whoever
// handled it before (docs/decisions/0004-sigbus.md).
//
// Threads:  Register and the destructor from any thread.
// Cost:     Register looks for a slot in the table; the handler reads the table once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace larder::io {

// Far above stores × versions kept × readers.
inline constexpr size_t kMaxMappedRegions = 4096;

class MappedRegion {
 public:
  MappedRegion() = default;
  MappedRegion(const MappedRegion&) = delete;
  MappedRegion& operator=(const MappedRegion&) = delete;
  ~MappedRegion();

  // From here until the destructor a page of [begin, begin + bytes) that cannot be read becomes
  // zeros, and of a writable mapping one that can be written, to nowhere. Errors: kLimit when
  // kMaxMappedRegions are registered.
  Result<void> Register(const void* begin, size_t bytes, bool writable = false);
  // The mapping is elsewhere now, or larger or smaller; nobody touches it during the call. Damage
  // is remembered.
  void Move(const void* begin, size_t bytes);
  bool damaged() const;

 private:
  static constexpr size_t kNone = SIZE_MAX;
  size_t slot_ = kNone;
};

}  // namespace larder::io

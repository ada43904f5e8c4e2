// Mapping: a file in memory, read-only, that survives its file.
//
// A page that cannot be read when it is touched (an I/O error, or somebody truncated the file)
// would kill the process with SIGBUS. Mappings are registered with a handler that puts a page of
// zeros there instead (once many are lost: zeros everywhere) and marks the mapping damaged; readers
// of damaged bytes check bounds anyway, and whoever owns the mapping asks damaged() after each
// batch of reads and falls back to something else.
//
// Threads:    all members from any thread.
// Cost:       damaged() is one load, ordered after the reads before it.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::io {

enum class AccessPattern : uint8_t { kNormal, kRandom, kSequential, kWillNeed };

class Mapping {
 public:
  virtual ~Mapping() = default;
  virtual std::string_view bytes() const = 0;
  // A page could not be read since the mapping was made; some of bytes() are zeros that are not in
  // the file.
  virtual bool damaged() const = 0;
  // Hints to the kernel; never fails.
  virtual void Advise(AccessPattern pattern) const = 0;
  // The pages need not stay in this process's memory; they are read again when they are touched.
  virtual void Forget() const = 0;
  // How many of the mapping's bytes are in memory now (mincore). Cost: grows with the size.
  virtual uint64_t ResidentBytes() const = 0;
};

}  // namespace larder::io

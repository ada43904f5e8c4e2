// Reader: records by number and in order, also while another thread or process appends.
// Format: docs/formats/log.md
//
// Trusts nothing beyond the committed number of the control file; without one that is right it
// looks through the last segment itself.
//
// Threads:    all members from any thread.
// Errors:     kNotFound (never written, lost, or removed; the message says which numbers are
// there),
//             kCorrupt (segment, offset, number).
// Cost:       Read: two loads from a mapping and one checksum. A segment is mapped when it is first
//             read and stays so while one of its records is held, or it is among the last used.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file_system.h"

namespace larder::log {

class MappedSegment;

struct Record {
  uint64_t number = 0;
  std::string_view data;  // valid while `held` is
  std::shared_ptr<const MappedSegment> held;
};

class Reader {
 public:
  static Result<std::unique_ptr<Reader>> Open(io::FileSystem& files, const std::string& directory,
                                              const std::string& prefix);
  virtual ~Reader() = default;

  virtual Result<Record> Read(uint64_t number) = 0;
  // The first record whose number is not below `number`: kNotFound when there is none.
  virtual Result<Record> ReadFrom(uint64_t number) = 0;

  virtual uint64_t oldest() = 0;
  virtual uint64_t committed() = 0;
};

}  // namespace larder::log

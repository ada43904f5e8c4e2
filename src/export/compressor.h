// Compressor: text to a gzip member or a zstd frame, as a stream (isa-l, libzstd); the counterpart
// of base/compression.h.
//
// Threads: one at a time. Errors: kLimit (no memory), kInternal (what the library says).
// Cost:    some megabytes; about the speed of a fast disk.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "base/error.h"

namespace larder::exporter {

class Compressor {
 public:
  // kNone: what goes in comes out.
  static Result<std::unique_ptr<Compressor>> Create(Compression compression);
  virtual ~Compressor() = default;

  // Appends to `to` what is ready.
  virtual Result<void> Add(std::string_view text, std::string& to) = 0;
  // The rest, with the checksum. Once, at the end.
  virtual Result<void> Finish(std::string& to) = 0;
};

// Told by the end of the name: ".gz", ".zst".
Compression CompressionOfName(std::string_view path);

}  // namespace larder::exporter

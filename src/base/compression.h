// Decompressor: gzip and zstd streams, told apart by their first bytes (isa-l, libzstd).
//
// Bytes go in as they come and come out as they fit; nothing is kept but the format's own window.
// Several gzip members or zstd frames one after another are one stream, as their tools say. What
// follows the last one must be another one: trailing bytes are an error, and so is an end of the
// input inside a member or frame (Finish). Checksums and lengths are verified where the format has
// them (always in gzip; in zstd when the writer put one, as its tool does).
//
// Ownership:  borrows input and output for the time of a call.
// Threads:    one at a time.
// Errors:     kCorrupt (what is wrong), kUnsupported (a zstd window over 128 MiB), kLimit (memory).
// Cost:       memory: 64 KiB (gzip), the frame's window, at most 128 MiB (zstd).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"

namespace larder {

enum class Compression : uint8_t { kNone, kGzip, kZstd };

// How many of a file's first bytes DetectCompression wants to see (fewer when the file is shorter).
inline constexpr size_t kCompressionMagicBytes = 4;

Compression DetectCompression(std::string_view first_bytes);

// "plain", "gzip", "zstd".
std::string_view CompressionName(Compression compression);

class Decompressor {
 public:
  struct Progress {
    size_t consumed = 0;
    size_t produced = 0;
  };

  // For kGzip and kZstd only.
  static Result<std::unique_ptr<Decompressor>> Create(Compression compression);

  virtual ~Decompressor() = default;

  // Takes from `input` and fills `to`. Makes progress whenever there is input or pending output and
  // room for it; nothing produced and everything consumed means that more input is needed.
  virtual Result<Progress> Step(std::string_view input, char* to, size_t room) = 0;

  // At the end of the input, when Step produces nothing more: an error when a member or frame is
  // unfinished.
  virtual Result<void> Finish() const = 0;
};

}  // namespace larder

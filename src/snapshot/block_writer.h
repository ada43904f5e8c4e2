// BlockWriter: writes a Snapshot front to back in large pieces and sums its blocks as they pass, so
// that nothing is read again for the checksums.
//
// Ownership:  owns the file until Release.
// Threads:    one.
// Errors:     those of the file; after one, only destroy it.
// Cost:       one buffer, and 8 bytes for each 64 KiB of the file.
// Format:     docs/formats/snapshot.md, "Block checksums"
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file_system.h"

namespace larder::snapshot {

class BlockWriter {
 public:
  explicit BlockWriter(std::unique_ptr<io::WritableFile> file);

  Result<void> Append(std::string_view bytes);
  // Zeros up to the next multiple.
  Result<void> AlignTo(uint64_t alignment);
  // Hands everything to the file, so that a mapping shows it.
  Result<void> Flush();
  uint64_t size() const { return size_; }

  // Writes what is left and then the checksums of all blocks; returns the section that was written.
  // The position must be a multiple of 8. After it, only AppendUnsummed.
  Result<std::string_view> AppendChecksums();
  Result<void> AppendUnsummed(std::string_view bytes);
  std::unique_ptr<io::WritableFile> Release() { return std::move(file_); }

 private:
  Result<void> WriteBlocks(std::string_view blocks);
  void SumBlocks(std::string_view blocks);

  std::unique_ptr<io::WritableFile> file_;
  std::string buffer_;    // whole blocks, from a block's beginning on
  uint64_t written_ = 0;  // of buffer_, already handed to the file
  uint64_t size_ = 0;
  std::string checksums_;
};

}  // namespace larder::snapshot

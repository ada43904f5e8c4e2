// SourceStream: the text of a source file, from front to back, decompressed on the way.
//
// Ownership:  owns the open file: the inode it started with, whatever happens to the name.
// Threads:    one at a time; what is const from any thread.
// Errors:     kRefused when the file changed while it was read, kCorrupt when the compressed form
//             is damaged or cut off, kInvalidArgument for a directory or device.
// Cost:       one block of raw bytes when the file is compressed, none when it is plain.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/compression.h"
#include "base/error.h"
#include "io/file_system.h"

namespace larder::importer {

// Opens a regular file for reading from front to back.
Result<std::unique_ptr<io::ReadableFile>> OpenSource(io::FileSystem& files,
                                                     const std::string& path);

// kRefused unless `file` is as it was at `before`; the second form also when not all of it was
// read.
Result<void> RequireUnchanged(const io::ReadableFile& file, const io::FileInfo& before);
Result<void> RequireUnchanged(const io::ReadableFile& file, const io::FileInfo& before,
                              uint64_t bytes_read);

class SourceStream {
 public:
  static Result<std::unique_ptr<SourceStream>> Open(io::FileSystem& files, const std::string& path);

  // Fills `to` with text; returns how much, 0 only at the end. At the end the source has been
  // verified: whole, and the same file as at the start.
  Result<size_t> Read(char* to, size_t room);

  // For whoever found something wrong in the text: kRefused when the file has changed meanwhile,
  // which explains it better.
  Result<void> CheckUnchanged() const { return RequireUnchanged(*file_, before_); }

  const std::string& path() const { return file_->path(); }
  uint64_t raw_bytes() const { return before_.bytes; }
  uint64_t raw_bytes_read() const { return offset_.load(std::memory_order_relaxed); }
  uint64_t text_bytes_read() const { return text_bytes_.load(std::memory_order_relaxed); }
  // When the file was opened.
  int64_t mtime_ns() const { return before_.mtime_ns; }

 private:
  SourceStream(std::unique_ptr<io::ReadableFile> file, const io::FileInfo& before);
  Result<void> Prepare();
  Result<size_t> ReadRaw(char* to, size_t room);
  Result<size_t> ReadText(char* to, size_t room);
  Result<size_t> ReadCompressed(char* to, size_t room);
  Result<size_t> End() const;

  std::unique_ptr<io::ReadableFile> file_;
  io::FileInfo before_;
  std::atomic<uint64_t> offset_{0};
  std::atomic<uint64_t> text_bytes_{0};
  std::unique_ptr<Decompressor> decompressor_;
  std::unique_ptr<char[]> block_;  // raw bytes, when compressed
  size_t block_at_ = 0;
  size_t block_end_ = 0;
};

}  // namespace larder::importer

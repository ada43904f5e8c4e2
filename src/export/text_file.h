// TextFile: a file that gets its name when it is whole; compressed when its name ends in ".gz" or
// ".zst".
//
// Ownership:  owns a temporary beside the target and removes it unless it was published.
// Threads:    one at a time.
// Errors:     those of the file system, of the compressor; the target is then untouched.
// Durability: when Publish returns, the file is whole under its name and survives a power cut.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "export/compressor.h"
#include "io/file_system.h"

namespace larder::exporter {

class TextFile {
 public:
  static Result<std::unique_ptr<TextFile>> Create(io::FileSystem& files, std::string path);
  ~TextFile();
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  Result<void> Write(std::string_view text);
  // Once, last. Returns the bytes of the file.
  Result<uint64_t> Publish();

 private:
  TextFile(io::FileSystem& files, std::string path, std::unique_ptr<io::WritableFile> file,
           std::unique_ptr<Compressor> compressor)
      : files_(files),
        path_(std::move(path)),
        file_(std::move(file)),
        compressor_(std::move(compressor)) {}
  Result<void> WritePending(size_t at_least);

  io::FileSystem& files_;
  std::string path_;
  std::unique_ptr<io::WritableFile> file_;  // null once it was published
  std::unique_ptr<Compressor> compressor_;
  std::string pending_;
};

}  // namespace larder::exporter

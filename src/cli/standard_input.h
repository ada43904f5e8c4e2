// StandardInput: what is piped in, as a file, because a source is read more than once.
//
// Ownership:  owns a temporary beside the output (so on a disk that has room for such things) and
//             removes it.
// Threads:    one.
// Errors:     kInvalidArgument when nothing is piped in, kCancelled, those of reading and writing.
// Cost:       the piped bytes, on disk for a while.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "io/file_system.h"

namespace larder::cli {

// What stands for it on a command line, and in messages.
inline constexpr std::string_view kStandardInput = "-";
inline constexpr std::string_view kStandardInputName = "standard input";

class StandardInput {
 public:
  // Reads to the end.
  static Result<std::unique_ptr<StandardInput>> Spool(io::FileSystem& files,
                                                      const std::string& output);
  ~StandardInput();
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

  const std::string& path() const { return path_; }
  // A message about path() as one about standard input.
  std::string Renamed(std::string message) const;

 private:
  StandardInput(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  io::FileSystem& files_;
  const std::string path_;
};

}  // namespace larder::cli

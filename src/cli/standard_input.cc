#include "cli/standard_input.h"

#include <cerrno>
#include <cstdio>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/interrupt.h"

namespace larder::cli {

namespace {

constexpr size_t kBlockBytes = size_t{1} << 20;

// How many bytes, 0 at the end.
Result<size_t> ReadBlock(std::vector<char>& block) {
  const size_t bytes = std::fread(block.data(), 1, block.size(), stdin);
  if (Interrupt::requested()) return Fail(ErrorCode::kCancelled, "interrupted");
  if (bytes == 0 && std::ferror(stdin) != 0)
    return std::unexpected(ErrnoError(errno, "cannot read", kStandardInputName));
  return bytes;
}

}  // namespace

Result<std::unique_ptr<StandardInput>> StandardInput::Spool(io::FileSystem& files,
                                                            const std::string& output) {
  if (::isatty(STDIN_FILENO) == 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "standard input is a terminal: pipe records into it, or name a file");
  }
  std::unique_ptr<StandardInput> input(new StandardInput(
      files, fmt::format("{}.{}.input{}", output, ::getpid(), io::kTemporarySuffix)));
  LARDER_ASSIGN(const auto file, files.Create(input->path_));
  std::vector<char> block(kBlockBytes);
  for (;;) {
    LARDER_ASSIGN(const size_t bytes, ReadBlock(block));
    if (bytes == 0) break;
    LARDER_TRY(file->Write({block.data(), bytes}));
  }
  LARDER_TRY(file->Close());
  return input;
}

StandardInput::~StandardInput() { std::ignore = files_.Remove(path_); }

std::string StandardInput::Renamed(std::string message) const {
  for (size_t at = message.find(path_); at != std::string::npos; at = message.find(path_, at)) {
    message.replace(at, path_.size(), kStandardInputName);
    at += kStandardInputName.size();
  }
  return message;
}

}  // namespace larder::cli

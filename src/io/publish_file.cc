#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "io/file_system.h"

namespace larder::io {

namespace {

constexpr uint64_t kSmallestRead = 4096;

std::string DirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<void> SyncAndClose(WritableFile& file) {
  LARDER_TRY(file.Sync());
  return file.Close();
}

}  // namespace

Result<void> PublishFile(FileSystem& files, std::unique_ptr<WritableFile> file,
                         const std::string& path) {
  const std::string temporary = file->path();
  const std::string directory = DirectoryOf(path);
  if (DirectoryOf(temporary) != directory) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("publish {} as {}: not in the same directory", temporary, path));
  }
  Result<void> done = SyncAndClose(*file);
  if (done) done = files.Rename(temporary, path);
  if (!done) {
    file.reset();
    // What failed is told; the leftover, if it cannot be removed either, ends in kTemporarySuffix
    // and goes when its directory is opened next.
    std::ignore = files.Remove(temporary);
    return done;
  }
  return files.SyncDirectory(directory);
}

Result<void> PublishFile(FileSystem& files, std::string_view bytes, const std::string& path) {
  LARDER_ASSIGN(auto file, files.Create(path + std::string(kTemporarySuffix)));
  if (auto written = file->Write(bytes); !written) {
    const std::string temporary = file->path();
    file.reset();
    std::ignore = files.Remove(temporary);
    return written;
  }
  return PublishFile(files, std::move(file), path);
}

Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path, uint64_t max_bytes) {
  LARDER_ASSIGN(const auto file, files.OpenForRead(path));
  LARDER_ASSIGN(const FileInfo info, file->Info());
  // The size is a guess (of files in /proc it is 0, and a file may grow): what counts is how far
  // reading gets. One byte more than is allowed is asked for, to notice a file that is too large.
  std::string bytes;
  uint64_t wanted = std::max(info.bytes + 1, kSmallestRead);
  for (;;) {
    const uint64_t had = bytes.size();
    bytes.resize(std::min(wanted, max_bytes + 1));
    LARDER_ASSIGN(const size_t got, file->ReadAt(had, bytes.data() + had, bytes.size() - had));
    const bool ended = had + got < bytes.size();
    bytes.resize(had + got);
    if (bytes.size() > max_bytes) {
      return Fail(
          ErrorCode::kLimit,
          fmt::format("read {}: more than the {} bytes that are expected", path, max_bytes));
    }
    if (ended) return bytes;
    wanted *= 2;
  }
}

}  // namespace larder::io

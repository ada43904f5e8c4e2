#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "io/file_system.h"

namespace larder::io {

namespace {

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
  if (info.bytes > max_bytes) {
    return Fail(ErrorCode::kLimit, fmt::format("read {}: {} bytes, at most {} are expected", path,
                                               info.bytes, max_bytes));
  }
  // Asking for one byte more than the limit notices a file that has grown since.
  std::string bytes(max_bytes < info.bytes + 1 ? max_bytes + 1 : info.bytes + 1, '\0');
  LARDER_ASSIGN(const size_t got, file->ReadAt(0, bytes.data(), bytes.size()));
  if (got > max_bytes) {
    return Fail(
        ErrorCode::kLimit,
        fmt::format("read {}: grew beyond the {} bytes that are expected", path, max_bytes));
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace larder::io

#include "import/source_stream.h"

#include <array>
#include <string_view>
#include <utility>

namespace larder::importer {
namespace {

constexpr size_t kBlockBytes = size_t{256} << 10;

}  // namespace

Result<std::unique_ptr<io::ReadableFile>> OpenSource(io::FileSystem& files,
                                                     const std::string& path) {
  LARDER_ASSIGN(const io::FileInfo info, files.Stat(path));
  if (info.kind != io::FileKind::kRegular) {
    const char* what = info.kind == io::FileKind::kDirectory ? "a directory" : "not a regular file";
    return Fail(ErrorCode::kInvalidArgument, path + ": " + what + ", where a source is expected");
  }
  return files.OpenForRead(path);
}

Result<void> RequireUnchanged(const io::ReadableFile& file, const io::FileInfo& before) {
  LARDER_ASSIGN(const io::FileInfo after, file.Info());
  if (after == before) return {};
  return Fail(ErrorCode::kRefused, file.path() +
                                       ": the file changed while it was read; "
                                       "write a source under another name and rename it");
}

Result<void> RequireUnchanged(const io::ReadableFile& file, const io::FileInfo& before,
                              uint64_t bytes_read) {
  LARDER_TRY(RequireUnchanged(file, before));
  if (bytes_read == before.bytes) return {};
  return Fail(ErrorCode::kRefused, file.path() + ": the file says that it has " +
                                       std::to_string(before.bytes) + " bytes, but " +
                                       std::to_string(bytes_read) + " could be read");
}

SourceStream::SourceStream(std::unique_ptr<io::ReadableFile> file, const io::FileInfo& before)
    : file_(std::move(file)), before_(before) {}

Result<std::unique_ptr<SourceStream>> SourceStream::Open(io::FileSystem& files,
                                                         const std::string& path) {
  LARDER_ASSIGN(auto file, OpenSource(files, path));
  LARDER_ASSIGN(const io::FileInfo before, file->Info());
  file->AdviseSequential();
  std::unique_ptr<SourceStream> stream(new SourceStream(std::move(file), before));
  LARDER_TRY(stream->Prepare());
  return stream;
}

Result<void> SourceStream::Prepare() {
  std::array<char, kCompressionMagicBytes> magic{};
  LARDER_ASSIGN(const size_t got, file_->ReadAt(0, magic.data(), magic.size()));
  const Compression compression = DetectCompression({magic.data(), got});
  if (compression == Compression::kNone) return {};
  LARDER_ASSIGN(decompressor_, Decompressor::Create(compression));
  block_ = std::make_unique_for_overwrite<char[]>(kBlockBytes);
  return {};
}

Result<size_t> SourceStream::ReadRaw(char* to, size_t room) {
  const uint64_t at = offset_.load(std::memory_order_relaxed);
  LARDER_ASSIGN(const size_t got, file_->ReadAt(at, to, room));
  offset_.store(at + got, std::memory_order_relaxed);
  return got;
}

Result<size_t> SourceStream::Read(char* to, size_t room) {
  LARDER_ASSIGN(const size_t got, ReadText(to, room));
  text_bytes_.store(text_bytes_read() + got, std::memory_order_relaxed);
  return got;
}

Result<size_t> SourceStream::ReadText(char* to, size_t room) {
  if (decompressor_ != nullptr) return ReadCompressed(to, room);
  LARDER_ASSIGN(const size_t got, ReadRaw(to, room));
  return got > 0 ? got : End();
}

Result<size_t> SourceStream::ReadCompressed(char* to, size_t room) {
  for (;;) {
    const std::string_view input(block_.get() + block_at_, block_end_ - block_at_);
    const auto progress = decompressor_->Step(input, to, room);
    if (!progress) {
      // What was being written while it was read is better called so than damaged.
      LARDER_TRY(CheckUnchanged());
      return std::unexpected(progress.error().Within(path()));
    }
    block_at_ += progress->consumed;
    if (progress->produced > 0) return progress->produced;
    if (progress->consumed > 0) continue;
    LARDER_ASSIGN(const size_t got, ReadRaw(block_.get(), kBlockBytes));
    block_at_ = 0;
    block_end_ = got;
    if (got == 0) return End();
  }
}

Result<size_t> SourceStream::End() const {
  LARDER_TRY(RequireUnchanged(*file_, before_, raw_bytes_read()));
  if (decompressor_ == nullptr) return 0;
  if (auto finished = decompressor_->Finish(); !finished) {
    return std::unexpected(finished.error().Within(path()));
  }
  return 0;
}

}  // namespace larder::importer

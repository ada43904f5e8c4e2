#include "export/text_file.h"

#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace larder::exporter {

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

}  // namespace

Result<std::unique_ptr<TextFile>> TextFile::Create(io::FileSystem& files, std::string path) {
  LARDER_ASSIGN(auto compressor, Compressor::Create(CompressionOfName(path)));
  // Two processes that write the same file do not write into each other's.
  LARDER_ASSIGN(auto file,
                files.Create(fmt::format("{}.{}{}", path, ::getpid(), io::kTemporarySuffix)));
  return std::unique_ptr<TextFile>(
      new TextFile(files, std::move(path), std::move(file), std::move(compressor)));
}

TextFile::~TextFile() {
  if (file_ == nullptr) return;
  const std::string temporary = file_->path();
  file_.reset();
  std::ignore = files_.Remove(temporary);
}

Result<void> TextFile::Write(std::string_view text) {
  LARDER_TRY(compressor_->Add(text, pending_));
  return WritePending(kPieceBytes);
}

Result<void> TextFile::WritePending(size_t at_least) {
  if (pending_.size() < at_least) return {};
  LARDER_TRY(file_->Write(pending_));
  pending_.clear();
  return {};
}

Result<uint64_t> TextFile::Publish() {
  LARDER_TRY(compressor_->Finish(pending_));
  LARDER_TRY(WritePending(1));
  const uint64_t bytes = file_->size();
  LARDER_TRY(io::PublishFile(files_, std::move(file_), path_));
  return bytes;
}

}  // namespace larder::exporter

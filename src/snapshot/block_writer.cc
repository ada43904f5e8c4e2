#include "snapshot/block_writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "snapshot/format.h"

namespace larder::snapshot {
namespace {

// Large enough that a write's own cost vanishes, small enough to stay in a core's cache.
constexpr uint64_t kBufferBytes = 8 * kBlockBytes;
// So much at once is written from where it is.
constexpr uint64_t kDirectBytes = 2 * kBlockBytes;

}  // namespace

BlockWriter::BlockWriter(std::unique_ptr<io::WritableFile> file) : file_(std::move(file)) {
  buffer_.reserve(kBufferBytes);
}

Result<void> BlockWriter::Append(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (buffer_.empty() && bytes.size() >= kDirectBytes) {
      const uint64_t whole = bytes.size() / kBlockBytes * kBlockBytes;
      const std::string_view blocks = bytes.substr(0, std::min(whole, kBufferBytes));
      LARDER_TRY(WriteBlocks(blocks));
      bytes.remove_prefix(blocks.size());
      continue;
    }
    // Much is not copied: only the block that was begun is completed.
    const uint64_t full =
        bytes.size() >= kDirectBytes ? AlignUp(buffer_.size(), kBlockBytes) : kBufferBytes;
    const size_t piece = std::min<size_t>(bytes.size(), full - buffer_.size());
    buffer_.append(bytes.substr(0, piece));
    bytes.remove_prefix(piece);
    if (buffer_.size() < full) continue;
    LARDER_TRY(Flush());
    SumBlocks(buffer_);
    buffer_.clear();
    written_ = 0;
  }
  return {};
}

Result<void> BlockWriter::WriteBlocks(std::string_view blocks) {
  LARDER_TRY(file_->Write(blocks));
  SumBlocks(blocks);
  return {};
}

Result<void> BlockWriter::AlignTo(uint64_t alignment) {
  const std::string zeros(AlignUp(size_, alignment) - size_, '\0');
  return Append(zeros);
}

Result<void> BlockWriter::Flush() {
  if (written_ == buffer_.size()) return {};
  LARDER_TRY(file_->Write(std::string_view(buffer_).substr(written_)));
  written_ = buffer_.size();
  return {};
}

void BlockWriter::SumBlocks(std::string_view blocks) {
  for (uint64_t at = 0; at < blocks.size(); at += kBlockBytes) {
    AppendLe(checksums_, Checksum64(blocks.substr(at, kBlockBytes)));
  }
}

Result<std::string_view> BlockWriter::AppendChecksums() {
  LARDER_TRY(Flush());
  SumBlocks(buffer_);
  buffer_.clear();
  written_ = 0;
  LARDER_TRY(AppendUnsummed(checksums_));
  return std::string_view(checksums_);
}

Result<void> BlockWriter::AppendUnsummed(std::string_view bytes) {
  size_ += bytes.size();
  return file_->Write(bytes);
}

}  // namespace larder::snapshot

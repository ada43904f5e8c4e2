#include "import/line_chunks.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace larder::importer {

Result<void> LineChunk::Reserve(size_t capacity, const std::string& path) {
  if (capacity <= capacity_) return {};
  std::unique_ptr<char[]> larger(new (std::nothrow) char[capacity + kChunkPadding]);
  if (larger == nullptr) {
    return Fail(ErrorCode::kLimit,
                path + ": no memory for a line of more than " + std::to_string(size_) + " bytes");
  }
  if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
  bytes_ = std::move(larger);
  capacity_ = capacity;
  return {};
}

void LineChunk::Finish(size_t size) {
  size_ = size;
  std::memset(bytes_.get() + size, '\n', kChunkPadding);
}

Result<void> LineChunk::AddLine(std::string_view line, const std::string& path) {
  const size_t wanted = size_ + line.size() + 1;
  if (wanted > capacity_) LARDER_TRY(Reserve(std::max(wanted, 2 * capacity_), path));
  if (!line.empty()) std::memcpy(bytes_.get() + size_, line.data(), line.size());
  Finish(wanted);
  bytes_[wanted - 1] = '\n';
  return {};
}

LineChunkReader::LineChunkReader(SourceStream& stream, size_t chunk_bytes, uint64_t max_line_bytes)
    : stream_(stream),
      chunk_bytes_(std::max<size_t>(chunk_bytes, 1)),
      max_line_bytes_(max_line_bytes) {}

Result<void> LineChunkReader::Next(LineChunk& chunk) {
  // A chunk that grew for one long line does not keep that size for ever.
  if (chunk.capacity_ > 4 * chunk_bytes_) chunk = LineChunk();
  chunk.size_ = 0;
  LARDER_TRY(chunk.Reserve(std::max(chunk_bytes_, carried_.size()), stream_.path()));
  std::copy(carried_.begin(), carried_.end(), chunk.bytes_.get());
  chunk.size_ = carried_.size();
  carried_.clear();
  size_t searched = 0;  // no newline before this
  for (;;) {
    while (chunk.size_ < chunk.capacity_) {
      LARDER_ASSIGN(const size_t got,
                    stream_.Read(chunk.bytes_.get() + chunk.size_, chunk.capacity_ - chunk.size_));
      if (got == 0) {
        chunk.Finish(chunk.size_);
        return {};
      }
      chunk.size_ += got;
    }
    if (FinishAtNewline(chunk, searched)) return {};
    // Two more than the limit: the line's own end may be "\r\n".
    if (chunk.size_ > max_line_bytes_ + 2) {
      chunk.Finish(chunk.size_);
      return {};
    }
    searched = chunk.size_;
    const uint64_t most = max_line_bytes_ + 3;  // enough to see that a line is too long
    LARDER_TRY(chunk.Reserve(std::min<uint64_t>(chunk.capacity_ * 2, most), stream_.path()));
  }
}

bool LineChunkReader::FinishAtNewline(LineChunk& chunk, size_t searched) {
  const auto* newline = static_cast<const char*>(
      memrchr(chunk.bytes_.get() + searched, '\n', chunk.size_ - searched));
  if (newline == nullptr) return false;
  const auto size = static_cast<size_t>(newline + 1 - chunk.bytes_.get());
  carried_.assign(newline + 1, chunk.size_ - size);
  chunk.Finish(size);
  return true;
}

}  // namespace larder::importer

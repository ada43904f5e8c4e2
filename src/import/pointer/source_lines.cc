#include "import/pointer/source_lines.h"

#include <utility>

#include <fmt/format.h>

namespace larder::importer {
namespace {

constexpr size_t kChunkOfLinesBytes = size_t{256} << 10;

}  // namespace

SourceLines::SourceLines(std::unique_ptr<SourceStream> stream, uint64_t max_line_bytes)
    : stream_(std::move(stream)),
      max_line_bytes_(max_line_bytes),
      reader_(*stream_, kChunkOfLinesBytes, max_line_bytes) {}

Result<std::unique_ptr<SourceLines>> SourceLines::Open(io::FileSystem& files,
                                                       const std::string& path,
                                                       uint64_t max_line_bytes) {
  LARDER_ASSIGN(auto stream, SourceStream::Open(files, path));
  return std::unique_ptr<SourceLines>(new SourceLines(std::move(stream), max_line_bytes));
}

Result<bool> SourceLines::Next(SourceLine& line) {
  if (rest_.empty()) {
    LARDER_TRY(reader_.Next(chunk_));
    rest_ = chunk_.text();
    if (rest_.empty()) return false;
  }
  const size_t newline = rest_.find('\n');
  line.has_newline = newline != std::string_view::npos;
  line.text = rest_.substr(0, newline);
  line.number = ++lines_;
  line.offset = offset_;
  const size_t taken = line.text.size() + (line.has_newline ? 1 : 0);
  rest_.remove_prefix(taken);
  offset_ += taken;
  if (line.text.size() <= max_line_bytes_) return true;
  return Fail(ErrorCode::kLimit, fmt::format("{}:{}: the line is longer than {} bytes",
                                             stream_->path(), line.number, max_line_bytes_));
}

}  // namespace larder::importer

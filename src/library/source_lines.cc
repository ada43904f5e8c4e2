#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "larder/importer.h"

namespace larder {

namespace {

constexpr size_t kReadBytes = size_t{256} << 10;
// A key, a value and what a format may write around them.
constexpr size_t kMaxLineBytes = kMaxStringBytes + kMaxKeyBytes + kReadBytes;

}  // namespace

std::optional<std::string_view> SourceLines::Next() {
  size_t searched = begin_;
  size_t end = held_.find('\n', searched);
  while (end == std::string::npos) {
    searched = held_.size() - begin_;
    if (!ReadMore()) return std::nullopt;
    // What was held has moved to the front.
    end = at_end_ ? held_.size() : held_.find('\n', searched);
    if (at_end_ && begin_ == end) return std::nullopt;
  }
  std::string_view line = std::string_view(held_).substr(begin_, end - begin_);
  begin_ = end == held_.size() ? end : end + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++number_;
  return line;
}

// False when nothing comes after what was returned before, or at an error.
bool SourceLines::ReadMore() {
  if (at_end_ || !status_) return false;
  held_.erase(0, begin_);
  begin_ = 0;
  const size_t have = held_.size();
  if (have > kMaxLineBytes) {
    status_ = Fail(ErrorCode::kLimit,
                   fmt::format("{}:{}: a line of more than {} bytes, which no record needs",
                               text_.path(), number_ + 1, kMaxLineBytes));
    return false;
  }
  held_.resize(have + kReadBytes);
  const Result<size_t> bytes = text_.Read(held_.data() + have, kReadBytes);
  held_.resize(have + bytes.value_or(0));
  if (!bytes) {
    status_ = std::unexpected(bytes.error());
    return false;
  }
  at_end_ = *bytes == 0;
  return true;
}

std::unexpected<Error> SourceLines::Bad(std::string_view reason) const {
  return Fail(ErrorCode::kCorrupt, fmt::format("{}:{}: {}", text_.path(), number_, reason));
}

}  // namespace larder

#include "import/json/document_text.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace larder::importer {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A buffer that grew for one long record does not keep that size for ever.
constexpr size_t kKeptBlocks = 4;

}  // namespace

DocumentText::DocumentText(SourceStream& stream, size_t block_bytes, uint64_t max_kept_bytes)
    : stream_(stream),
      block_bytes_(std::max(block_bytes, kByteOrderMark.size() + 1)),
      max_kept_bytes_(max_kept_bytes),
      buffer_(block_bytes_ + 1) {
  at_ = end_ = mark_ = buffer_.data();
  counted_ = at_;
}

void DocumentText::Start() {
  // Sources may hand out a few bytes at a time; a mark of three must be seen whole.
  while (!ended_ && end_ - buffer_.data() < static_cast<std::ptrdiff_t>(kByteOrderMark.size())) {
    at_ = end_;
    Refill();
    at_ = mark_;
  }
  if (std::string_view(at_, static_cast<size_t>(end_ - at_)).starts_with(kByteOrderMark)) {
    at_ += kByteOrderMark.size();
    line_offset_ = kByteOrderMark.size();
    counted_ = at_;
    mark_ = at_;
    if (at_ == end_) Refill();
  }
}

void DocumentText::ShowFirst(std::string_view prefix) {
  at_behind_prefix_ = at_;
  end_behind_prefix_ = end_;
  prefix_.assign(prefix.begin(), prefix.end());
  at_ = prefix_.data();
  end_ = at_ + prefix_.size();
  in_prefix_ = true;
}

void DocumentText::Refill() {
  if (in_prefix_) {
    at_ = at_behind_prefix_;
    end_ = end_behind_prefix_;
    in_prefix_ = false;
    return;
  }
  at_ = end_;
  if (ended_) return;
  MakeRoom();
  if (ended_) return;
  const auto used = static_cast<size_t>(end_ - buffer_.data());
  auto got = stream_.Read(end_, buffer_.size() - 1 - used);
  if (!got) error_ = std::move(got).error();
  if (!got || *got == 0) {
    End();
    return;
  }
  end_ += *got;
  *end_ = '\0';
}

// Forgets what stands before the mark, and grows the buffer when what is kept fills half of it.
void DocumentText::MakeRoom() {
  const auto kept = static_cast<size_t>(end_ - mark_);
  if (kept > max_kept_bytes_) {
    error_ = Error(ErrorCode::kLimit,
                   "a record is longer than " + std::to_string(max_kept_bytes_) + " bytes");
    End();
    return;
  }
  CountLinesTo(mark_);
  const auto counted = counted_ - mark_;  // may be ahead of the mark
  const uint64_t start_offset = Offset(mark_);
  const size_t wanted = std::max(block_bytes_, 2 * kept) + 1;
  if (wanted > buffer_.size() || buffer_.size() > kKeptBlocks * wanted) {
    if (!Resize(wanted, kept)) return;
  } else {
    std::memmove(buffer_.data(), mark_, kept);
  }
  start_offset_ = start_offset;
  mark_ = buffer_.data();
  counted_ = mark_ + counted;
  at_ = end_ = mark_ + kept;
  *end_ = '\0';
}

bool DocumentText::Resize(size_t bytes, size_t kept) {
  try {
    std::vector<char> other(bytes);
    std::copy_n(mark_, kept, other.begin());
    buffer_ = std::move(other);
  } catch (const std::bad_alloc&) {
    error_ = Error(ErrorCode::kLimit,
                   "no memory for a record of more than " + std::to_string(kept) + " bytes");
    End();
    return false;
  }
  return true;
}

void DocumentText::End() {
  ended_ = true;
  *end_ = '\0';
}

void DocumentText::CountLinesTo(const char* at) {
  while (counted_ < at) {
    const auto* newline =
        static_cast<const char*>(std::memchr(counted_, '\n', static_cast<size_t>(at - counted_)));
    if (newline == nullptr) {
      counted_ = at;
      return;
    }
    counted_ = newline + 1;
    ++line_;
    line_offset_ = Offset(counted_);
  }
}

LinePosition DocumentText::MarkPosition() { return PositionOf(Offset(mark_)); }

LinePosition DocumentText::PositionOf(size_t offset) {
  const char* const end = in_prefix_ ? end_behind_prefix_ : end_;
  CountLinesTo(std::min<const char*>(buffer_.data() + (offset - start_offset_), end));
  return {line_, offset >= line_offset_ ? offset - line_offset_ + 1 : 1};
}

void DocumentText::JoinKeptLines() {
  CountLinesTo(at_);
  std::replace(mark_, at_, '\n', ' ');
}

}  // namespace larder::importer

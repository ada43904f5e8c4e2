#include "protocol/resp/reply.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

namespace larder::resp {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// Sent bytes are dropped from the front when there are this many and they are the larger half.
constexpr size_t kCompactMin = size_t{64} << 10;

// "%.17g" of the largest double, sign, point and exponent: 24 characters.
constexpr size_t kDoubleChars = 32;

char* PutLineEnd(char* to) {
  to[0] = '\r';
  to[1] = '\n';
  return to + 2;
}

}  // namespace

void ReplyBuffer::AppendBorrowed(std::string_view bytes, Keepalive keepalive,
                                 IsDamaged is_damaged) {
  if (bytes.size() < kBorrowMin) {
    Append(bytes);
    return;
  }
  borrowed_.push_back({copied_.size(), bytes, std::move(keepalive), is_damaged});
  borrowed_bytes_ += bytes.size();
}

bool ReplyBuffer::damaged(size_t pieces) const {
  const size_t end = std::min(borrowed_.size(), first_borrowed_ + pieces);
  for (size_t i = first_borrowed_; i < end; ++i) {
    if (borrowed_[i].is_damaged(borrowed_[i].keepalive.get())) return true;
  }
  return false;
}

void ReplyBuffer::TruncateTo(Mark mark) {
  while (borrowed_.size() > mark.borrowed) {
    borrowed_bytes_ -= borrowed_.back().bytes.size();
    borrowed_.pop_back();
  }
  copied_.resize(mark.copied);
}

size_t ReplyBuffer::Pieces(iovec* to, size_t max) const {
  size_t pieces = 0;
  const auto add = [&](const char* data, size_t bytes) {
    if (bytes == 0 || pieces == max) return;
    to[pieces].iov_base = const_cast<char*>(data);  // writev only reads
    to[pieces].iov_len = bytes;
    ++pieces;
  };
  size_t copied = sent_copied_;
  for (size_t i = first_borrowed_; i < borrowed_.size() && pieces < max; ++i) {
    add(copied_.data() + copied, borrowed_[i].at - copied);
    copied = borrowed_[i].at;
    add(borrowed_[i].bytes.data(), borrowed_[i].bytes.size());
  }
  add(copied_.data() + copied, copied_.size() - copied);
  return pieces;
}

void ReplyBuffer::Consume(size_t bytes) {
  while (first_borrowed_ < borrowed_.size()) {
    Borrowed& next = borrowed_[first_borrowed_];
    const size_t before = std::min(bytes, next.at - sent_copied_);
    sent_copied_ += before;
    bytes -= before;
    const size_t of_it = sent_copied_ == next.at ? std::min(bytes, next.bytes.size()) : 0;
    next.bytes.remove_prefix(of_it);
    borrowed_bytes_ -= of_it;
    bytes -= of_it;
    if (sent_copied_ < next.at || !next.bytes.empty()) break;
    next.keepalive.reset();
    ++first_borrowed_;
  }
  sent_copied_ += bytes;
  if (empty()) {
    Clear();
  } else if (sent_copied_ >= kCompactMin && sent_copied_ * 2 >= copied_.size()) {
    Compact();
  }
}

// A client that reads on but never catches up would otherwise let the sent bytes grow for ever.
void ReplyBuffer::Compact() {
  copied_.erase(0, sent_copied_);
  borrowed_.erase(borrowed_.begin(), borrowed_.begin() + static_cast<ptrdiff_t>(first_borrowed_));
  for (Borrowed& borrowed : borrowed_) borrowed.at -= sent_copied_;
  sent_copied_ = 0;
  first_borrowed_ = 0;
}

void ReplyBuffer::Clear() {
  copied_.clear();
  borrowed_.clear();
  sent_copied_ = 0;
  first_borrowed_ = 0;
  borrowed_bytes_ = 0;
}

void ReplyBuffer::ShrinkTo(size_t bytes) {
  if (!empty() || copied_.capacity() <= bytes) return;
  std::string smaller;
  smaller.reserve(bytes);
  copied_.swap(smaller);
}

std::string ReplyBuffer::ToString() const {
  std::string all;
  all.reserve(size());
  size_t copied = sent_copied_;
  for (size_t i = first_borrowed_; i < borrowed_.size(); ++i) {
    all.append(copied_, copied, borrowed_[i].at - copied);
    copied = borrowed_[i].at;
    all.append(borrowed_[i].bytes);
  }
  all.append(copied_, copied);
  return all;
}

void ReplyWriter::Simple(std::string_view text) {
  char* to = buffer_.Extend(text.size() + 3);
  *to++ = '+';
  std::memcpy(to, text.data(), text.size());
  PutLineEnd(to + text.size());
}

// Line ends would break the protocol: Redis drops them at the end and makes spaces of the others.
void ReplyWriter::Error(std::string_view text) {
  ++errors_;
  if (listener_ != nullptr) listener_->OnError(text);
  while (!text.empty() && kLineEnd.contains(text.back())) text.remove_suffix(1);
  char* to = buffer_.Extend(text.size() + 3);
  *to++ = '-';
  for (const char c : text) *to++ = kLineEnd.contains(c) ? ' ' : c;
  PutLineEnd(to);
}

void ReplyWriter::Head(char type, int64_t number) {
  std::array<char, 24> head;
  head[0] = type;
  char* const end = std::to_chars(head.data() + 1, head.data() + head.size() - 2, number).ptr;
  buffer_.Append({head.data(), PutLineEnd(end)});
}

void ReplyWriter::Integer(int64_t value) { Head(':', value); }

void ReplyWriter::Bulk(std::string_view bytes) {
  Head('$', static_cast<int64_t>(bytes.size()));
  char* to = buffer_.Extend(bytes.size() + kLineEnd.size());
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  PutLineEnd(to + bytes.size());
}

void ReplyWriter::Null() { Raw(protocol_ == 2 ? "$-1\r\n" : "_\r\n"); }
void ReplyWriter::NullArray() { Raw(protocol_ == 2 ? "*-1\r\n" : "_\r\n"); }
void ReplyWriter::Array(uint64_t count) { Head('*', static_cast<int64_t>(count)); }

void ReplyWriter::Map(uint64_t pairs) {
  if (protocol_ == 2) return Array(pairs * 2);
  Head('%', static_cast<int64_t>(pairs));
}

void ReplyWriter::Set(uint64_t count) {
  Head(protocol_ == 2 ? '*' : '~', static_cast<int64_t>(count));
}

void ReplyWriter::Push(uint64_t count) { Head('>', static_cast<int64_t>(count)); }

void ReplyWriter::Double(double value) {
  std::array<char, kDoubleChars> text;
  char* end = nullptr;
  if (std::isinf(value)) {
    const std::string_view infinity = value > 0 ? "inf" : "-inf";
    end = std::copy(infinity.begin(), infinity.end(), text.data());
  } else {
    end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 17)
            .ptr;
  }
  const std::string_view number(text.data(), end);
  if (protocol_ == 2) return Bulk(number);
  buffer_.Append(',');
  buffer_.Append(number);
  buffer_.Append(kLineEnd);
}

void ReplyWriter::Boolean(bool value) {
  if (protocol_ == 2) return Integer(value ? 1 : 0);
  Raw(value ? "#t\r\n" : "#f\r\n");
}

void ReplyWriter::Verbatim(std::string_view format, std::string_view text) {
  if (protocol_ == 2) return Bulk(text);
  std::array<char, 4> prefix = {' ', ' ', ' ', ':'};
  std::copy_n(format.begin(), std::min<size_t>(format.size(), 3), prefix.begin());
  Head('=', static_cast<int64_t>(text.size() + prefix.size()));
  buffer_.Append({prefix.data(), prefix.size()});
  buffer_.Append(text);
  buffer_.Append(kLineEnd);
}

void ReplyWriter::BigNumber(std::string_view digits) {
  if (protocol_ == 2) return Bulk(digits);
  buffer_.Append('(');
  buffer_.Append(digits);
  buffer_.Append(kLineEnd);
}

}  // namespace larder::resp

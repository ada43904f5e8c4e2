#include "cli/reply_reader.h"

#include <charconv>
#include <optional>

namespace larder::cli {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}

  ReplyOutcome Read(Reply& reply, int depth);
  size_t position() const { return position_; }

 private:
  ReplyOutcome ReadBulk(int64_t bytes, Reply& reply);
  ReplyOutcome ReadArray(int64_t count, Reply& reply, int depth);

  std::string_view data_;
  size_t position_ = 0;
};

std::optional<int64_t> ParseNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

ReplyOutcome Reader::Read(Reply& reply, int depth) {
  const size_t end = data_.find(kLineEnd, position_);
  if (end == std::string_view::npos) return ReplyOutcome::kIncomplete;
  const std::string_view line = data_.substr(position_, end - position_);
  position_ = end + kLineEnd.size();
  if (line.empty()) return ReplyOutcome::kMalformed;
  const std::string_view rest = line.substr(1);
  if (line[0] == '+' || line[0] == '-') {
    reply.kind = line[0] == '+' ? Reply::Kind::kSimple : Reply::Kind::kError;
    reply.text = rest;
    return ReplyOutcome::kReply;
  }
  const std::optional<int64_t> number = ParseNumber(rest);
  if (!number) return ReplyOutcome::kMalformed;
  switch (line[0]) {
    case ':':
      reply.kind = Reply::Kind::kInteger;
      reply.integer = *number;
      return ReplyOutcome::kReply;
    case '$':
      return ReadBulk(*number, reply);
    case '*':
      return ReadArray(*number, reply, depth);
    default:
      return ReplyOutcome::kMalformed;
  }
}

ReplyOutcome Reader::ReadBulk(int64_t bytes, Reply& reply) {
  reply.kind = bytes == -1 ? Reply::Kind::kNull : Reply::Kind::kBulk;
  if (bytes < 0) return bytes == -1 ? ReplyOutcome::kReply : ReplyOutcome::kMalformed;
  const auto wanted = static_cast<uint64_t>(bytes);
  const std::string_view rest = data_.substr(position_);
  if (rest.size() < kLineEnd.size() || rest.size() - kLineEnd.size() < wanted)
    return ReplyOutcome::kIncomplete;
  if (rest.substr(wanted, kLineEnd.size()) != kLineEnd) return ReplyOutcome::kMalformed;
  reply.text = rest.substr(0, wanted);
  position_ += wanted + kLineEnd.size();
  return ReplyOutcome::kReply;
}

ReplyOutcome Reader::ReadArray(int64_t count, Reply& reply, int depth) {
  reply.kind = count == -1 ? Reply::Kind::kNull : Reply::Kind::kArray;
  if (count < 0) return count == -1 ? ReplyOutcome::kReply : ReplyOutcome::kMalformed;
  if (depth == kMaxReplyDepth) return ReplyOutcome::kMalformed;
  // Not reserved: the count is only a claim until the elements have come.
  for (int64_t i = 0; i < count; ++i) {
    const ReplyOutcome outcome = Read(reply.elements.emplace_back(), depth + 1);
    if (outcome != ReplyOutcome::kReply) return outcome;
  }
  return ReplyOutcome::kReply;
}

}  // namespace

const Reply* Reply::Field(std::string_view name) const {
  for (size_t i = 0; i + 1 < elements.size(); i += 2) {
    if (elements[i].text == name) return &elements[i + 1];
  }
  return nullptr;
}

ReplyOutcome ReadReply(std::string_view data, Reply& reply, size_t& consumed) {
  reply = Reply();
  Reader reader(data);
  const ReplyOutcome outcome = reader.Read(reply, 0);
  consumed = reader.position();
  return outcome;
}

}  // namespace larder::cli

#include "protocol/resp/request_parser.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace larder::resp {
namespace {

// Redis searches the end of a head with strchr, which stops at a zero byte: a head with one never
// ends, and is refused when it has grown past the limit.
constexpr char kZero = '\0';

// The bytes of a bulk behind its text: CR LF, which Redis skips without a look.
constexpr uint64_t kBulkTail = 2;

// The number of a head like "$17\r\n" at `at`: one or two digits, as nearly every head has.
// Returns the length of the head with its line end, 0 when the head is another or not whole.
inline uint64_t ReadShortHead(const char* at, uint64_t available, uint64_t& number) {
  if (available < 5) return 0;
  const unsigned first = static_cast<unsigned char>(at[1]) - unsigned{'0'};
  if (at[2] == '\r') {
    number = first;
    return first <= 9 ? 4 : 0;
  }
  const unsigned second = static_cast<unsigned char>(at[2]) - unsigned{'0'};
  if (at[3] != '\r' || first - 1 > 8 || second > 9) return 0;
  number = first * 10 + second;
  return 5;
}

// Redis's string2ll: no sign but '-', no leading zeros, no spaces, in the range of int64.
bool ReadInteger(std::string_view text, int64_t& number) {
  if (text == "0") {
    number = 0;
    return true;
  }
  const size_t digits = text.starts_with('-') ? 1 : 0;
  if (text.size() <= digits || text[digits] < '1' || text[digits] > '9') return false;
  const char* const end = text.begin() + text.size();
  const auto [stop, error] = std::from_chars(text.begin(), end, number);
  return error == std::errc() && stop == end;
}

// isspace in the C locale.
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// What ends an argument outside quotes (fewer than IsSpace: Redis's sdssplitargs is like that).
bool EndsArgument(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsQuote(char c) { return c == '"' || c == '\''; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char Unescape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Reads the escape after a backslash in double quotes, at line[at]; returns what it took.
size_t ReadEscape(std::string_view line, size_t at, std::string& to) {
  if (line[at] == 'x' && at + 2 < line.size()) {
    const int high = HexDigit(line[at + 1]);
    const int low = HexDigit(line[at + 2]);
    if (high >= 0 && low >= 0) {
      to.push_back(static_cast<char>(high * 16 + low));
      return 3;
    }
  }
  to.push_back(Unescape(line[at]));
  return 1;
}

// Reads on behind an opening quote at line[at - 1]. False when the closing quote is missing or
// something other than a space follows it; otherwise `at` is behind the closing quote.
bool ReadQuoted(std::string_view line, size_t& at, char quote, std::string& to) {
  while (at < line.size()) {
    const char c = line[at++];
    if (c == quote) return at == line.size() || IsSpace(line[at]);
    const bool more = at < line.size();
    if (c == '\\' && quote == '"' && more) {
      at += ReadEscape(line, at, to);
    } else if (c == '\\' && quote == '\'' && more && line[at] == '\'') {
      to.push_back(line[at++]);
    } else {
      to.push_back(c);
    }
  }
  return false;
}

}  // namespace

std::string_view GuessKey(std::string_view data) {
  const char* at = data.data();
  const char* const end = at + data.size();
  const auto left = [&] { return static_cast<uint64_t>(end - at); };
  uint64_t number = 0;
  const uint64_t count_head = left() > 0 && *at == '*' ? ReadShortHead(at, left(), number) : 0;
  if (count_head == 0 || number < 2) return {};
  at += count_head;
  for (int bulk = 0; bulk < 2; ++bulk) {
    const uint64_t head = left() > 0 && *at == '$' ? ReadShortHead(at, left(), number) : 0;
    if (head == 0 || left() < head + number + kBulkTail) return {};
    if (bulk == 1) return {at + head, number};
    at += head + number + kBulkTail;
  }
  return {};
}

ParseOutcome RequestParser::Next(std::string_view data, Arguments& args) {
  consumed_ = 0;
  if (!error_.empty()) return ParseOutcome::kMalformed;
  if (data.empty()) return Incomplete(1);
  if (data.front() == '*') return NextMultibulk(data, args);
  return NextInline(data, args);
}

void RequestParser::Reset() {
  if (!unquoted_.empty()) unquoted_.clear();
}

ParseOutcome RequestParser::NextInline(std::string_view data, Arguments& args) {
  uint64_t newline = 0;
  switch (FindHeadEnd(data, '\n', newline)) {
    case Head::kTooLong:
      return Malformed("ERR Protocol error: too big inline request");
    case Head::kUnfinished:
      return Incomplete(data.size() + 1);
    case Head::kRead:
      break;
  }
  std::string_view line = data.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const size_t before = args.size();
  if (!SplitInline(line, args)) {
    args.resize(before);
    return Malformed("ERR Protocol error: unbalanced quotes in request");
  }
  const bool empty = args.size() == before;
  return Finish(empty ? ParseOutcome::kNothing : ParseOutcome::kRequest, newline + 1);
}

// Redis's sdssplitargs. False: unbalanced quotes.
bool RequestParser::SplitInline(std::string_view line, Arguments& args) {
  size_t at = 0;
  while (true) {
    while (at < line.size() && IsSpace(line[at])) ++at;
    if (at == line.size()) return true;
    const size_t start = at;
    while (at < line.size() && !EndsArgument(line[at]) && !IsQuote(line[at])) ++at;
    if (at == line.size() || EndsArgument(line[at])) {
      args.push_back(line.substr(start, at - start));
      continue;
    }
    // A closing quote ends the argument, so there is one quoted part at most.
    std::string& unquoted = unquoted_.emplace_back(line.substr(start, at - start));
    const char quote = line[at++];
    if (!ReadQuoted(line, at, quote, unquoted)) return false;
    args.push_back(unquoted);
  }
}

ParseOutcome RequestParser::NextMultibulk(std::string_view data, Arguments& args) {
  if (remaining_ < 0) {
    if (searched_ == 0 && !is_stranger_ && ReadWholeMultibulk(data, args))
      return ParseOutcome::kRequest;
    if (remaining_ < 0) {
      const ParseOutcome outcome = ReadCount(data);
      if (outcome != ParseOutcome::kRequest) return outcome;
    }
  }
  while (remaining_ > 0) {
    if (bulk_bytes_ < 0) {
      const ParseOutcome outcome = ReadBulkHead(data);
      if (outcome != ParseOutcome::kRequest) return outcome;
    }
    const auto bulk_bytes = static_cast<uint64_t>(bulk_bytes_);
    if (data.size() - position_ < bulk_bytes + kBulkTail)
      return Incomplete(position_ + bulk_bytes + kBulkTail);
    pending_.push_back({position_, bulk_bytes});
    position_ += bulk_bytes + kBulkTail;
    searched_ = position_;
    bulk_bytes_ = -1;
    --remaining_;
  }
  for (const Argument& argument : pending_)
    args.push_back(data.substr(argument.offset, argument.bytes));
  return Finish(ParseOutcome::kRequest, position_);
}

// The usual request, an array of short bulks that has come as a whole, in few branches. Where it is
// another, or not whole, false: what was read so far is kept as the unfinished request.
bool RequestParser::ReadWholeMultibulk(std::string_view data, Arguments& args) {
  const char* const bytes = data.data();
  // A bulk that ends beyond the limit of a request is left to ReadBulkHead, which refuses it.
  const uint64_t end = std::min<uint64_t>(data.size(), limits_.query_bytes);
  uint64_t count = 0;
  uint64_t position = ReadShortHead(bytes, end, count);
  if (position == 0 || count == 0 || count > limits_.multibulk_count) return false;
  const size_t first = args.size();
  for (; count > 0; --count) {
    if (position >= end || bytes[position] != '$') break;
    uint64_t bulk_bytes = 0;
    const uint64_t head = ReadShortHead(bytes + position, end - position, bulk_bytes);
    if (head == 0 || bulk_bytes > limits_.bulk_bytes) break;
    if (end - position < head + bulk_bytes + kBulkTail) break;
    args.emplace_back(bytes + position + head, bulk_bytes);
    position += head + bulk_bytes + kBulkTail;
  }
  if (count == 0) {
    consumed_ = position;
    return true;
  }
  KeepUnfinished(data, first, position, count, args);
  return false;
}

void RequestParser::KeepUnfinished(std::string_view data, size_t first, uint64_t position,
                                   uint64_t remaining, Arguments& args) {
  for (size_t i = first; i < args.size(); ++i)
    pending_.push_back({static_cast<uint64_t>(args[i].data() - data.data()), args[i].size()});
  args.resize(first);
  position_ = searched_ = position;
  remaining_ = static_cast<int64_t>(remaining);
}

// The head of the array, "*2\r\n". kRequest: there are bulks to come.
ParseOutcome RequestParser::ReadCount(std::string_view data) {
  uint64_t end = 0;
  switch (FindHeadEnd(data, '\r', end)) {
    case Head::kTooLong:
      return Malformed("ERR Protocol error: too big mbulk count string");
    case Head::kUnfinished:
      return Incomplete(data.size() + 1);
    case Head::kRead:
      break;
  }
  int64_t count = 0;
  if (!ReadInteger(data.substr(1, end - 1), count) ||
      (count > 0 && static_cast<uint64_t>(count) > limits_.multibulk_count))
    return Malformed("ERR Protocol error: invalid multibulk length");
  if (is_stranger_ && count > static_cast<int64_t>(kStrangersBulks))
    return Malformed("ERR Protocol error: unauthenticated multibulk length");
  if (count <= 0) return Finish(ParseOutcome::kNothing, end + 2);
  position_ = searched_ = end + 2;
  remaining_ = count;
  return ParseOutcome::kRequest;
}

// The head of a bulk, "$3\r\n". kRequest: read.
ParseOutcome RequestParser::ReadBulkHead(std::string_view data) {
  uint64_t end = 0;
  switch (FindHeadEnd(data, '\r', end)) {
    case Head::kTooLong:
      return Malformed("ERR Protocol error: too big bulk count string");
    case Head::kUnfinished:
      return Incomplete(data.size() + 1);
    case Head::kRead:
      break;
  }
  const char type = data[position_];
  if (type != '$')
    return Malformed(std::string("ERR Protocol error: expected '$', got '") + type + "'");
  int64_t bytes = 0;
  if (!ReadInteger(data.substr(position_ + 1, end - position_ - 1), bytes) || bytes < 0 ||
      static_cast<uint64_t>(bytes) > limits_.bulk_bytes)
    return Malformed("ERR Protocol error: invalid bulk length");
  if (is_stranger_ && static_cast<uint64_t>(bytes) > kStrangersBulkBytes)
    return Malformed("ERR Protocol error: unauthenticated bulk length");
  const uint64_t request_bytes = end + 2 + static_cast<uint64_t>(bytes) + kBulkTail;
  if (request_bytes > limits_.query_bytes) return Malformed("ERR Protocol error: too big request");
  position_ = searched_ = end + 2;
  bulk_bytes_ = bytes;
  return ParseOutcome::kRequest;
}

// Seeks the byte that ends the line or head at position_. A head that ends with CR is read when one
// more byte is there: LF, which Redis skips without a look. The limit is the one that Redis's
// client meets who sends byte by byte, so the outcome does not depend on how the bytes arrive.
RequestParser::Head RequestParser::FindHeadEnd(std::string_view data, char end, uint64_t& end_at) {
  const uint64_t last = position_ + limits_.inline_bytes;
  while (searched_ < data.size() && searched_ <= last) {
    const char c = data[searched_];
    if (c == end) {
      if (end == '\r' && searched_ + 1 >= data.size()) return Head::kUnfinished;
      end_at = searched_;
      return Head::kRead;
    }
    if (c == kZero) break;
    ++searched_;
  }
  return data.size() > last ? Head::kTooLong : Head::kUnfinished;
}

ParseOutcome RequestParser::Finish(ParseOutcome outcome, uint64_t consumed) {
  consumed_ = consumed;
  position_ = searched_ = 0;
  remaining_ = bulk_bytes_ = -1;
  pending_.clear();
  return outcome;
}

ParseOutcome RequestParser::Incomplete(uint64_t wanted) {
  wanted_bytes_ = wanted;
  return ParseOutcome::kIncomplete;
}

ParseOutcome RequestParser::Malformed(std::string message) {
  error_ = std::move(message);
  return ParseOutcome::kMalformed;
}

}  // namespace larder::resp

#include "reply_reader.h"

#include <charconv>

namespace larder::bench {

namespace {

struct Line {
  std::string_view text;
  size_t bytes = 0;  // with CR LF; 0: not whole
};

Line ReadLine(std::string_view data) {
  const size_t end = data.find("\r\n");
  if (end == std::string_view::npos) return {};
  return {data.substr(0, end), end + 2};
}

int64_t NumberOf(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Takes the next word of a line off its front.
std::string_view NextWord(std::string_view& line) {
  const size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

// One thing of a RESP reply at data[at]: moves `at` behind it and adds to `wanted` what it
// announces; false when it is not whole. What is no RESP is an error.
bool ReadRespItem(std::string_view data, size_t& at, int64_t& wanted, std::vector<ReplyItem>& items,
                  std::string_view& error) {
  const Line line = ReadLine(data.substr(at));
  if (line.bytes == 0) return false;
  at += line.bytes;
  const char type = line.text.empty() ? '\0' : line.text[0];
  const std::string_view rest = line.text.empty() ? line.text : line.text.substr(1);
  const int64_t number = NumberOf(rest);
  switch (type) {
    case '+':
    case ':':
    case ',':
    case '#':
      items.push_back({rest, false});
      return true;
    case '_':
      items.push_back({{}, true});
      return true;
    case '-':
      error = rest;
      return true;
    case '$':
      if (number < 0) {
        items.push_back({{}, true});
        return true;
      }
      if (data.size() < at + static_cast<size_t>(number) + 2) return false;
      items.push_back({data.substr(at, static_cast<size_t>(number)), false});
      at += static_cast<size_t>(number) + 2;
      return true;
    case '*':
    case '~':
    case '>':
      if (number < 0) items.push_back({{}, true});
      if (number > 0) wanted += number;
      return true;
    case '%':
      wanted += 2 * number;
      return true;
    default:
      error = "not a RESP reply";
      at = data.size();
      wanted = 0;
      return true;
  }
}

size_t ReadResp(std::string_view data, std::vector<ReplyItem>& items, std::string_view& error) {
  size_t at = 0;
  for (int64_t wanted = 1; wanted > 0; --wanted) {
    if (!ReadRespItem(data, at, wanted, items, error)) return 0;
  }
  return at;
}

// `VALUE key flags bytes` and the bytes, for each that was found, then `END`; of the meta protocol
// one `VA bytes kkey` and the bytes, or `EN`.
size_t ReadMemcached(std::string_view data, bool meta, std::vector<ReplyItem>& items,
                     std::string_view& error) {
  for (size_t at = 0;;) {
    Line line = ReadLine(data.substr(at));
    if (line.bytes == 0) return 0;
    at += line.bytes;
    const std::string_view what = NextWord(line.text);
    if (what == (meta ? "EN" : "END")) return at;
    if (what != (meta ? "VA" : "VALUE")) {
      error = what;
      return at;
    }
    std::string_view key = NextWord(line.text);
    if (!meta) NextWord(line.text);  // flags
    const auto size = static_cast<size_t>(NumberOf(meta ? key : NextWord(line.text)));
    if (meta) key = NextWord(line.text).substr(1);
    if (data.size() < at + size + 2) return 0;
    items.push_back({key, false});
    items.push_back({data.substr(at, size), false});
    at += size + 2;
    if (meta) return at;
  }
}

}  // namespace

size_t ReadReply(Protocol protocol, std::string_view data, std::vector<ReplyItem>& items,
                 std::string_view& error) {
  items.clear();
  error = {};
  if (protocol == Protocol::kResp2 || protocol == Protocol::kResp3) {
    return ReadResp(data, items, error);
  }
  return ReadMemcached(data, protocol == Protocol::kMemcachedMeta, items, error);
}

}  // namespace larder::bench

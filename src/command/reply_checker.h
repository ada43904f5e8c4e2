// Checks that bytes are whole, well-formed replies, of RESP2 or RESP3. For tests and fuzzing.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::command {

// Bytes of the reply that `bytes` begins with; none: it is not whole or not well-formed.
inline std::optional<size_t> ReplyBytes(std::string_view bytes, int protocol) {
  const size_t line = bytes.find("\r\n");
  if (bytes.empty() || line == std::string_view::npos) return std::nullopt;
  const char type = bytes[0];
  const std::string_view text = bytes.substr(1, line - 1);
  if (text.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
  const size_t head = line + 2;
  constexpr std::string_view kOfResp3 = "_#,(%~=>|";
  if (protocol < 3 && kOfResp3.contains(type)) return std::nullopt;
  if (type == '+' || type == '-' || type == ',' || type == '(') return head;
  if (type == '_') return text.empty() ? std::optional(head) : std::nullopt;
  if (type == '#') return text == "t" || text == "f" ? std::optional(head) : std::nullopt;
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  if (type == ':') return head;
  if (number == -1 && protocol < 3 && (type == '$' || type == '*')) return head;
  if (number < 0) return std::nullopt;
  if (type == '$' || type == '=') {
    const size_t end = head + static_cast<size_t>(number);
    if (bytes.size() < end + 2 || bytes.substr(end, 2) != "\r\n") return std::nullopt;
    return end + 2;
  }
  if (type != '*' && type != '~' && type != '%' && type != '>') return std::nullopt;
  size_t at = head;
  for (int64_t left = type == '%' ? number * 2 : number; left > 0; --left) {
    const auto element = ReplyBytes(bytes.substr(at), protocol);
    if (!element) return std::nullopt;
    at += *element;
  }
  return at;
}

// How many replies `bytes` are; none: something else is in there.
inline std::optional<size_t> CountReplies(std::string_view bytes, int protocol) {
  size_t count = 0;
  while (!bytes.empty()) {
    const auto reply = ReplyBytes(bytes, protocol);
    if (!reply) return std::nullopt;
    bytes.remove_prefix(*reply);
    ++count;
  }
  return count;
}

}  // namespace larder::command

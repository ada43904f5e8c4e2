#include "import/jsonl/json_token.h"

#include <algorithm>
#include <cstdint>

namespace larder::importer {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Moves `at` over digits; false when there is none.
bool SkipDigits(std::string_view text, size_t& at) {
  const size_t from = at;
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at > from;
}

// How many bytes the character that starts with `lead` has, and what its second byte may be.
struct Utf8Form {
  size_t bytes = 0;  // 0: no character starts so
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xbf;
};

Utf8Form FormOf(uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xc2 || lead > 0xf4) return {};
  if (lead < 0xe0) return {2, 0x80, 0xbf};
  if (lead == 0xe0) return {3, 0xa0, 0xbf};
  if (lead == 0xed) return {3, 0x80, 0x9f};
  if (lead < 0xf0) return {3, 0x80, 0xbf};
  if (lead == 0xf0) return {4, 0x90, 0xbf};
  if (lead == 0xf4) return {4, 0x80, 0x8f};
  return {4, 0x80, 0xbf};
}

// The first position that `stop` wants, told whether it is inside a string; `opened` is where the
// string around it starts.
template <typename Stop>
size_t WalkStrings(std::string_view line, size_t& opened, Stop stop) {
  bool inside = false;
  for (size_t at = 0; at < line.size(); ++at) {
    if (stop(line[at], inside)) return at;
    if (inside && line[at] == '\\') {
      ++at;
    } else if (line[at] == '"') {
      inside = !inside;
      opened = at;
    }
  }
  if (!inside) opened = line.size();
  return line.size();
}

}  // namespace

std::string_view TrimToken(std::string_view raw) {
  const size_t last = raw.find_last_not_of(kJsonSpace);
  return raw.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool IsJsonNumber(std::string_view text) {
  size_t at = 0;
  if (at < text.size() && text[at] == '-') ++at;
  const size_t integer = at;
  if (!SkipDigits(text, at)) return false;
  if (text[integer] == '0' && at - integer > 1) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!SkipDigits(text, at)) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!SkipDigits(text, at)) return false;
  }
  return at == text.size();
}

size_t FindInvalidUtf8(std::string_view line) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(line[at]); };
  for (size_t at = 0; at < line.size();) {
    const Utf8Form form = FormOf(byte(at));
    if (form.bytes == 0 || form.bytes > line.size() - at) return at;
    for (size_t i = 1; i < form.bytes; ++i) {
      const uint8_t least = i == 1 ? form.second_min : 0x80;
      const uint8_t most = i == 1 ? form.second_max : 0xbf;
      if (byte(at + i) < least || byte(at + i) > most) return at;
    }
    at += form.bytes;
  }
  return line.size();
}

size_t FindControlInString(std::string_view line) {
  size_t opened = 0;
  return WalkStrings(line, opened,
                     [](char c, bool inside) { return inside && static_cast<uint8_t>(c) < 0x20; });
}

size_t FindUnclosedString(std::string_view line) {
  size_t opened = 0;
  WalkStrings(line, opened, [](char, bool) { return false; });
  return opened;
}

size_t FindObjectEnd(std::string_view line) {
  size_t opened = 0;
  size_t depth = 0;
  const size_t at = WalkStrings(line, opened, [&depth](char c, bool inside) {
    if (inside) return false;
    if (c == '{' || c == '[') ++depth;
    return (c == '}' || c == ']') && --depth == 0;
  });
  return std::min(at + 1, line.size());
}

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace larder::importer

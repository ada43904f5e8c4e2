// A key as an error message shows it: quoted, what is not printable as \xNN, the rest of a long one
// left out.
#pragma once

#include <string>
#include <string_view>

namespace larder::snapshot {

inline std::string PrintableKey(std::string_view key) {
  constexpr size_t kMostShown = 64;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\"";
  for (const char byte : key.substr(0, kMostShown)) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20 && code < 0x7f && byte != '"' && byte != '\\') {
      text += byte;
    } else {
      text += "\\x";
      text += kDigits[code >> 4];
      text += kDigits[code & 15];
    }
  }
  text += key.size() > kMostShown ? "...\"" : "\"";
  return text;
}

}  // namespace larder::snapshot

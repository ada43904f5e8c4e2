#include "cli/json.h"

#include <cstdio>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>

namespace larder::cli {

void PrintJson(const Json& document) {
  constexpr int kIndent = 2;
  fmt::print("{}\n", document.dump(kIndent, ' ', false, Json::error_handler_t::replace));
}

void PrintJsonLine(const Json& document) {
  fmt::print("{}\n", document.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::fflush(stdout);
}

bool IsUtf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::string Base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock writes a zero, too
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

void PutBytes(Json& object, const std::string& name, std::string_view bytes) {
  if (IsUtf8(bytes)) {
    object[name] = bytes;
    return;
  }
  object[name] = Base64(bytes);
  object[name == "value" ? "encoding" : name + "_encoding"] = "base64";
}

std::string JsonText(std::string_view bytes) {
  if (IsUtf8(bytes)) return Json(bytes).dump();
  std::string text = "\"";
  for (const char byte : bytes) {
    const auto code = static_cast<unsigned char>(byte);
    if (code >= 0x20 && code < 0x7f && byte != '"' && byte != '\\') {
      text += byte;
    } else {
      text += fmt::format("\\x{:02x}", code);
    }
  }
  return text + '"';
}

}  // namespace larder::cli

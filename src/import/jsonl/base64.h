// Base64Decoder: RFC 4648, section 4, by OpenSSL, and strictly: padding must stand and the unused
// bits be zero, nothing else may stand there.
//
// Ownership:  owns what it decoded, good until the next Begin.
// Threads:    one at a time.
// Cost:       one block of memory, given back when texts have become much shorter.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace larder::importer {

class Base64Decoder {
 public:
  // What was decoded before is gone; at most `text_bytes` of text will be handed in.
  void Begin(size_t text_bytes);

  // None when the text is not base64.
  std::optional<std::string_view> Decode(std::string_view text);

 private:
  std::unique_ptr<unsigned char[]> decoded_;
  size_t capacity_ = 0;
  size_t wanted_ = 0;
  size_t used_ = 0;
  std::string encoded_;  // once more, to compare
};

}  // namespace larder::importer

// Digest files of arbitrary bytes: an error or a digest that stands in them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "import/digest_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const size_t digits : {larder::importer::kMd5Digits, larder::importer::kSha256Digits}) {
    const auto digest = larder::importer::FindDigest(text, "data.jsonl", digits);
    if (!digest) continue;
    const bool is_lower_hex = std::ranges::all_of(
        *digest, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (digest->size() != digits || !is_lower_hex) std::abort();
  }
  return 0;
}

// Input: one byte of pattern length, the pattern, the text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t pattern_bytes = data[0] < size ? data[0] : size - 1;
  // Two allocations of exact size: the sanitizer sees a read past the end of either.
  const std::vector<char> pattern(data + 1, data + 1 + pattern_bytes);
  const std::vector<char> text(data + 1 + pattern_bytes, data + size);
  const std::string_view pattern_view(pattern.data(), pattern.size());
  const std::string_view text_view(text.data(), text.size());
  const bool matches = larder::GlobMatches(pattern_view, text_view);
  const std::string prefix = larder::GlobLiteralPrefix(pattern_view);
  if (matches && !text_view.starts_with(prefix)) std::abort();
  return 0;
}

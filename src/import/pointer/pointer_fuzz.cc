// Arbitrary bytes as a pointer file: a fault inside the text, or names that can be those of files.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "import/pointer/pointer_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto names = larder::importer::ParsePointer(text);
  const bool looks = larder::importer::LooksLikePointer(text);
  if (!names) {
    if (names.error().offset > size || names.error().reason.empty()) std::abort();
    return 0;
  }
  if (!looks || names->records.empty()) std::abort();
  if ((names->records + names->index).find('\0') != std::string::npos) std::abort();
  return 0;
}

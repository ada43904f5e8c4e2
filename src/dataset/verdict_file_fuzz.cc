// Arbitrary bytes as a verdict file: what parses says the same when written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dataset/verdict_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::dataset;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto refusal = ParseVerdict(bytes)) {
    const auto again = ParseVerdict(EncodeVerdict(*refusal));
    if (!again || *again != *refusal) std::abort();
  }
  return 0;
}

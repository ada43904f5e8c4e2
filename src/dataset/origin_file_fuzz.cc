// Arbitrary bytes as an origin file: what parses says the same when written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dataset/origin_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::dataset;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto origin = ParseOrigin(bytes)) {
    const auto again = ParseOrigin(EncodeOrigin(*origin));
    if (!again || *again != *origin) std::abort();
  }
  return 0;
}

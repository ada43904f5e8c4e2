// Arbitrary bytes as a STATE file and as file names: what parses says the same when written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dataset/state_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::dataset;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto state = ParseState(bytes)) {
    if (EncodeState(*state) != bytes) std::abort();
  }
  if (const auto number = ParseVersionFileName(bytes)) {
    if (VersionFileName(*number) != bytes) std::abort();
  }
  if (const auto number = ParseVerdictFileName(bytes)) {
    if (VerdictFileName(*number) != bytes) std::abort();
  }
  if (const auto number = ParseOriginFileName(bytes)) {
    if (OriginFileName(*number) != bytes) std::abort();
  }
  if (IsUnfinishedFileName(bytes) && ParseVersionFileName(bytes)) std::abort();
  return 0;
}

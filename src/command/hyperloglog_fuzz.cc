// Input: the string of a HyperLogLog.
#include <cstdlib>
#include <string_view>

#include "command/hyperloglog_registers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto view = larder::command::HyperLogLogView::Of(text);
  if (!view) return 0;
  const auto count = view->Count();
  larder::command::HyperLogLogRegisters merged;
  const bool merges = view->MergeInto(merged);
  // Runs that are counted can be merged, and say the same; a count may be one that was stored.
  const bool stored = (data[15] & 0x80) == 0;
  if (count && !stored && (!merges || merged.Estimate() != *count)) std::abort();
  return 0;
}

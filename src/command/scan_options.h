// The options of SCAN, HSCAN, SSCAN and ZSCAN.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "command/context.h"

namespace larder::command {

struct ScanOptions {
  uint64_t count = 10;
  std::optional<std::string_view> pattern;  // none: everything
  std::optional<std::string_view> type;

  bool Matches(std::string_view text) const;
};

// The cursor; none: refused and answered.
std::optional<uint64_t> ReadCursor(Context& context, std::string_view text);

// What follows the cursor; none: refused and answered. Only SCAN takes TYPE.
std::optional<ScanOptions> ReadScanOptions(Context& context, Arguments options, bool with_type);

}  // namespace larder::command

// Reading arguments as Redis reads them: options, integers, cursors, score ranges.
//
// Errors: none (std::nullopt); the caller answers with Redis's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace larder::command {

// `name` is in lower case. As C's strcasecmp: the argument ends at its first zero byte.
bool IsOption(std::string_view argument, std::string_view name);

// What stands before the first zero byte: what Redis's "%s" prints.
std::string_view CString(std::string_view text);

// Decimal, no spaces, no "+", no leading zeros.
std::optional<int64_t> ParseInteger(std::string_view text);

// As strtoul reads it: also "+5", "-1" (wraps), and 0 for "".
std::optional<uint64_t> ParseCursor(std::string_view text);

// As Redis reads a float: what strtod reads and all of it, no space in front, never NaN, nothing
// too large or too small for a double.
std::optional<double> ParseDouble(std::string_view text);

// What SORT orders by: as strtod reads it, 0 for ""; never NaN, never what a double cannot hold.
std::optional<double> ParseWeight(std::string_view text);

struct ScoreBound {
  double value = 0;
  bool exclusive = false;
};
// "5", "(5", "inf", whatever strtod reads; never NaN.
std::optional<ScoreBound> ParseScoreBound(std::string_view text);

// Elements first .. last of a sequence, counted from 0; negative ones count from the end.
struct IndexRange {
  uint64_t first = 0;
  uint64_t end = 0;  // one past the last; first == end: nothing
};
IndexRange ClampRange(int64_t first, int64_t last, uint64_t count);

}  // namespace larder::command

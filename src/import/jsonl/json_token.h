// What simdjson's On-Demand parser leaves to its user: the text of scalars, and where in a line an
// error stands. Every function takes bytes and returns positions in them; none keeps anything.
#pragma once

#include <cstddef>
#include <string_view>

namespace larder::importer {

// The number, literal or garbage that starts `raw`, without the whitespace behind it.
std::string_view TrimToken(std::string_view raw);

// JSON's grammar of numbers, of any size and precision.
bool IsJsonNumber(std::string_view text);

// For a line that simdjson's first stage refused: the first byte that is not UTF-8, the first
// control character inside a string, the start of the string that is not closed. line.size() when
// there is none.
size_t FindInvalidUtf8(std::string_view line);
size_t FindControlInString(std::string_view line);
size_t FindUnclosedString(std::string_view line);

// Behind the bracket that closes the first one, whatever stands between; line.size() when it is not
// closed.
size_t FindObjectEnd(std::string_view line);

// Only spaces, tabs and carriage returns.
bool IsBlank(std::string_view line);

}  // namespace larder::importer

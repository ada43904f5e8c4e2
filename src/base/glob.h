// Glob patterns as Redis 7.0 matches them (KEYS, SCAN MATCH): over bytes, case-sensitive.
//
//   *      any bytes, also none        [ab]   one of the bytes      \x   the byte x itself
//   ?      any one byte                [a-z]  one of a range        [^a] one that is not listed
//
// What Redis does where its documentation is silent, and this too: a set that is not closed ends
// with the pattern; a range may stand backwards; a backslash at the very end is a backslash;
// ranges compare bytes as signed numbers; "*" does not match the empty text (commands that mean
// "everything" do not ask).
//
// Cost: at most pattern × text steps, whatever the number of stars; no allocation, no recursion.
#pragma once

#include <string>
#include <string_view>

namespace larder {

bool GlobMatches(std::string_view pattern, std::string_view text);

// What every text that matches starts with: the bytes before the first * ? or [, escapes resolved.
std::string GlobLiteralPrefix(std::string_view pattern);

}  // namespace larder

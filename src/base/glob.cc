#include "base/glob.h"

#include <cstddef>
#include <utility>

namespace larder {

namespace {

constexpr size_t kNowhere = std::string_view::npos;

struct SetMatch {
  bool matches;
  size_t end;  // in the pattern, behind the set
};

bool InRange(char one_end, char other_end, char byte) {
  auto low = static_cast<signed char>(one_end);
  auto high = static_cast<signed char>(other_end);
  if (low > high) std::swap(low, high);
  const auto value = static_cast<signed char>(byte);
  return low <= value && value <= high;
}

// `at` is the place behind the opening bracket.
SetMatch MatchSet(std::string_view pattern, size_t at, char byte) {
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < pattern.size() && pattern[at] != ']') {
    const size_t left = pattern.size() - at;
    if (left >= 2 && pattern[at] == '\\') {
      found = found || pattern[at + 1] == byte;
      at += 2;
    } else if (left >= 3 && pattern[at + 1] == '-') {
      found = found || InRange(pattern[at], pattern[at + 2], byte);
      at += 3;
    } else {
      found = found || pattern[at] == byte;
      at += 1;
    }
  }
  if (at < pattern.size()) ++at;
  return {.matches = found != negated, .end = at};
}

// Whether the one-byte element of the pattern at `at` (not a star) matches, and where it ends.
SetMatch MatchOne(std::string_view pattern, size_t at, char byte) {
  switch (pattern[at]) {
    case '?':
      return {.matches = true, .end = at + 1};
    case '[':
      return MatchSet(pattern, at + 1, byte);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      break;
    default:
      break;
  }
  return {.matches = pattern[at] == byte, .end = at + 1};
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) {
  if (text.empty()) return pattern.empty();
  size_t at = 0;
  size_t in_text = 0;
  // Every element but the star takes exactly one byte, so only the last star ever needs to take
  // more: what stood before it has matched at its earliest place, and no later one helps.
  size_t after_star = kNowhere;
  size_t star_text = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      star_text = in_text;
      continue;
    }
    const SetMatch one = at < pattern.size() ? MatchOne(pattern, at, text[in_text])
                                             : SetMatch{.matches = false, .end = at};
    if (one.matches) {
      at = one.end;
      ++in_text;
    } else if (after_star != kNowhere) {
      at = after_star;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

std::string GlobLiteralPrefix(std::string_view pattern) {
  std::string prefix;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char byte = pattern[at];
    if (byte == '*' || byte == '?' || byte == '[') break;
    if (byte == '\\' && at + 1 < pattern.size()) ++at;
    prefix.push_back(pattern[at]);
  }
  return prefix;
}

}  // namespace larder

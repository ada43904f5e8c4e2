#include "import/digest_lines.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace larder::importer {
namespace {

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string LowerCase(std::string_view digest) {
  std::string lower(digest);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// "\\", "\n" and "\r" in the name of an escaped line.
std::string Unescape(std::string_view name) {
  std::string plain;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\' || i + 1 == name.size()) {
      plain += name[i];
      continue;
    }
    ++i;
    plain += name[i] == 'n' ? '\n' : name[i] == 'r' ? '\r' : name[i];
  }
  return plain;
}

struct DigestLine {
  std::string digest;
  std::optional<std::string> name;  // none: a bare digest
};

std::optional<DigestLine> ParseLine(std::string_view line, size_t digits) {
  const bool escaped = line.starts_with('\\');
  if (escaped) line.remove_prefix(1);
  if (line.size() < digits || !std::ranges::all_of(line.substr(0, digits), IsHexDigit)) {
    return std::nullopt;
  }
  DigestLine parsed{LowerCase(line.substr(0, digits)), std::nullopt};
  line.remove_prefix(digits);
  if (line.find_first_not_of(" \t") == std::string_view::npos)
    return escaped ? std::nullopt : std::optional(std::move(parsed));
  // Two characters: a space, then a space (text) or a star (binary).
  if (line.size() < 3 || line[0] != ' ' || (line[1] != ' ' && line[1] != '*')) return std::nullopt;
  std::string name = escaped ? Unescape(line.substr(2)) : std::string(line.substr(2));
  parsed.name = name.substr(name.find_last_of('/') + 1);
  return parsed;
}

}  // namespace

Result<std::string> FindDigest(std::string_view text, std::string_view name, size_t digits) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Fail(ErrorCode::kRefused, "the file is empty; is it still being written?");
  }
  std::optional<std::string> found;
  size_t number = 0;
  bool bare = false;
  while (!text.empty()) {
    ++number;
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto parsed = ParseLine(line, digits);
    if (!parsed || bare || (found && !parsed->name)) {
      return Fail(ErrorCode::kRefused, "line " + std::to_string(number) + " is not \"<" +
                                           std::to_string(digits) +
                                           " hexadecimal digits>  <file name>\"");
    }
    bare = !parsed->name;
    if (parsed->name && *parsed->name != name) continue;
    if (found && *found != parsed->digest) {
      return Fail(ErrorCode::kRefused, "two lines for " + std::string(name) + " disagree");
    }
    found = std::move(parsed->digest);
  }
  if (found) return *std::move(found);
  return Fail(ErrorCode::kRefused, "no line for " + std::string(name));
}

}  // namespace larder::importer

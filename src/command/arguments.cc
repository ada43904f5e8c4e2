#include "command/arguments.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace larder::command {
namespace {

// Redis reads the locale-free subset; the program never leaves the "C" locale.
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Calls `read` with a zero-terminated copy; no allocation for anything a person would write.
template <typename Read>
auto WithCString(std::string_view text, Read&& read) {
  char small[128];
  if (text.size() < sizeof small) {
    text.copy(small, text.size());
    small[text.size()] = '\0';
    return read(static_cast<const char*>(small));
  }
  const std::string large(text);
  return read(large.c_str());
}

}  // namespace

bool IsOption(std::string_view argument, std::string_view name) {
  if (argument.size() < name.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = argument[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) != name[i]) return false;
  }
  return argument.size() == name.size() || argument[name.size()] == '\0';
}

std::string_view CString(std::string_view text) { return text.substr(0, text.find('\0')); }

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  const std::string_view digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && text.size() > 1)) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<uint64_t> ParseCursor(std::string_view text) {
  if (!text.empty() && IsSpace(text[0])) return std::nullopt;
  return WithCString(text, [](const char* from) -> std::optional<uint64_t> {
    char* end = nullptr;
    errno = 0;
    const uint64_t value = std::strtoul(from, &end, 10);
    if (*end != '\0' || errno == ERANGE) return std::nullopt;
    return value;
  });
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.empty() || IsSpace(text[0])) return std::nullopt;
  return WithCString(text, [&text](const char* from) -> std::optional<double> {
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(from, &end);
    const bool out_of_range = errno == ERANGE && (std::isinf(value) || value == 0);
    if (end != from + text.size() || out_of_range || std::isnan(value)) return std::nullopt;
    return value;
  });
}

std::optional<double> ParseWeight(std::string_view text) {
  return WithCString(text, [](const char* from) -> std::optional<double> {
    char* end = nullptr;
    errno = 0;
    const double weight = std::strtod(from, &end);
    if (*end != '\0' || errno == ERANGE || std::isnan(weight)) return std::nullopt;
    return weight;
  });
}

std::optional<ScoreBound> ParseScoreBound(std::string_view text) {
  ScoreBound bound;
  bound.exclusive = !text.empty() && text[0] == '(';
  if (bound.exclusive) text.remove_prefix(1);
  return WithCString(text, [&bound](const char* from) -> std::optional<ScoreBound> {
    char* end = nullptr;
    bound.value = std::strtod(from, &end);
    if (*end != '\0' || std::isnan(bound.value)) return std::nullopt;
    return bound;
  });
}

IndexRange ClampRange(int64_t first, int64_t last, uint64_t count) {
  const auto size = static_cast<int64_t>(count);
  if (first < 0) first = first < -size ? 0 : first + size;
  if (last < 0) last = last < -size ? -1 : last + size;
  if (last >= size) last = size - 1;
  if (first > last || first >= size) return {};
  return {.first = static_cast<uint64_t>(first), .end = static_cast<uint64_t>(last) + 1};
}

}  // namespace larder::command

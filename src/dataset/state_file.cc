#include "dataset/state_file.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "io/file_system.h"

namespace larder::dataset {

namespace {

constexpr std::string_view kTitle = "larder dataset ";
constexpr uint64_t kFormatVersion = 1;
constexpr std::string_view kChecksumWord = "checksum ";
constexpr size_t kChecksumLineBytes = 9 + 16 + 1;
constexpr std::string_view kVersionSuffix = ".snap";
constexpr std::string_view kVerdictSuffix = ".verdict";
constexpr std::string_view kOriginSuffix = ".origin";
constexpr size_t kMinDigits = 6;
constexpr size_t kMaxDigits = 12;

// Decimal, without sign or leading zeros.
std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The number in front of `suffix`.
std::optional<uint64_t> ParseNumberedName(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  std::string_view digits = name.substr(0, name.size() - suffix.size());
  if (digits.size() < kMinDigits) return std::nullopt;
  // Zeros pad to six digits, never beyond.
  const bool padded = digits.size() == kMinDigits;
  while (padded && digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  const auto number = ParseNumber(digits);
  return number && *number > 0 ? number : std::nullopt;
}

// Takes "WORD REST\n" off the front and returns REST.
std::optional<std::string_view> TakeLine(std::string_view& text, std::string_view word) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  if (!line.starts_with(word)) return std::nullopt;
  text.remove_prefix(end + 1);
  return line.substr(word.size());
}

bool ParseDamaged(std::string_view rest, std::set<uint64_t>& damaged) {
  while (!rest.empty()) {
    if (rest.front() != ' ') return false;
    rest.remove_prefix(1);
    const size_t end = rest.find(' ');
    const auto number = ParseNumber(rest.substr(0, end));
    if (!number || *number == 0) return false;
    if (!damaged.empty() && *number <= *damaged.rbegin()) return false;
    damaged.insert(*number);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
  }
  return true;
}

// The lines between title and checksum.
std::optional<DirectoryState> ParseBody(std::string_view body) {
  const auto current = TakeLine(body, "current ");
  const auto pinned = current ? TakeLine(body, "pinned ") : std::nullopt;
  const auto next = pinned ? TakeLine(body, "next ") : std::nullopt;
  const auto damaged = next ? TakeLine(body, "damaged") : std::nullopt;
  if (!damaged || !body.empty()) return std::nullopt;

  const auto current_number = ParseNumber(*current);
  const auto next_number = ParseNumber(*next);
  if (!current_number || !next_number || *next_number <= *current_number) return std::nullopt;
  if (*pinned != "yes" && *pinned != "no") return std::nullopt;

  DirectoryState state;
  state.current = *current_number;
  state.pinned = *pinned == "yes";
  state.next = *next_number;
  if (state.pinned && state.current == 0) return std::nullopt;
  if (!ParseDamaged(*damaged, state.damaged)) return std::nullopt;
  return state;
}

}  // namespace

std::string EncodeState(const DirectoryState& state) {
  std::string text =
      fmt::format("{}{}\ncurrent {}\npinned {}\nnext {}\ndamaged", kTitle, kFormatVersion,
                  state.current, state.pinned ? "yes" : "no", state.next);
  for (const uint64_t number : state.damaged) text += fmt::format(" {}", number);
  text += '\n';
  return text + fmt::format("{}{:016x}\n", kChecksumWord, Checksum64(text));
}

Result<DirectoryState> ParseState(std::string_view bytes) {
  if (bytes.size() < kChecksumLineBytes) {
    return Fail(ErrorCode::kCorrupt, fmt::format("the file ends after {} bytes", bytes.size()));
  }
  std::string_view body = bytes.substr(0, bytes.size() - kChecksumLineBytes);
  const std::string expected = fmt::format("{}{:016x}\n", kChecksumWord, Checksum64(body));
  if (bytes.substr(body.size()) != expected) {
    return Fail(ErrorCode::kCorrupt, "its checksum does not match");
  }
  const auto format = TakeLine(body, kTitle);
  const auto version = format ? ParseNumber(*format) : std::nullopt;
  if (!version) return Fail(ErrorCode::kCorrupt, "its first line is not that of a STATE file");
  if (*version != kFormatVersion) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("format {}, this program understands {}", *version, kFormatVersion));
  }
  auto state = ParseBody(body);
  if (!state) return Fail(ErrorCode::kCorrupt, "its lines are not those of format 1");
  return *std::move(state);
}

std::string VersionFileName(uint64_t number) {
  return fmt::format("{:06}{}", number, kVersionSuffix);
}

std::optional<uint64_t> ParseVersionFileName(std::string_view name) {
  return ParseNumberedName(name, kVersionSuffix);
}

std::string VerdictFileName(uint64_t number) {
  return fmt::format("{:06}{}", number, kVerdictSuffix);
}

std::optional<uint64_t> ParseVerdictFileName(std::string_view name) {
  return ParseNumberedName(name, kVerdictSuffix);
}

std::string OriginFileName(uint64_t number) {
  return fmt::format("{:06}{}", number, kOriginSuffix);
}

std::optional<uint64_t> ParseOriginFileName(std::string_view name) {
  return ParseNumberedName(name, kOriginSuffix);
}

bool IsUnfinishedFileName(std::string_view name) {
  if (!name.ends_with(io::kTemporarySuffix)) return false;
  name.remove_suffix(io::kTemporarySuffix.size());
  if (name == kStateFileName || ParseVerdictFileName(name) || ParseOriginFileName(name)) {
    return true;
  }
  const size_t suffix = name.find(kVersionSuffix);
  if (suffix == std::string_view::npos) return false;
  return ParseVersionFileName(name.substr(0, suffix + kVersionSuffix.size())).has_value();
}

}  // namespace larder::dataset

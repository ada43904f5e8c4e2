#include "cli/toml_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace larder::cli {

namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

std::optional<uint64_t> ParseWithUnit(std::string_view text, std::span<const Unit> units) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name(end, text.data() + text.size());
  for (const Unit& unit : units) {
    uint64_t product = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
  }
  return std::nullopt;
}

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<uint64_t> NumberWithin(const toml::node& node, const Setting& setting) {
  const auto value = node.value_exact<int64_t>();
  if (!value || *value < 0) return std::nullopt;
  const auto number = static_cast<uint64_t>(*value);
  if (number < setting.smallest || number > setting.largest) return std::nullopt;
  return number;
}

// What stands there, as whoever wrote the file would call it.
std::string Found(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return fmt::format("\"{}\"", *text);
  if (const auto number = node.value_exact<int64_t>()) return fmt::format("{}", *number);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  if (const auto truth = node.value_exact<bool>()) return fmt::format("{}", *truth);
  if (node.is_array()) return "an array";
  return node.is_table() ? "a table" : "a date or time";
}

std::string_view ExpectedText(SettingType type) {
  switch (type) {
    case SettingType::kDuration:
      return "a duration in quotes, like \"500ms\", \"5s\" or \"2m\"";
    case SettingType::kShare:
      return "a share in quotes, like \"30%\", or \"off\"";
    default:
      return "a string";
  }
}

std::string ExpectedNumber(const Setting& setting) {
  return setting.largest == kAnyNumber
             ? fmt::format("a whole number of at least {}", setting.smallest)
             : fmt::format("a whole number from {} to {}", setting.smallest, setting.largest);
}

std::string Quoted(std::span<const std::string_view> words) {
  return fmt::format("\"{}\"", fmt::join(words, "\", \""));
}

std::vector<std::string_view> KeysOf(std::string_view table) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : Settings()) {
    if (setting.table == table) keys.push_back(setting.key);
  }
  return keys;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  const auto ms = ParseWithUnit(text, kUnits);
  if (!ms || *ms > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {{{"", 1},
                                                  {"KiB", uint64_t{1} << 10},
                                                  {"MiB", uint64_t{1} << 20},
                                                  {"GiB", uint64_t{1} << 30}}};
  return ParseWithUnit(text, kUnits);
}

std::optional<double> ParseShare(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  double percent = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(percent) || percent < 0) return std::nullopt;
  return percent / 100;
}

std::optional<std::string> TomlReader::String(const Setting& setting) {
  if (error_) return std::nullopt;
  const toml::node* const node = table_.get(setting.key);
  if (node == nullptr && setting.required) {
    Fail(setting.key, "is missing");
    return std::nullopt;
  }
  if (node == nullptr) return std::string(setting.fallback);
  if (auto value = node->value_exact<std::string>()) return value;
  FailExpecting(setting, ExpectedText(setting.type), *node);
  return std::nullopt;
}

void TomlReader::FailExpecting(const Setting& setting, std::string_view expected,
                               const toml::node& found) {
  Fail(setting.key, setting.secret ? fmt::format("expected {}", expected)
                                   : fmt::format("expected {}, found {}", expected, Found(found)));
}

bool TomlReader::IsChoice(const Setting& setting, const std::string& text) {
  if (std::ranges::find(setting.choices, text) != setting.choices.end()) return true;
  const std::string_view nearest = NearestWord(text, setting.choices);
  Fail(setting.key,
       fmt::format("\"{}\" is none of {}{}", text, Quoted(setting.choices),
                   nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  return false;
}

std::vector<std::string> TomlReader::Texts(std::string_view key) {
  const Setting& setting = Of(key);
  const toml::node* const node = table_.get(key);
  std::vector<std::string> texts;
  if (node != nullptr && node->is_array()) {
    for (const toml::node& element : *node->as_array()) {
      const auto text = element.value_exact<std::string>();
      if (!text) {
        FailExpecting(setting, "a string, or an array of strings", element);
        return {};
      }
      texts.push_back(*text);
    }
  } else if (node != nullptr && !node->is_string()) {
    FailExpecting(setting, "a string, or an array of strings", *node);
  } else {
    std::string text = String(setting).value_or("");
    if (node != nullptr || !text.empty()) texts.push_back(std::move(text));
  }
  for (const std::string& text : texts) {
    if (!setting.choices.empty() && !IsChoice(setting, text)) return {};
  }
  return texts;
}

std::string TomlReader::Text(std::string_view key) { return String(Of(key)).value_or(""); }

std::optional<std::string> TomlReader::OptionalText(std::string_view key) {
  if (!Has(key)) return std::nullopt;
  return String(Of(key));
}

bool TomlReader::Boolean(std::string_view key) {
  const Setting& setting = Of(key);
  const toml::node* const node = table_.get(key);
  if (node == nullptr) return setting.fallback == "true";
  if (const auto value = node->value_exact<bool>()) return *value;
  Fail(key, fmt::format("expected true or false, found {}", Found(*node)));
  return false;
}

uint64_t TomlReader::Number(std::string_view key) {
  const Setting& setting = Of(key);
  const toml::node* const node = table_.get(key);
  if (node == nullptr) return NumberOf(setting.fallback);
  if (const auto number = NumberWithin(*node, setting)) return *number;
  Fail(key, fmt::format("expected {}, found {}", ExpectedNumber(setting), Found(*node)));
  return setting.smallest;
}

TomlReader::NumberOrWord TomlReader::ReadNumberOrWord(std::string_view key) {
  const Setting& setting = Of(key);
  const toml::node* const node = table_.get(key);
  if (node != nullptr && node->is_integer()) {
    if (const auto number = NumberWithin(*node, setting)) return {.number = number};
  }
  const std::string text = node == nullptr ? std::string(setting.fallback)
                                           : node->value_exact<std::string>().value_or("");
  const auto found = std::ranges::find(setting.choices, text);
  if (found != setting.choices.end())
    return {.word = static_cast<size_t>(found - setting.choices.begin())};
  Fail(key, fmt::format("expected {}, or {}, found {}", Quoted(setting.choices),
                        ExpectedNumber(setting), Found(*node)));
  return {};
}

size_t TomlReader::Choice(std::string_view key) {
  const Setting& setting = Of(key);
  const std::optional<std::string> text = String(setting);
  if (!text) return 0;
  if (!IsChoice(setting, *text)) return 0;
  return static_cast<size_t>(std::ranges::find(setting.choices, *text) - setting.choices.begin());
}

std::optional<size_t> TomlReader::OptionalChoice(std::string_view key) {
  if (!Has(key)) return std::nullopt;
  return Choice(key);
}

std::chrono::milliseconds TomlReader::Duration(std::string_view key) {
  const Setting& setting = Of(key);
  const std::optional<std::string> text = String(setting);
  if (!text) return {};
  const auto duration = ParseDuration(*text);
  if (duration && static_cast<uint64_t>(duration->count()) >= setting.smallest &&
      static_cast<uint64_t>(duration->count()) <= setting.largest) {
    return *duration;
  }
  Fail(key, fmt::format("\"{}\": expected a duration of at least {} ms and at most a year, like "
                        "\"500ms\", \"5s\" or \"2m\"",
                        *text, setting.smallest));
  return {};
}

uint64_t TomlReader::Bytes(std::string_view key) {
  const Setting& setting = Of(key);
  const toml::node* const node = table_.get(key);
  if (node == nullptr) return ParseBytes(setting.fallback).value_or(0);
  std::optional<uint64_t> bytes;
  if (const auto number = node->value_exact<int64_t>(); number && *number >= 0)
    bytes = static_cast<uint64_t>(*number);
  if (const auto text = node->value_exact<std::string>()) bytes = ParseBytes(*text);
  if (bytes && *bytes >= setting.smallest) return *bytes;
  Fail(key, fmt::format("expected a size of at least {} bytes, like 4096, \"64KiB\", \"512MiB\" or "
                        "\"1GiB\", found {}",
                        setting.smallest, Found(*node)));
  return 0;
}

std::optional<double> TomlReader::Share(std::string_view key) {
  const Setting& setting = Of(key);
  const std::optional<std::string> text = String(setting);
  if (!text || *text == "off") return std::nullopt;
  const std::optional<double> share = ParseShare(*text);
  if (share && *share * 100 <= static_cast<double>(setting.largest)) return share;
  Fail(key, fmt::format("\"{}\": expected a share from \"0%\" to \"{}%\", or \"off\"", *text,
                        setting.largest));
  return std::nullopt;
}

const toml::node* TomlReader::Node(std::string_view key) {
  return error_ ? nullptr : table_.get(Of(key).key);
}

void TomlReader::Fail(std::string_view key, std::string_view message) {
  const toml::node* const node = table_.get(key);
  FailAt(node == nullptr ? table_.source() : node->source(),
         fmt::format("{} in {}: {}", key, spec_.title, message));
}

void TomlReader::FailAt(const toml::source_region& where, std::string_view message) {
  if (error_) return;
  error_.emplace(ErrorCode::kInvalidArgument,
                 fmt::format("{}:{}:{}: {}", file_, where.begin.line, where.begin.column, message));
}

void TomlReader::Adopt(const Result<void>& inner) {
  if (!inner && !error_) error_ = inner.error();
}

toml::source_index TomlReader::LineOf(std::string_view key) const {
  const toml::node* const node = table_.get(key);
  return (node == nullptr ? table_.source() : node->source()).begin.line;
}

std::string TomlReader::Hint(std::string_view unknown) const {
  for (const Setting& setting : Settings()) {
    if (setting.key == unknown)
      return fmt::format("it belongs to {}", FindSettingTable(setting.table)->title);
  }
  const std::vector<std::string_view> keys = KeysOf(spec_.name);
  const std::string_view nearest = NearestWord(unknown, keys);
  if (!nearest.empty()) return fmt::format("did you mean \"{}\"?", nearest);
  return fmt::format("known are {}", fmt::join(keys, ", "));
}

Result<void> TomlReader::Finish() {
  const toml::key* unknown = nullptr;
  for (const auto& [key, value] : table_) {
    if (FindSetting(spec_.name, key.str()) != nullptr) continue;
    if (unknown == nullptr || key.source().begin < unknown->source().begin) unknown = &key;
  }
  if (unknown != nullptr) {
    FailAt(unknown->source(), fmt::format("unknown key \"{}\" in {}; {}", unknown->str(),
                                          spec_.title, Hint(unknown->str())));
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace larder::cli

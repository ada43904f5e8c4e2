#include "cli/toml_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace larder::cli {

const toml::node* TomlReader::Find(std::string_view key) {
  known_.push_back(key);
  return error_ ? nullptr : table_.get(key);
}

std::optional<std::string> TomlReader::String(std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<std::string>()) return value;
  Fail(key, "expected a string");
  return std::nullopt;
}

std::optional<bool> TomlReader::Boolean(std::string_view key) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<bool>()) return value;
  Fail(key, "expected true or false");
  return std::nullopt;
}

std::optional<uint64_t> TomlReader::Number(std::string_view key, uint64_t smallest,
                                           uint64_t largest) {
  const toml::node* const node = Find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<int64_t>();
  if (value && *value >= 0 && static_cast<uint64_t>(*value) >= smallest &&
      static_cast<uint64_t>(*value) <= largest) {
    return static_cast<uint64_t>(*value);
  }
  Fail(key, fmt::format("expected a whole number from {} to {}", smallest, largest));
  return std::nullopt;
}

std::optional<int> TomlReader::OneOf(std::string_view key, std::initializer_list<Choice> choices) {
  const std::optional<std::string> text = String(key);
  if (!text) return std::nullopt;
  std::vector<std::string> all;
  for (const Choice& choice : choices) {
    if (choice.text == *text) return choice.value;
    all.push_back(fmt::format("\"{}\"", choice.text));
  }
  Fail(key, fmt::format("\"{}\" is none of {}", *text, fmt::join(all, ", ")));
  return std::nullopt;
}

void TomlReader::Fail(std::string_view key, std::string_view message) {
  const toml::node* const node = table_.get(key);
  FailAt(node == nullptr ? table_.source() : node->source(),
         fmt::format("{} in {}: {}", key, title_, message));
}

void TomlReader::FailAt(const toml::source_region& where, std::string_view message) {
  if (error_) return;
  error_.emplace(ErrorCode::kInvalidArgument,
                 fmt::format("{}:{}:{}: {}", file_, where.begin.line, where.begin.column, message));
}

Result<void> TomlReader::Finish() {
  const toml::key* unknown = nullptr;
  for (const auto& [key, value] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) continue;
    if (unknown == nullptr || key.source().begin < unknown->source().begin) unknown = &key;
  }
  if (unknown != nullptr) {
    FailAt(unknown->source(), fmt::format("unknown key \"{}\" in {}; known are {}", unknown->str(),
                                          title_, fmt::join(known_, ", ")));
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

}  // namespace larder::cli

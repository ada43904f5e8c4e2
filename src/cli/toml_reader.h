// TomlReader: typed values out of one table, each key read once; then what nobody read is unknown.
//
// The first error stays and later calls do nothing, so that a caller reads all keys in a row and
// looks at the end.
//
// Ownership:  borrows the table. Threads: one.
// Errors:     kInvalidArgument "FILE:LINE:COLUMN: ...".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "base/error.h"

namespace larder::cli {

class TomlReader {
 public:
  // `title` is how the table is written: "[server]", "[[store]]".
  TomlReader(const toml::table& table, std::string title, const std::string& file)
      : table_(table), title_(std::move(title)), file_(file) {}

  const toml::node* Find(std::string_view key);
  std::optional<std::string> String(std::string_view key);
  std::optional<bool> Boolean(std::string_view key);
  std::optional<uint64_t> Number(std::string_view key, uint64_t smallest, uint64_t largest);
  // The number in `values` that belongs to the string.
  struct Choice {
    std::string_view text;
    int value;
  };
  std::optional<int> OneOf(std::string_view key, std::initializer_list<Choice> choices);

  // Keeps the first error; `key`'s value is where it points.
  void Fail(std::string_view key, std::string_view message);
  void FailAt(const toml::source_region& where, std::string_view message);
  // The first error, or that of the first key which nobody asked for.
  Result<void> Finish();

 private:
  const toml::table& table_;
  std::string title_;
  const std::string& file_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

}  // namespace larder::cli

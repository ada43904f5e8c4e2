// TomlReader: typed values out of one table of larder.toml, as cli/settings.h describes its keys.
//
// A key that is not there has the value of its default. The first error stays and later calls read
// nothing, so that a caller reads all keys in a row and looks at the end.
//
// Ownership:  borrows the table. Threads: one.
// Errors:     kInvalidArgument "FILE:LINE:COLUMN: ...".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "base/error.h"
#include "cli/settings.h"

namespace larder::cli {

// "500ms", "5s", "2m", "1h"; nullopt: not a duration.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// "4096", "64KiB", "512MiB", "1GiB"; nullopt: not a size.
std::optional<uint64_t> ParseBytes(std::string_view text);
// "30%", "0.5%": 0.3, 0.005; nullopt: not a share.
std::optional<double> ParseShare(std::string_view text);

class TomlReader {
 public:
  // `name` is that of one of SettingTables().
  TomlReader(const toml::table& table, std::string_view name, const std::string& file)
      : table_(table), spec_(*FindSettingTable(name)), file_(file) {}

  bool Has(std::string_view key) const { return table_.contains(key); }
  std::string Text(std::string_view key);
  // Nullopt: it is not there.
  std::optional<std::string> OptionalText(std::string_view key);
  // A string, or an array of them; where there are choices each is one of these.
  std::vector<std::string> Texts(std::string_view key);
  bool Boolean(std::string_view key);
  uint64_t Number(std::string_view key);
  // A number, or the index of a word among the choices.
  struct NumberOrWord {
    std::optional<uint64_t> number = {};
    size_t word = 0;
  };
  NumberOrWord ReadNumberOrWord(std::string_view key);
  // The index among the choices; the enumerators that a key stands for are in the same order.
  size_t Choice(std::string_view key);
  std::optional<size_t> OptionalChoice(std::string_view key);
  std::chrono::milliseconds Duration(std::string_view key);
  uint64_t Bytes(std::string_view key);
  // Nullopt: "off".
  std::optional<double> Share(std::string_view key);
  // For what holds tables; null: it is not there.
  const toml::node* Node(std::string_view key);

  // Keeps the first error; `key`'s value is where it points.
  void Fail(std::string_view key, std::string_view message);
  void FailAt(const toml::source_region& where, std::string_view message);
  void Adopt(const Result<void>& inner);
  // Of the value, or of the table when it is not there.
  toml::source_index LineOf(std::string_view key) const;
  // The first error, or that of the first key which is not known.
  Result<void> Finish();

 private:
  const Setting& Of(std::string_view key) const { return *FindSetting(spec_.name, key); }
  void FailExpecting(const Setting& setting, std::string_view expected, const toml::node& found);
  bool IsChoice(const Setting& setting, const std::string& text);
  // The string under `key`, or the default when there is none; nullopt after an error.
  std::optional<std::string> String(const Setting& setting);
  std::string Hint(std::string_view unknown) const;

  const toml::table& table_;
  const SettingTable& spec_;
  const std::string& file_;
  std::optional<Error> error_;
};

}  // namespace larder::cli

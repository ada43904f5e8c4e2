// Settings: every key of larder.toml, as data.
//
// The table says of each key its type, its default and its bounds; the file is read by it
// (cli/toml_reader.h), docs/configuration.md is made from it, and an unknown key is told by it. A
// new key is a line here and a line in cli/config.cc.
//
// Threads: constants.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "store/catalogue.h"

namespace larder::cli {

enum class SettingType : uint8_t {
  kText,
  kTexts,  // one, or an array of them
  kBoolean,
  kNumber,
  kNumberOrWord,  // or one of the choices
  kChoice,
  kDuration,  // bounds in milliseconds
  kBytes,
  kShare,   // "30%", "off"; bounds in percent
  kTables,  // an array of tables, or of single values that stand for the table's first key
};

struct Setting {
  std::string_view table;  // one of kSettingTables
  std::string_view key;
  SettingType type = SettingType::kText;
  // As it would be written, without quotes. Empty: none.
  std::string_view fallback = {};
  uint64_t smallest = 0;
  uint64_t largest = 0;
  std::span<const std::string_view> choices = {};
  std::string_view meaning = {};
  // What the documentation says of the default where `fallback` does not.
  std::string_view fallback_shown = {};
  bool required = false;
  bool secret = false;  // no error shows the value
};

struct SettingTable {
  std::string_view name;   // "store.gate"
  std::string_view title;  // as it is written: "[store.gate]"
  std::string_view meaning;
};

inline constexpr uint64_t kMaxThreads = 256;                    // far below kMaxEpochReaders
inline constexpr uint64_t kMinBuildMemory = uint64_t{1} << 20;  // one run of the index
inline constexpr uint64_t kMinQueryBytes = uint64_t{1} << 20;   // Redis's for this limit
inline constexpr uint64_t kYearMs = uint64_t{365} * 24 * 3600 * 1000;
inline constexpr uint64_t kAnyNumber = INT64_MAX;  // the largest of a TOML file
inline constexpr uint64_t kMaxGrowthPercent = 1'000'000;

inline constexpr std::array<std::string_view, 1> kProtocolNames = {"resp"};
inline constexpr std::array<std::string_view, 2> kReadOnlyErrorNames = {"READONLY", "NOPERM"};
inline constexpr std::array<std::string_view, 2> kUserCommandNames = {"read", "admin"};
inline constexpr std::array<std::string_view, 1> kStoreKindNames = {"dataset"};
inline constexpr std::array<std::string_view, 5> kFormatNames = {"auto", "jsonl", "json", "pointer",
                                                                 "snapshot"};
inline constexpr std::array<std::string_view, 4> kShapeNames = {"auto", "typed", "short", "rows"};
inline constexpr std::array<std::string_view, 2> kBadLinesNames = {"fail", "skip"};
inline constexpr std::array<std::string_view, 4> kResidencyNames = {"mapped", "populated", "huge",
                                                                    "locked"};
inline constexpr std::array<std::string_view, 3> kDuplicatesNames = {"last", "first", "error"};
inline constexpr std::array<std::string_view, 6> kTypeNames = {"string", "hash", "list",
                                                               "set",    "zset", "json"};

std::span<const SettingTable> SettingTables();
std::span<const Setting> Settings();

// Null: there is none.
const SettingTable* FindSettingTable(std::string_view name);
const Setting* FindSetting(std::string_view table, std::string_view key);

// The candidate that `word` was probably meant to be; empty: none is near.
std::string_view NearestWord(std::string_view word, std::span<const std::string_view> candidates);

// docs/configuration.md.
std::string ConfigurationReference();

}  // namespace larder::cli

// Config: what larder.toml says, checked.
//
// Every key has one meaning and a default; an unknown key, a wrong type and a value out of range
// are errors that name the file, the line and the column. Relative paths are relative to the
// directory of the configuration file, so that it means the same wherever it is started from.
//
// Threads: a value. Errors: kInvalidArgument "FILE:LINE:COLUMN: ...", kNotFound.
// Format:  docs/operations.md, "Configuration"
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "dataset/dataset.h"
#include "server/server.h"

namespace larder::cli {

inline constexpr std::string_view kDefaultConfigFile = "larder.toml";
inline constexpr std::string_view kDefaultAddress = "127.0.0.1:6380";
// Under the working directory (or the configuration file's): one folder per store.
inline constexpr std::string_view kDefaultDataDirectory = "larder-data";

inline constexpr uint64_t kMaxThreads = 256;  // far below kMaxEpochReaders
inline constexpr uint64_t kMinBuildMemory = uint64_t{1} << 20;

struct StoreConfig {
  uint32_t database = 0;
  dataset::Options options;
};

struct Config {
  server::ServerOptions server;
  LogLevel log_level = LogLevel::kInfo;
  std::vector<StoreConfig> stores;
};

// `path` is for messages and for relative paths.
Result<Config> ParseConfig(std::string_view text, const std::string& path);
Result<Config> LoadConfig(const std::string& path);

// "500ms", "5s", "2m", "1h"; nullopt: not a duration.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// "4096", "64KiB", "512MiB", "1GiB"; nullopt: not a size.
std::optional<uint64_t> ParseBytes(std::string_view text);

// What `larder serve FILE` calls the store: the base name without the suffixes that are known.
std::string StoreNameOf(std::string_view source);
// Printable ASCII without spaces and slashes: the name stands in replies, logs and paths.
bool ValidStoreName(std::string_view name);

}  // namespace larder::cli

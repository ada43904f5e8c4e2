// Config: what larder.toml says, checked.
//
// Every key has one meaning and a default (cli/settings.h); an unknown key, a wrong type and a
// value out of range are errors that name the file, the line and the column. Relative paths are
// relative to the directory of the configuration file, so that it means the same wherever it is
// started from.
//
// Threads: a value. Errors: kInvalidArgument "FILE:LINE:COLUMN: ...", kNotFound.
// Format:  docs/configuration.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "cli/settings.h"
#include "cli/toml_reader.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::cli {

inline constexpr std::string_view kDefaultConfigFile = "larder.toml";
inline constexpr std::string_view kDefaultAddress = "127.0.0.1:6380";
// Under the working directory (or the configuration file's): one folder per store.
inline constexpr std::string_view kDefaultDataDirectory = "larder-data";

using StoreConfig = store::StoreOptions;

struct Config {
  server::ServerOptions server;
  bool reload = true;  // take the file by itself when it has changed
  LogFormat log_format = LogFormat::kText;
  LogLevel log_level = LogLevel::kInfo;
  std::vector<StoreConfig> stores;
};

// `path` is for messages and for relative paths.
Result<Config> ParseConfig(std::string_view text, const std::string& path);
Result<Config> LoadConfig(const std::string& path);
Result<std::string> ReadConfigText(const std::string& path);

// The path without "." and "x/..": for people, and to compare. (Where x is a symbolic link it names
// another file, so what is opened is what was written.)
std::string TidyPath(const std::string& path);

// What `larder serve FILE` calls the store: the base name without the suffixes that are known.
std::string StoreNameOf(std::string_view source);
// Printable ASCII without spaces and slashes: the name stands in replies, logs and paths.
bool ValidStoreName(std::string_view name);

}  // namespace larder::cli

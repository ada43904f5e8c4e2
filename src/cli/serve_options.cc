#include "cli/serve_options.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "cli/settings.h"
#include "io/file_system.h"

namespace larder::cli {

namespace {

// What is wrong with a file of the command line is said at once; a configured source may come
// later.
Result<void> CheckFile(const std::string& file) {
  LARDER_ASSIGN(const io::FileInfo info, io::RealFileSystem().Stat(file));
  if (info.kind == io::FileKind::kRegular) return {};
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("{} is {}; what is served is a file of records", file,
                  info.kind == io::FileKind::kDirectory ? "a directory" : "a pipe or a device"));
}

Result<void> CheckName(const Config& config, const std::string& file, const std::string& name) {
  for (const StoreConfig& other : config.stores) {
    if (other.options.name != name) continue;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} would be store {}, as {} is already; give it a name in a "
                            "configuration (--config)",
                            file, name, other.options.source));
  }
  return {};
}

// The files of the command line become stores with defaults, in the databases that are still free.
Result<void> AddFiles(const ServeOptions& options, Config& config) {
  std::set<uint32_t> taken;
  for (const StoreConfig& store : config.stores) taken.insert(store.database);
  const std::string base =
      options.directory.empty() ? std::string(kDefaultDataDirectory) : options.directory;
  uint32_t next = 0;
  for (const std::string& file : options.files) {
    LARDER_TRY(CheckName(config, file, StoreNameOf(file)));
    while (taken.contains(next)) ++next;
    StoreConfig store;
    store.database = next++;
    store.options.source = file;
    store.options.name = StoreNameOf(file);
    store.options.directory = fmt::format("{}/{}", base, store.options.name);
    store.options.import = options.import;
    config.stores.push_back(std::move(store));
  }
  return {};
}

}  // namespace

Result<std::string> ChooseConfigFile(const ServeOptions& options) {
  if (options.files.empty() && !options.directory.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--dir is where the versions of FILE are kept, and there is no FILE; a configured "
                "store has its own directory");
  }
  if (options.files.empty() && options.import != importer::SourceOptions()) {
    return Fail(ErrorCode::kInvalidArgument,
                "there is no FILE that --format, --key-field and their like could be for; a "
                "configured store has its own");
  }
  for (const std::string& file : options.files) LARDER_TRY(CheckFile(file));
  if (!options.config.empty()) return options.config;
  if (!options.files.empty()) return std::string();
  if (!io::RealFileSystem().Stat(std::string(kDefaultConfigFile))) {
    return Fail(ErrorCode::kInvalidArgument,
                "nothing to serve: give a FILE, --config FILE, or have a larder.toml here");
  }
  return std::string(kDefaultConfigFile);
}

Result<Config> MakeServeConfig(const ServeOptions& options, const std::string& path,
                               std::string_view text) {
  Config config;
  if (path.empty()) {
    config.server.listeners.push_back({.address = std::string(kDefaultAddress)});
  } else {
    LARDER_ASSIGN(config, ParseConfig(text, path));
  }
  if (!options.resp.empty()) config.server.listeners = {{.address = options.resp}};
  if (options.threads != 0) config.server.threads = options.threads;
  LARDER_TRY(AddFiles(options, config));
  const auto* const residency = std::ranges::find(kResidencyNames, options.residency);
  if (residency != kResidencyNames.end()) {
    const auto mode = static_cast<Residency>(residency - kResidencyNames.begin());
    for (StoreConfig& store : config.stores) store.options.residency = mode;
  }
  if (config.stores.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: nothing to serve: there is no [[store]]", path));
  }
  return config;
}

}  // namespace larder::cli

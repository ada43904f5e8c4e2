#include "cli/store_access.h"

#include <optional>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/config.h"
#include "cli/store_files.h"
#include "io/file_system.h"

namespace larder::cli {

namespace {

// Where a store may be found: at servers, and as a directory.
struct Places {
  std::vector<server::ListenerOptions> servers;
  std::vector<dataset::Options> stores;
};

Result<Places> PlacesOfConfig(const std::string& path) {
  LARDER_ASSIGN(Config config, LoadConfig(path));
  Places places;
  places.servers = std::move(config.server.listeners);
  for (StoreConfig& store : config.stores) places.stores.push_back(std::move(store.options));
  return places;
}

// Every folder under `base` is a store, as `larder serve FILE` makes them.
Places PlacesUnder(const std::string& base) {
  Places places;
  places.servers = {{.address = std::string(kDefaultAddress)}};
  const auto names = io::RealFileSystem().List(base);
  if (!names) return places;
  for (const std::string& name : *names) {
    dataset::Options options;
    options.name = name;
    options.directory = fmt::format("{}/{}", base, name);
    const auto info = io::RealFileSystem().Stat(options.directory);
    if (info && info->kind == io::FileKind::kDirectory) places.stores.push_back(options);
  }
  return places;
}

Result<Places> FindPlaces(const StoreArguments& arguments) {
  const std::string default_config(kDefaultConfigFile);
  if (!arguments.directory.empty()) {
    Places places = PlacesUnder(arguments.directory);
    places.servers.clear();  // a server's store of that name may be another one
    return places;
  }
  if (!arguments.config.empty()) return PlacesOfConfig(arguments.config);
  if (io::RealFileSystem().Stat(default_config)) return PlacesOfConfig(default_config);
  return PlacesUnder(std::string(kDefaultDataDirectory));
}

Result<dataset::Options> ChooseStore(const std::vector<dataset::Options>& stores,
                                     const std::string& name) {
  std::vector<std::string_view> names;
  for (const dataset::Options& store : stores) {
    if (store.name == name || (name.empty() && stores.size() == 1)) return store;
    names.push_back(store.name);
  }
  if (stores.empty()) {
    return Fail(
        ErrorCode::kNotFound,
        fmt::format("no store{}{}: no server answers and there is no directory of one here; "
                    "name one with --server, --config or --dir",
                    name.empty() ? "" : " ", name));
  }
  if (name.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("which store? There are {}", fmt::join(names, ", ")));
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("no store \"{}\"; there are {}", name, fmt::join(names, ", ")));
}

Result<std::unique_ptr<StoreAccess>> OpenDirectory(const Places& places, const std::string& store) {
  LARDER_ASSIGN(dataset::Options options, ChooseStore(places.stores, store));
  options.source.clear();  // nothing is compiled from here
  return OpenStoreInDirectory(std::move(options));
}

// The first server that has the store; null when there is none. `refusal` is that of the first that
// wanted a password or a certificate.
Result<std::unique_ptr<StoreAccess>> AskServers(const Places& places,
                                                const StoreArguments& arguments,
                                                std::optional<Error>& refusal) {
  for (const server::ListenerOptions& listener : places.servers) {
    LARDER_ASSIGN(const ServerPlace place, PlaceOf(listener, arguments.access));
    auto found = OpenStoreAtServer(place, arguments.store);
    if (found) return found;
    if (found.error().code() == ErrorCode::kPermissionDenied && !refusal) refusal = found.error();
  }
  return nullptr;
}

// With what a server said, where that may be why.
Error WithRefusal(const Error& error, const std::optional<Error>& refusal) {
  if (!refusal) return error;
  return {refusal->code(), fmt::format("{}; and {}", refusal->message(), error.message())};
}

}  // namespace

void AddServerOptions(CLI::App& command, StoreArguments& arguments) {
  command.add_option("--server", arguments.server, "Ask the server at this address, nobody else");
  command.add_option("--config", arguments.config,
                     "The server's configuration (default: larder.toml if here)");
  AddAccessOptions(command, arguments.access);
}

void AddStoreOptions(CLI::App& command, StoreArguments& arguments) {
  AddServerOptions(command, arguments);
  command.add_option("--dir", arguments.directory,
                     "Open DIR/STORE, and ask no server (default: larder-data)");
}

Result<std::unique_ptr<StoreAccess>> OpenStore(const StoreArguments& arguments) {
  if (!arguments.server.empty()) {
    LARDER_ASSIGN(const ServerPlace place,
                  PlaceOf({.address = arguments.server}, arguments.access));
    return OpenStoreAtServer(place, arguments.store);
  }
  LARDER_ASSIGN(const Places places, FindPlaces(arguments));
  std::optional<Error> refusal;
  LARDER_ASSIGN(auto at_server, AskServers(places, arguments, refusal));
  if (at_server != nullptr) return at_server;
  auto in_directory = OpenDirectory(places, arguments.store);
  if (in_directory) return in_directory;
  const Error& error = in_directory.error();
  if (refusal) return std::unexpected(WithRefusal(error, refusal));
  if (error.code() != ErrorCode::kBusy) return in_directory;
  return Fail(
      ErrorCode::kBusy,
      fmt::format("{}; if that is a server, name it with --server ADDRESS", error.message()));
}

Result<std::vector<ServerPlace>> ServerPlaces(const StoreArguments& arguments) {
  Places places;
  if (!arguments.server.empty()) {
    places.servers = {{.address = arguments.server}};
  } else {
    LARDER_ASSIGN(places, FindPlaces(arguments));
  }
  if (places.servers.empty()) places.servers = {{.address = std::string(kDefaultAddress)}};
  std::vector<ServerPlace> found;
  for (const server::ListenerOptions& listener : places.servers) {
    LARDER_ASSIGN(ServerPlace place, PlaceOf(listener, arguments.access));
    found.push_back(std::move(place));
  }
  return found;
}

Result<StoreFiles> FindStoreFiles(const StoreArguments& arguments) {
  std::unique_ptr<StoreAccess> at_server;
  Places places;
  std::optional<Error> refusal;
  if (!arguments.server.empty()) {
    LARDER_ASSIGN(const ServerPlace place,
                  PlaceOf({.address = arguments.server}, arguments.access));
    LARDER_ASSIGN(at_server, OpenStoreAtServer(place, arguments.store));
  } else {
    LARDER_ASSIGN(places, FindPlaces(arguments));
    LARDER_ASSIGN(at_server, AskServers(places, arguments, refusal));
  }
  if (at_server == nullptr) {
    const auto store = ChooseStore(places.stores, arguments.store);
    if (!store) return std::unexpected(WithRefusal(store.error(), refusal));
    return ReadStoreDirectory(store->name, store->directory);
  }
  LARDER_ASSIGN(std::vector<dataset::VersionInfo> versions, at_server->Versions());
  return StoreFiles{.store = at_server->name(),
                    .directory = at_server->directory(),
                    .versions = std::move(versions)};
}

}  // namespace larder::cli

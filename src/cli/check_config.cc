// larder check-config: is this configuration right, and what does it mean?
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/subcommands.h"
#include "io/file_system.h"
#include "server/tls.h"
#include "store/catalogue.h"

namespace larder::cli {

namespace {

Json Describe(const Config& config) {
  Json listeners = Json::array();
  for (const auto& listener : config.server.listeners) {
    listeners.push_back({{"address", listener.address},
                         {"protocol", "resp"},
                         {"tls", listener.tls.enabled()},
                         {"client_certificates", !listener.tls.client_ca.empty()},
                         {"read_only_error", kReadOnlyErrorNames[listener.read_only_is_noperm]}});
  }
  Json users = Json::array();
  for (const command::User& user : config.server.users.all()) {
    const command::UserOptions& options = user.options();
    Json commands = Json::array();
    if (options.may_read) commands.push_back(kUserCommandNames[0]);
    if (options.may_admin) commands.push_back(kUserCommandNames[1]);
    users.push_back({{"name", options.name},
                     {"enabled", options.enabled},
                     {"any_password", options.any_password},
                     {"commands", commands}});
  }
  Json stores = Json::array();
  for (const StoreConfig& store : config.stores) {
    const dataset::Options& options = store.options;
    stores.push_back({{"name", options.name},
                      {"database", store.database},
                      {"source", TidyPath(options.source)},
                      {"directory", TidyPath(options.directory)},
                      {"format", kFormatNames[static_cast<size_t>(options.import.format)]},
                      {"keep", options.keep},
                      {"watch_ms", options.watch.count()}});
  }
  return {{"listeners", listeners}, {"users", users}, {"stores", stores}};
}

// What only the file system knows: two names of one directory, and what certificates are like.
Result<void> CheckFiles(const Config& config) {
  LARDER_TRY(store::CheckStores(io::RealFileSystem(), config.stores));
  for (const auto& listener : config.server.listeners) {
    if (listener.tls.enabled()) LARDER_TRY(server::TlsContext::ForServer(listener.tls));
  }
  return {};
}

int CheckConfig(const std::string& path, bool json) {
  const auto config = LoadConfig(path);
  if (!config) return ReportError(config.error());
  const auto files = CheckFiles(*config);
  if (!files) {
    return ReportError(
        Error(ErrorCode::kInvalidArgument, fmt::format("{}: {}", path, files.error().message())));
  }
  if (json) {
    PrintJson(Describe(*config));
  } else {
    fmt::print("{}: right, {} listeners, {} stores\n", path, config->server.listeners.size(),
               config->stores.size());
  }
  return kExitOk;
}

}  // namespace

void AddCheckConfig(CLI::App& app, Run& chosen) {
  auto path = std::make_shared<std::string>(kDefaultConfigFile);
  auto json = std::make_shared<bool>(false);
  CLI::App* const check = app.add_subcommand("check-config", "Check a configuration file");
  check->add_option("FILE", *path, "Default: larder.toml");
  check->add_flag("--json", *json, "Print what it means as JSON");
  check->footer("Example:\n  larder check-config /etc/larder.toml\nExits with 2 when it is wrong.");
  check->callback(
      [path, json, &chosen] { chosen = [path, json] { return CheckConfig(*path, *json); }; });
}

}  // namespace larder::cli

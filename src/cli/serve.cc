// larder serve: the server itself.
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "io/file_system.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::cli {

namespace {

struct ServeOptions {
  std::string config;
  std::string resp;
  std::string directory;
  unsigned threads = 0;
  std::vector<std::string> files;
};

// Blocked before any thread is made, so that all threads leave them to the one that waits.
sigset_t BlockStopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  return stop;
}

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
    LARDER_TRY(CheckFile(file));
    LARDER_TRY(CheckName(config, file, StoreNameOf(file)));
    while (taken.contains(next)) ++next;
    StoreConfig store;
    store.database = next++;
    store.options.source = file;
    store.options.name = StoreNameOf(file);
    store.options.directory = fmt::format("{}/{}", base, store.options.name);
    config.stores.push_back(std::move(store));
  }
  return {};
}

Result<Config> MakeConfig(const ServeOptions& options) {
  Config config;
  if (options.files.empty() && !options.directory.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--dir is where the versions of FILE are kept, and there is no FILE; a configured "
                "store has its own directory");
  }
  const std::string default_file(kDefaultConfigFile);
  if (!options.config.empty()) {
    LARDER_ASSIGN(config, LoadConfig(options.config));
  } else if (options.files.empty()) {
    if (!io::RealFileSystem().Stat(default_file)) {
      return Fail(ErrorCode::kInvalidArgument,
                  "nothing to serve: give a FILE, --config FILE, or have a larder.toml here");
    }
    LARDER_ASSIGN(config, LoadConfig(default_file));
  } else {
    config.server.listeners.push_back({std::string(kDefaultAddress), server::Protocol::kResp});
  }
  if (!options.resp.empty()) config.server.listeners = {{options.resp, server::Protocol::kResp}};
  if (options.threads != 0) config.server.threads = options.threads;
  LARDER_TRY(AddFiles(options, config));
  if (config.stores.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: nothing to serve: there is no [[store]]",
                            options.config.empty() ? default_file : options.config));
  }
  return config;
}

// One progress line per store, alive as long as its dataset.
using ProgressLines = std::vector<std::unique_ptr<Progress>>;

Result<void> OpenStores(const Config& config, ProgressLines& lines, store::Catalogue& catalogue) {
  for (const StoreConfig& store : config.stores) {
    dataset::Options options = store.options;
    lines.push_back(std::make_unique<Progress>(options.name));
    options.progress = [line = lines.back().get()](std::string_view step, double share) {
      line->Show(step, share);
    };
    LARDER_TRY(catalogue.AddDataset(store.database, std::move(options)));
  }
  return {};
}

void PrintWhatIsServed(const server::Server& server, const store::Catalogue& catalogue) {
  fmt::print("larder {} (process {})\n", LARDER_VERSION, ::getpid());
  for (const std::string& address : server.addresses()) fmt::print("listening on {}\n", address);
  for (const store::Entry& entry : catalogue.PinView()->entries()) {
    const dataset::Status status = entry.dataset->status();
    fmt::print("database {}: {}, {}, versions in {}, {}\n", entry.database, status.name,
               status.source.empty() ? "no source" : fmt::format("from {}", status.source),
               status.directory,
               status.current == 0
                   ? "nothing to serve yet"
                   : fmt::format("version {} ({} records)", status.current, status.records));
  }
  std::fflush(stdout);
}

Result<void> Serve(const ServeOptions& options) {
  const sigset_t stop_signals = BlockStopSignals();
  LARDER_ASSIGN(Config config, MakeConfig(options));
  SetLogLevel(config.log_level);
  ProgressLines lines;
  store::Catalogue catalogue(io::RealFileSystem());
  LARDER_TRY(OpenStores(config, lines, catalogue));
  LARDER_ASSIGN(auto server, server::Server::Create(catalogue, config.server));
  LARDER_TRY(server->Start());
  PrintWhatIsServed(*server, catalogue);
  catalogue.StartWatching();

  int received = 0;
  sigwait(&stop_signals, &received);
  LogInfo(fmt::format("stopping: {}", received == SIGINT ? "SIGINT" : "SIGTERM"));
  // A second signal ends the program at once.
  pthread_sigmask(SIG_UNBLOCK, &stop_signals, nullptr);
  server->RequestStop();
  catalogue.StopWatching();
  server->Wait();
  LogInfo("stopped");
  return {};
}

}  // namespace

void AddServe(CLI::App& app, Run& chosen) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* const serve = app.add_subcommand("serve", "Serve files to Redis clients");
  serve->add_option("FILE", options->files,
                    "Served at once with defaults: the first as database 0, the next as 1...");
  serve->add_option("--config", options->config, "Configuration (default: larder.toml if here)");
  serve->add_option("--resp", options->resp,
                    "Listen here: 127.0.0.1:6380 (default), [::1]:6380, unix:/run/larder.sock");
  serve->add_option("--dir", options->directory,
                    "Versions of FILE are kept in DIR/NAME (default: larder-data/NAME)");
  serve->add_option("--threads", options->threads, "Event loops (default: one per core)")
      ->check(CLI::Range(kMaxThreads));
  serve->footer(
      "Examples:\n"
      "  larder serve features.jsonl.gz\n"
      "  larder serve --resp unix:/run/larder.sock --dir /var/lib/larder a.jsonl b.jsonl\n"
      "  larder serve --config /etc/larder.toml\n"
      "SIGTERM and SIGINT stop it: requests already received are answered first.");
  serve->callback([options, &chosen] {
    chosen = [options] {
      const auto served = Serve(*options);
      return served ? int{kExitOk} : ReportError(served.error());
    };
  });
}

}  // namespace larder::cli

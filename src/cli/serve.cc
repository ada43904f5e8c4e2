// larder serve: the server itself.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/import_options.h"
#include "cli/reload.h"
#include "cli/serve_options.h"
#include "cli/settings.h"
#include "cli/subcommands.h"
#include "io/file_system.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::cli {

namespace {

// How often the configuration file is looked at.
constexpr timespec kConfigLook = {.tv_sec = 1, .tv_nsec = 0};

sigset_t SignalSet(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

// Blocked before any thread is made, so that all threads leave them to the one that waits.
sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t awaited = SignalSet({SIGTERM, SIGINT, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
  return awaited;
}

void PrintWhatIsServed(const server::Server& server, const store::Catalogue& catalogue) {
  fmt::print("larder {} (process {})\n", LARDER_VERSION, ::getpid());
  for (const std::string& address : server.addresses()) fmt::print("listening on {}\n", address);
  for (const store::Entry& entry : catalogue.PinView()->entries()) {
    const dataset::Status status = entry.dataset->status();
    fmt::print(
        "database {}: {}, {}, versions in {}, {}\n", entry.database, status.name,
        status.source.empty() ? "no source" : fmt::format("from {}", TidyPath(status.source)),
        TidyPath(status.directory),
        status.current == 0
            ? "nothing to serve yet"
            : fmt::format("version {} ({} records)", status.current, status.records));
  }
  // A server serves, whether or not anybody reads this.
  std::fflush(stdout);
  std::clearerr(stdout);
}

// Takes changed configurations until the server is to stop; returns the signal that says so.
int ServeUntilStopped(const sigset_t& awaited, Reloader& reloader) {
  while (true) {
    const int signal = reloader.looks() ? sigtimedwait(&awaited, nullptr, &kConfigLook)
                                        : sigwaitinfo(&awaited, nullptr);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal == SIGHUP) reloader.Reload();
    if (signal < 0 && errno == EAGAIN) reloader.Look();
  }
}

Result<void> Serve(const ServeOptions& options) {
  const sigset_t awaited = BlockSignals();
  LARDER_ASSIGN(const std::string path, ChooseConfigFile(options));
  std::string text;
  if (!path.empty()) {
    LARDER_ASSIGN(text, ReadConfigText(path));
  }
  LARDER_ASSIGN(Config config, MakeServeConfig(options, path, text));
  SetLogLevel(config.log_level);
  SetLogFormat(config.log_format);
  store::Catalogue catalogue(io::RealFileSystem());
  LARDER_ASSIGN(store::Catalogue::Change stores, catalogue.Prepare(WithProgress(config.stores)));
  catalogue.Commit(std::move(stores));
  LARDER_ASSIGN(auto server, server::Server::Create(catalogue, config.server));
  LARDER_TRY(server->Start());
  PrintWhatIsServed(*server, catalogue);
  catalogue.StartWatching();

  Reloader reloader(options, path, std::move(text), std::move(config), catalogue, *server);
  const int signal = ServeUntilStopped(awaited, reloader);
  LogInfo(fmt::format("stopping: {}", signal == SIGINT ? "SIGINT" : "SIGTERM"));
  // A second signal ends the program at once.
  const sigset_t stop = SignalSet({SIGTERM, SIGINT});
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
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
  serve
      ->add_option("--residency", options->residency,
                   "What brings versions into memory before they are served, of all stores")
      ->check(
          CLI::IsMember(std::vector<std::string>(kResidencyNames.begin(), kResidencyNames.end())));
  AddImportOptions(*serve, options->import);
  serve->footer(
      "Examples:\n"
      "  larder serve features.jsonl.gz\n"
      "  larder serve --key-field alpha_2 /usr/share/iso-codes/json/iso_3166-1.json\n"
      "  larder serve --resp unix:/run/larder.sock --dir /var/lib/larder a.jsonl b.jsonl\n"
      "  larder serve --config /etc/larder.toml\n"
      "SIGTERM and SIGINT stop it: requests already received are answered first. SIGHUP takes the\n"
      "configuration file anew; a changed one is also taken by itself.");
  serve->callback([options, &chosen] {
    chosen = [options] {
      const auto served = Serve(*options);
      return served ? int{kExitOk} : ReportError(served.error());
    };
  });
}

}  // namespace larder::cli

// larder watch: what happens to the stores of a server, line by line.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <poll.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/store_access.h"
#include "cli/subcommands.h"
#include "cli/time_text.h"
#include "cli/watch_events.h"

namespace larder::cli {

namespace {

struct WatchArguments {
  StoreArguments where;
  double interval_s = 1;
  bool once = false;
  bool json = false;
};

using Stores = std::map<std::string, dataset::Status>;

// One connection, made anew when it was lost.
class WatchedServer {
 public:
  WatchedServer(std::vector<ServerPlace> places, std::string store)
      : places_(std::move(places)), store_(std::move(store)) {}

  Result<Stores> Look() {
    if (!client_) LARDER_TRY(Connect());
    const auto found = AskDatasets(*client_);
    if (!found) {
      client_.reset();
      return std::unexpected(found.error());
    }
    Stores stores;
    for (const dataset::Status& status : *found) {
      if (store_.empty() || status.name == store_) stores.emplace(status.name, status);
    }
    return stores;
  }
  const std::string& address() const { return places_[0].address; }

 private:
  // The first that answers; from then on it and nobody else.
  Result<void> Connect() {
    std::optional<Error> first_error;
    for (const ServerPlace& place : places_) {
      auto client = RespClient::Connect(place);
      if (client) {
        client_ = *std::move(client);
        places_ = {ServerPlace(place)};
        return {};
      }
      if (!first_error) first_error = client.error();
    }
    return std::unexpected(first_error.value_or(Error(ErrorCode::kNotFound, "no server is named")));
  }

  std::vector<ServerPlace> places_;
  std::string store_;
  std::optional<RespClient> client_;
};

void Print(const WatchEvent& event, bool json) {
  if (json) {
    Json line = {{"time_ms", NowMs()}};
    line.update(EventJson(event));
    return PrintJsonLine(line);
  }
  fmt::print("{} {}{}{}\n", TimeText(NowMs()), event.store, event.store.empty() ? "" : " ",
             EventText(event));
  std::fflush(stdout);
}

void PrintState(const Stores& stores, bool json) {
  for (const auto& [name, status] : stores) {
    WatchEvent event;
    event.store = name;
    event.version = status.current;
    event.now = status;
    Print(event, json);
  }
}

void PrintChanges(const Stores& before, const Stores& now, bool json) {
  const auto find = [](const Stores& stores, const std::string& name) {
    const auto found = stores.find(name);
    return found == stores.end() ? nullptr : &found->second;
  };
  for (const auto& [name, status] : before) {
    if (find(now, name) != nullptr) continue;
    for (const WatchEvent& event : EventsBetween(&status, nullptr)) Print(event, json);
  }
  for (const auto& [name, status] : now) {
    for (const WatchEvent& event : EventsBetween(find(before, name), &status)) Print(event, json);
  }
}

// Until then, or until a signal comes.
void Wait(double seconds) { std::ignore = ::poll(nullptr, 0, static_cast<int>(seconds * 1000)); }

Result<void> Watch(const WatchArguments& arguments) {
  const Interrupt interrupt;
  LARDER_ASSIGN(std::vector<ServerPlace> places, ServerPlaces(arguments.where));
  WatchedServer server(std::move(places), arguments.where.store);
  LARDER_ASSIGN(Stores stores, server.Look());
  if (stores.empty() && !arguments.where.store.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} has no store \"{}\"", server.address(), arguments.where.store));
  }
  PrintState(stores, arguments.json);
  bool lost = false;
  while (!arguments.once && !Interrupt::requested()) {
    Wait(arguments.interval_s);
    if (Interrupt::requested()) break;
    auto now = server.Look();
    if (now && lost)
      Print({.kind = WatchEvent::Kind::kFound, .store = {}, .reason = {}, .now = {}},
            arguments.json);
    if (!now && !lost) {
      Print({.kind = WatchEvent::Kind::kLost,
             .store = {},
             .reason = now.error().message(),
             .now = {}},
            arguments.json);
    }
    lost = !now;
    if (!now) continue;
    PrintChanges(stores, *now, arguments.json);
    stores = *std::move(now);
  }
  return {};
}

}  // namespace

void AddWatch(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<WatchArguments>();
  CLI::App* const watch =
      app.add_subcommand("watch", "Follow the versions of a server's stores, line by line");
  watch->add_option("STORE", arguments->where.store, "The store's name (default: all of them)");
  AddServerOptions(*watch, arguments->where);
  watch->add_option("--interval", arguments->interval_s, "Seconds between two looks (default: 1)")
      ->check(CLI::Range(0.01, 3600.0));
  watch->add_flag("--once", arguments->once, "Print the present state and end");
  watch->add_flag("--json", arguments->json, "A JSON object a line");
  watch->footer(
      "Examples:\n"
      "  larder watch\n"
      "  larder watch features --json --server 127.0.0.1:6380\n"
      "  larder watch --once\n"
      "Ctrl-C ends it, with exit code 0. When the server goes away, it waits for it to come back.");
  watch->callback([arguments, &chosen] {
    chosen = [arguments] {
      const auto watched = Watch(*arguments);
      return watched ? int{kExitOk} : ReportError(watched.error());
    };
  });
}

}  // namespace larder::cli

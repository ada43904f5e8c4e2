#include "cli/reload.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "cli/progress.h"

namespace larder::cli {

namespace {

const StoreConfig* FindStore(const Config& config, const std::string& name) {
  const auto found = std::ranges::find_if(
      config.stores, [&name](const StoreConfig& store) { return store.options.name == name; });
  return found == config.stores.end() ? nullptr : &*found;
}

bool SameStore(const StoreConfig& a, const StoreConfig& b) {
  return a.database == b.database && a.options.directory == b.options.directory &&
         dataset::SameSettings(a.options, b.options);
}

template <typename Value>
void DescribeValue(std::string_view key, const Value& before, const Value& after,
                   std::vector<std::string>& to) {
  if (before != after) to.push_back(fmt::format("{} {} -> {}", key, before, after));
}

void DescribeUsers(const command::Users& before, const command::Users& after,
                   std::vector<std::string>& to) {
  for (const command::User& user : after.all()) {
    const command::User* const old = before.Find(user.name());
    if (old == nullptr) {
      to.push_back(fmt::format("user {} added", user.name()));
    } else if (old->options() != user.options()) {
      to.push_back(fmt::format("user {} changed", user.name()));
    }
  }
  for (const command::User& user : before.all()) {
    if (after.Find(user.name()) == nullptr)
      to.push_back(fmt::format("user {} removed", user.name()));
  }
}

// Of addresses that stay; the others are told by the server.
void DescribeListeners(const Config& before, const Config& after, std::vector<std::string>& to) {
  for (const server::ListenerOptions& now : after.server.listeners) {
    for (const server::ListenerOptions& old : before.server.listeners) {
      if (old.address == now.address &&
          (old.tls != now.tls || old.read_only_is_noperm != now.read_only_is_noperm)) {
        to.push_back(fmt::format("listener {} changed", now.address));
      }
    }
  }
}

void DescribeServer(const Config& before, const Config& after, std::vector<std::string>& to) {
  const server::ServerOptions& old = before.server;
  const server::ServerOptions& now = after.server;
  DescribeValue("max_clients", old.max_clients, now.max_clients, to);
  DescribeValue("max_output", old.max_output_bytes, now.max_output_bytes, to);
  DescribeValue("max_query", old.request.query_bytes, now.request.query_bytes, to);
  DescribeValue("idle_timeout", fmt::format("{}s", old.idle_timeout.count()),
                fmt::format("{}s", now.idle_timeout.count()), to);
  DescribeValue("protected_mode", old.protected_mode, now.protected_mode, to);
  DescribeValue("reload", before.reload, after.reload, to);
  DescribeValue("log level", kLogLevelNames[static_cast<size_t>(before.log_level)],
                kLogLevelNames[static_cast<size_t>(after.log_level)], to);
  DescribeValue("log format", kLogFormatNames[static_cast<size_t>(before.log_format)],
                kLogFormatNames[static_cast<size_t>(after.log_format)], to);
}

}  // namespace

std::vector<std::string> DescribeChanges(const Config& before, const Config& after) {
  std::vector<std::string> changes;
  for (const StoreConfig& store : after.stores) {
    const StoreConfig* const old = FindStore(before, store.options.name);
    if (old == nullptr) {
      changes.push_back(fmt::format("store {} added", store.options.name));
    } else if (!SameStore(*old, store)) {
      changes.push_back(fmt::format("store {} changed", store.options.name));
    }
  }
  for (const StoreConfig& store : before.stores) {
    if (FindStore(after, store.options.name) == nullptr)
      changes.push_back(fmt::format("store {} removed", store.options.name));
  }
  DescribeListeners(before, after, changes);
  DescribeUsers(before.server.users, after.server.users, changes);
  DescribeServer(before, after, changes);
  return changes;
}

std::vector<store::StoreOptions> WithProgress(std::vector<StoreConfig> stores) {
  for (StoreConfig& store : stores) {
    store.options.progress = [line = std::make_shared<Progress>(store.options.name)](
                                 std::string_view step, double share) { line->Show(step, share); };
  }
  return stores;
}

void Reloader::Look() {
  Result<std::string> text = ReadConfigText(path_);
  if (!text) {
    // Replacing a file may leave a moment without one.
    if (seen_ != "" || unreadable_) {
      seen_ = "";
      return;
    }
    unreadable_ = true;
    LogError(fmt::format("{}; the configuration of before stays", text.error().message()));
    return;
  }
  unreadable_ = false;
  if (*text == handled_) {
    seen_.reset();
  } else if (seen_ == *text) {
    Handle(*std::move(text), "the file has changed");
  } else {
    seen_ = *std::move(text);
  }
}

void Reloader::Reload() {
  if (path_.empty()) {
    LogWarning(
        "SIGHUP: there is no configuration file to take anew, only files of the command line");
    return;
  }
  Result<std::string> text = ReadConfigText(path_);
  if (!text) {
    LogError(fmt::format("SIGHUP: {}; the configuration of before stays", text.error().message()));
    return;
  }
  Handle(*std::move(text), "SIGHUP");
}

void Reloader::Handle(std::string text, std::string_view why) {
  const Result<void> taken = Take(text, why);
  if (!taken) {
    LogError(
        fmt::format("configuration refused ({}): {}; the one of before stays, until the file "
                    "is another or SIGHUP comes",
                    why, taken.error().message()));
  }
  handled_ = std::move(text);
  seen_.reset();
}

Result<void> Reloader::Take(const std::string& text, std::string_view why) {
  LARDER_ASSIGN(Config config, MakeServeConfig(options_, path_, text));
  if (config.server.threads != active_.server.threads) {
    LogWarning(fmt::format("threads = {} takes effect at the next start, the rest now",
                           config.server.threads));
    config.server.threads = active_.server.threads;
  }
  LARDER_ASSIGN(store::Catalogue::Change stores, catalogue_.Prepare(WithProgress(config.stores)));
  LARDER_ASSIGN(server::Server::Change listeners, server_.Prepare(config.server));
  // Nothing can fail from here on.
  const std::vector<std::string> addresses = server_.addresses();
  catalogue_.Commit(std::move(stores));
  server_.Commit(std::move(listeners));
  ApplyLog(config);
  LogListeners(addresses);
  std::vector<std::string> changes = DescribeChanges(active_, config);
  const auto& entrances = config.server.listeners;
  if (std::ranges::any_of(entrances, [](const auto& one) { return one.tls.enabled(); }))
    changes.emplace_back("certificates read again");
  LogInfo(fmt::format("configuration taken ({}): {}", why,
                      changes.empty() ? "nothing is other than before"
                                      : fmt::format("{}", fmt::join(changes, ", "))));
  active_ = std::move(config);
  return {};
}

// A level that was set by a command stays until the file says another.
void Reloader::ApplyLog(const Config& config) const {
  if (config.log_level != active_.log_level) SetLogLevel(config.log_level);
  if (config.log_format != active_.log_format) SetLogFormat(config.log_format);
}

void Reloader::LogListeners(const std::vector<std::string>& before) const {
  const std::vector<std::string> after = server_.addresses();
  for (const std::string& address : after) {
    if (std::ranges::find(before, address) == before.end())
      LogInfo(fmt::format("listening on {}", address));
  }
  for (const std::string& address : before) {
    if (std::ranges::find(after, address) == after.end())
      LogInfo(fmt::format("no longer listening on {}", address));
  }
}

}  // namespace larder::cli

#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <latch>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/auxv.h>

#include "base/log.h"
#include "server/address.h"
#include "server/announcer.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/resident_memory.h"
#include "server/shared_state.h"
#include "server/worker.h"

namespace larder::server {

SharedState::SharedState(store::Catalogue& stores)
    : catalogue(stores), channels([this](unsigned worker, std::shared_ptr<const Publication> sent) {
        workers[worker]->Send(Delivery{std::move(sent)});
      }) {}
SharedState::~SharedState() = default;

Worker* SharedState::FindWorkerOf(uint64_t client) const {
  const auto found = std::ranges::find_if(
      workers, [client](const auto& worker) { return worker->registry().Knows(client); });
  return found == workers.end() ? nullptr : found->get();
}

void SharedState::SendInvalidations() {
  if (tracking_clients.load() == 0) return;
  for (const auto& worker : workers) worker->Send(Invalidation());
}

namespace {

std::string NewRunId() {
  std::random_device random;
  std::string id;
  while (id.size() < 40) id += fmt::format("{:08x}", random());
  return id;
}

std::string ExecutablePath() {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel gives the pointer as a number
  const auto* path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  return path == nullptr ? "" : path;
}

std::string HostOf(const Address& address) {
  const std::string text = address.ToString();
  return text.substr(0, text.rfind(':'));
}

using Listeners = std::vector<std::shared_ptr<Listener>>;

std::unexpected<Error> RefusedByProtectedMode(const std::string& address) {
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("refusing to listen on {}: other machines could read everything, and "
                          "there is no password. Set requirepass in [server], or protected_mode = "
                          "false if the network is yours",
                          address));
}

// The one of `existing` that listens there and is not among `taken`.
std::shared_ptr<Listener> FindListener(const Listeners& existing, const Address& address,
                                       const Listeners& taken) {
  for (const auto& listener : existing) {
    if (listener->Serves(address) && std::ranges::find(taken, listener) == taken.end())
      return listener;
  }
  return nullptr;
}

// Those of `existing` that are wanted, and new ones for the rest.
Result<Listeners> OpenListeners(const ServerOptions& options, const Listeners& existing,
                                unsigned workers) {
  Listeners listeners;
  for (const ListenerOptions& wanted : options.listeners) {
    LARDER_ASSIGN(const Address address, ParseAddress(wanted.address));
    if (!MayListen(options, wanted, address)) return RefusedByProtectedMode(wanted.address);
    std::shared_ptr<Listener> listener = FindListener(existing, address, listeners);
    if (listener == nullptr) {
      LARDER_ASSIGN(Listener opened, Listener::Open(address, workers));
      listener = std::make_shared<Listener>(std::move(opened));
    }
    listeners.push_back(std::move(listener));
  }
  return listeners;
}

using Entrances = std::vector<std::shared_ptr<const Entrance>>;  // in the order of the listeners

Result<Entrances> MakeEntrances(const ServerOptions& options) {
  Entrances entrances;
  for (const ListenerOptions& listener : options.listeners) {
    auto entrance = std::make_shared<Entrance>();
    entrance->read_only_is_noperm = listener.read_only_is_noperm;
    if (listener.tls.enabled()) {
      LARDER_ASSIGN(entrance->tls, TlsContext::ForServer(listener.tls));
      if (entrance->tls->expired()) {
        LogWarning(fmt::format("certificate {} expired on {}: clients will not accept it",
                               listener.tls.certificate, entrance->tls->valid_until()));
      }
    }
    entrances.push_back(std::move(entrance));
  }
  return entrances;
}

std::shared_ptr<const ActiveSettings> MakeSettings(ServerOptions options,
                                                   const Listeners& listeners) {
  auto settings = std::make_shared<ActiveSettings>();
  settings->options = std::move(options);
  for (const auto& listener : listeners) {
    const Address& bound = listener->address();
    if (bound.unix_socket()) {
      if (settings->unix_path.empty()) settings->unix_path = bound.path();
    } else {
      if (settings->tcp_hosts.empty()) settings->tcp_port = bound.port();
      settings->tcp_hosts.push_back(HostOf(bound));
    }
  }
  return settings;
}

// In `listeners` and not in `others`: the sockets that belong to `worker`.
std::vector<ListeningSocket> SocketsOf(unsigned worker, const Listeners& listeners,
                                       const Listeners& others) {
  std::vector<ListeningSocket> sockets;
  for (const auto& listener : listeners) {
    if (std::ranges::find(others, listener) == others.end())
      sockets.push_back(
          {.fd = listener->socket(worker), .shared = listener->shared(), .entrance = nullptr});
  }
  return sockets;
}

// All of them, each with what leads through it.
std::vector<ListeningSocket> SocketsOf(unsigned worker, const Listeners& listeners,
                                       const Entrances& entrances) {
  std::vector<ListeningSocket> sockets = SocketsOf(worker, listeners, Listeners());
  for (size_t i = 0; i < sockets.size(); ++i) sockets[i].entrance = entrances[i];
  return sockets;
}

}  // namespace

bool MayListen(const ServerOptions& options, const ListenerOptions& listener,
               const Address& address) {
  return !options.protected_mode || address.local() || options.users.needs_authentication() ||
         !listener.tls.client_ca.empty();
}

struct Server::State {
  explicit State(store::Catalogue& catalogue) : shared(catalogue) {}

  Listeners listeners;
  Entrances entrances;
  std::shared_ptr<const ActiveSettings> settings;
  SharedState shared;  // after the listeners: workers end before their sockets close
  std::unique_ptr<Announcer> announcer;  // after the workers that it sends to

  Result<void> MakeWorkers();
};

struct Server::Change::State {
  Listeners listeners;
  Entrances entrances;
  std::shared_ptr<const ActiveSettings> settings;
};

Server::Change::Change(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Change::Change(Change&&) noexcept = default;
Server::Change& Server::Change::operator=(Change&&) noexcept = default;
Server::Change::~Change() = default;

Result<void> Server::State::MakeWorkers() {
  for (unsigned i = 0; i < shared.threads; ++i) {
    LARDER_ASSIGN(std::unique_ptr<Worker> worker,
                  Worker::Create(shared, settings, SocketsOf(i, listeners, entrances)));
    shared.workers.push_back(std::move(worker));
  }
  return {};
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  RequestStop();
  Wait();
}

Result<std::unique_ptr<Server>> Server::Create(store::Catalogue& catalogue, ServerOptions options) {
  auto state = std::make_unique<State>(catalogue);
  SharedState& shared = state->shared;
  shared.threads =
      options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  shared.run_id = NewRunId();
  shared.executable = ExecutablePath();
  shared.start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  LARDER_ASSIGN(state->entrances, MakeEntrances(options));
  LARDER_ASSIGN(state->listeners, OpenListeners(options, {}, shared.threads));
  state->settings = MakeSettings(std::move(options), state->listeners);
  shared.TakeLimits(state->settings->options);
  shared.resident_bytes_at_start = ResidentMemory().total;
  LARDER_TRY(state->MakeWorkers());
  state->announcer = std::make_unique<Announcer>(shared);
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Result<Server::Change> Server::Prepare(ServerOptions options) const {
  options.threads = state_->settings->options.threads;
  options.stop_grace = state_->settings->options.stop_grace;
  auto change = std::make_unique<Change::State>();
  LARDER_ASSIGN(change->entrances, MakeEntrances(options));
  LARDER_ASSIGN(change->listeners,
                OpenListeners(options, state_->listeners, state_->shared.threads));
  change->settings = MakeSettings(std::move(options), change->listeners);
  return Change(std::move(change));
}

void Server::Commit(Change change) {
  const Listeners gone = std::exchange(state_->listeners, std::move(change.state_->listeners));
  state_->entrances = std::move(change.state_->entrances);
  state_->settings = std::move(change.state_->settings);
  state_->shared.TakeLimits(state_->settings->options);
  for (const auto& listener : gone) {
    if (std::ranges::find(state_->listeners, listener) == state_->listeners.end())
      listener->RefuseNew();
  }
  const auto& workers = state_->shared.workers;
  std::latch taken(static_cast<std::ptrdiff_t>(workers.size()));
  for (unsigned i = 0; i < workers.size(); ++i) {
    workers[i]->Post(
        Worker::SettingsChange{.settings = state_->settings,
                               .open = SocketsOf(i, state_->listeners, state_->entrances),
                               .removed = SocketsOf(i, gone, state_->listeners),
                               .taken = &taken});
  }
  taken.wait();
}

Result<void> Server::Start() {
  try {
    state_->shared.admin.Start(kAdminThreads);
    state_->shared.reloads.Start(kReloadThreads);
    for (const auto& worker : state_->shared.workers) worker->Start();
  } catch (const std::system_error& error) {
    RequestStop();
    return Fail(ErrorCode::kLimit,
                fmt::format("cannot start the worker threads: {}", error.what()));
  }
  return {};
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> all;
  for (const auto& listener : state_->listeners) all.push_back(listener->address().ToString());
  return all;
}

void Server::RequestStop() {
  state_->shared.stop_requested.store(true, std::memory_order_relaxed);
  for (const auto& worker : state_->shared.workers) worker->Wake();
}

void Server::Wait() {
  for (const auto& worker : state_->shared.workers) worker->Join();
  state_->shared.admin.Stop();
  state_->shared.reloads.Stop();
}

}  // namespace larder::server

#include "server/server.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <sys/auxv.h>

#include "server/address.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/shared_state.h"
#include "server/worker.h"

namespace larder::server {

SharedState::SharedState(store::Catalogue& stores, ServerOptions given)
    : catalogue(stores), options(std::move(given)) {}
SharedState::~SharedState() = default;

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

}  // namespace

struct Server::State {
  State(store::Catalogue& catalogue, ServerOptions options)
      : shared(catalogue, std::move(options)) {}

  std::vector<Listener> listeners;
  SharedState shared;  // after the listeners: workers end before their sockets close

  Result<void> Listen();
  Result<void> MakeWorkers();
};

Result<void> Server::State::Listen() {
  for (const ListenerOptions& options : shared.options.listeners) {
    LARDER_ASSIGN(const Address address, ParseAddress(options.address));
    if (shared.options.protected_mode && !address.local()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("refusing to listen on {}: other machines could read everything, and "
                              "there is no password. Set protected_mode = false in [server] if "
                              "the network is yours",
                              options.address));
    }
    LARDER_ASSIGN(Listener listener, Listener::Open(address, shared.threads));
    listeners.push_back(std::move(listener));
    const Address& bound = listeners.back().address();
    if (bound.unix_socket()) {
      if (shared.unix_path.empty()) shared.unix_path = bound.path();
    } else {
      if (shared.tcp_hosts.empty()) shared.tcp_port = bound.port();
      shared.tcp_hosts.push_back(HostOf(bound));
    }
  }
  return {};
}

Result<void> Server::State::MakeWorkers() {
  for (unsigned i = 0; i < shared.threads; ++i) {
    std::vector<Worker::ListeningSocket> sockets;
    sockets.reserve(listeners.size());
    for (const Listener& listener : listeners)
      sockets.push_back({listener.socket(i), listener.shared()});
    LARDER_ASSIGN(std::unique_ptr<Worker> worker, Worker::Create(shared, sockets));
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
  auto state = std::make_unique<State>(catalogue, std::move(options));
  SharedState& shared = state->shared;
  shared.threads = shared.options.threads != 0 ? shared.options.threads
                                               : std::max(1U, std::thread::hardware_concurrency());
  shared.run_id = NewRunId();
  shared.executable = ExecutablePath();
  shared.start_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
  LARDER_TRY(state->Listen());
  LARDER_TRY(state->MakeWorkers());
  return std::unique_ptr<Server>(new Server(std::move(state)));
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
  for (const Listener& listener : state_->listeners) all.push_back(listener.address().ToString());
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

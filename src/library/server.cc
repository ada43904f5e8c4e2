#include "server/server.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "larder/server.h"
#include "library/dataset_state.h"
#include "store/catalogue.h"

namespace larder {

namespace {

server::ServerOptions InternalOptions(const ServerOptions& given) {
  server::ServerOptions options;
  for (const std::string& address : given.listeners) {
    options.listeners.push_back({address, server::Protocol::kResp});
  }
  options.threads = given.threads;
  options.protected_mode = given.protected_mode;
  options.max_clients = given.max_clients;
  options.max_output_bytes = given.max_output_bytes;
  options.request.query_bytes = given.max_query_bytes;
  options.idle_timeout = given.idle_timeout;
  options.stop_grace = given.stop_grace;
  return options;
}

}  // namespace

struct Server::State {
  explicit State(ServerOptions given) : options(std::move(given)) {}
  ~State() {
    Stop();
    // A dataset that the program still holds keeps the catalogue, and with it would keep the
    // others.
    MutexLock lock(mutex);
    if (auto change = stores->Prepare({})) stores->Commit(*std::move(change));
    stores->StopWatching();
  }

  void Stop() {
    MutexLock lock(mutex);
    if (server == nullptr) return;
    server->RequestStop();
    server->Wait();
  }

  // Those that a store's events are told to: a store that was removed and is added again while
  // somebody holds it is the same one, and its old handles' callbacks are told, too.
  std::shared_ptr<library::SwitchListeners> ListenersOf(const std::string& directory)
      LARDER_REQUIRES(mutex) {
    std::erase_if(told, [](const auto& entry) { return entry.first.expired(); });
    const auto open = stores->FindByDirectory(directory);
    for (const auto& [store, listeners] : told) {
      if (open != nullptr && store.lock() == open) return listeners;
    }
    return std::make_shared<library::SwitchListeners>();
  }

  const ServerOptions options;
  // Shared with the datasets: their readers' epochs live in it.
  const std::shared_ptr<store::Catalogue> stores =
      std::make_shared<store::Catalogue>(io::RealFileSystem());

  mutable Mutex mutex;  // one change at a time
  std::unique_ptr<server::Server> server LARDER_GUARDED_BY(mutex);
  using Told =
      std::pair<std::weak_ptr<dataset::Dataset>, std::shared_ptr<library::SwitchListeners>>;
  std::vector<Told> told LARDER_GUARDED_BY(mutex);
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::Create(ServerOptions options) {
  return Server(std::make_unique<State>(std::move(options)));
}

Result<Dataset> Server::AddDataset(uint32_t database, DatasetOptions options) {
  auto added = std::make_shared<Dataset::State>();
  added->epochs = std::shared_ptr<EpochDomain>(state_->stores, &state_->stores->epochs());
  MutexLock lock(state_->mutex);
  added->listeners = state_->ListenersOf(options.directory);
  LARDER_ASSIGN(auto complete, Dataset::State::Complete(std::move(options), added->listeners));
  LARDER_ASSIGN(added->dataset, state_->stores->AddDataset(database, std::move(complete)));
  state_->told.emplace_back(added->dataset, added->listeners);
  return Dataset(std::move(added));
}

Result<void> Server::RemoveDataset(std::string_view name) {
  MutexLock lock(state_->mutex);
  return state_->stores->RemoveDataset(name);
}

Result<void> Server::Start() {
  MutexLock lock(state_->mutex);
  if (state_->server != nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "the server was started before");
  }
  LARDER_ASSIGN(auto server,
                server::Server::Create(*state_->stores, InternalOptions(state_->options)));
  LARDER_TRY(server->Start());
  state_->server = std::move(server);
  state_->stores->StartWatching();
  return {};
}

std::vector<std::string> Server::addresses() const {
  MutexLock lock(state_->mutex);
  if (state_->server == nullptr) return {};
  return state_->server->addresses();
}

void Server::Stop() { state_->Stop(); }

}  // namespace larder

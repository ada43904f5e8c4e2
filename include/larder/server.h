// Server: datasets of this program, served to Redis clients over the network.
//
//   auto server = larder::Server::Create({.listeners = {"127.0.0.1:6380"}});
//   auto features = server->AddDataset(0, {.name = "features", .source = "features.jsonl",
//                                          .directory = "/var/lib/shop/features"});
//   if (auto started = server->Start(); !started) return Complain(started.error().message());
//
// What AddDataset returns is the same store that clients read: a switch, a rollback or a pin is
// seen by both at once, and so is one that a client asks for (LARDER ROLLBACK).
//
// Ownership:  owns its threads and sockets, shares its datasets with their handles. A Server's
//             datasets are watched from Start to the Server's end; one that is held longer serves
//             what it has.
// Threads:    everything from any thread, except from a callback of a dataset and from inside a
//             Guard. The server has one thread per core of its own (ServerOptions::threads), and
//             six for commands that wait.
// Errors:     values; a client's mistake ends at most its own connection. Out of memory ends the
//             program.
// Signals:    none is taken or changed, SIGBUS apart (larder/snapshot.h); stopping at SIGTERM is
//             the program's to decide.
// Cost:       see docs/operations.md; reading in the program costs the server nothing and the other
//             way round.
// Fork:       as with Dataset: a child has none of the threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/api.h"
#include "larder/dataset.h"
#include "larder/dataset_options.h"
#include "larder/error.h"

namespace larder {

// The same settings as of [server] and [limits] in larder.toml (docs/configuration.md).
struct ServerOptions {
  // "127.0.0.1:6380", "[::1]:6380", "unix:/run/larder.sock"; port 0: any that is free.
  std::vector<std::string> listeners = {"127.0.0.1:6380"};
  unsigned threads = 0;        // 0: all cores
  bool protected_mode = true;  // listen on loopback and Unix sockets only
  uint64_t max_clients = 10000;
  uint64_t max_output_bytes = uint64_t{1} << 30;  // unsent, of one client
  uint64_t max_query_bytes = uint64_t{1} << 30;   // of one unfinished request
  std::chrono::seconds idle_timeout{0};           // 0: never
  std::chrono::milliseconds stop_grace{5000};     // for clients that do not read their replies
};

class Server {
 public:
  // Nothing listens yet and nothing is watched.
  LARDER_API static Result<Server> Create(ServerOptions options = {});
  LARDER_API Server(Server&&) noexcept;
  LARDER_API Server& operator=(Server&&) noexcept;
  // Stops.
  LARDER_API ~Server();

  // As database `database` (SELECT), before Start or while serving. Errors: those of Dataset::Open,
  // kAlreadyExists (name, number or directory), kInvalidArgument (number).
  LARDER_API Result<Dataset> AddDataset(uint32_t database, DatasetOptions options);
  // Clients do not see it any more when this returns; its handles go on with what it has.
  // kNotFound.
  LARDER_API Result<void> RemoveDataset(std::string_view name);

  // Listens, serves and watches. Errors: kBusy (address in use), kPermissionDenied,
  // kInvalidArgument (address, protected_mode), kLimit (its threads and the Readers of its datasets
  // are more than a thousand). Once; after an error again.
  LARDER_API Result<void> Start();
  // As bound, in the order of the listeners, with the real port; none before Start.
  LARDER_API std::vector<std::string> addresses() const;
  // No new connections; requests that have come are answered and sent; then returns.
  LARDER_API void Stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace larder

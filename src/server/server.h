// Server: listeners, one event loop per worker thread, connections.
//
// Each worker has its own epoll and its own listening socket per TCP address (SO_REUSEPORT), shares
// nothing on the read path, and is outside the epoch whenever it waits. An address that another
// server already listens on is refused: the port is probed before SO_REUSEPORT could share it.
//
// Ownership:  borrows the catalogue, which must outlive it; owns threads, sockets and connections.
// Threads:    RequestStop from any thread or a signal handler; everything else from the owner's.
// Errors:     Create, Prepare: kBusy (address in use), kPermissionDenied, kInvalidArgument
//             (address, certificate), kNotFound (certificate); a connection's own errors close that
//             connection only.
// Limits:     docs/operations.md, "Limits".
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "command/users.h"
#include "protocol/resp/request_parser.h"
#include "server/tls.h"
#include "store/catalogue.h"

namespace larder::server {

struct Address;

enum class Protocol : uint8_t { kResp };

struct ListenerOptions {
  std::string
      address;  // "127.0.0.1:6380", "[::1]:6380", "unix:/run/larder.sock"; port 0: any free one
  Protocol protocol = Protocol::kResp;
  // Writes are refused with -NOPERM instead of -READONLY, on which some clients reconnect and
  // retry.
  bool read_only_is_noperm = false;
  TlsOptions tls = {};
};

struct ServerOptions {
  std::vector<ListenerOptions> listeners;
  unsigned threads = 0;  // 0: all cores
  // Other machines get in only with a password or a certificate.
  bool protected_mode = true;
  uint64_t max_clients = 10000;                   // Redis's default
  uint64_t max_output_bytes = uint64_t{1} << 30;  // unsent bytes of one connection: closed
  // The same of one that subscribes or monitors; Redis's default for pubsub.
  uint64_t max_subscriber_bytes = uint64_t{32} << 20;
  std::chrono::seconds idle_timeout{0};                 // 0: never, Redis's default
  std::chrono::milliseconds handshake_timeout{10'000};  // TLS
  std::chrono::milliseconds stop_grace{5000};  // for clients that do not read their replies
  resp::RequestLimits request;
  command::Users users;     // one that may do everything without a password, when nothing is said
  std::string config_file;  // for INFO
};

// Whether protected mode lets that listener be.
bool MayListen(const ServerOptions& options, const ListenerOptions& listener,
               const Address& address);

class Server {
 public:
  // Binds and listens; no thread runs yet.
  static Result<std::unique_ptr<Server>> Create(store::Catalogue& catalogue, ServerOptions options);
  ~Server();

  Result<void> Start();
  // The addresses as bound, in the order of the listeners, with the real port.
  std::vector<std::string> addresses() const;

  // Other options while it runs, in two steps as in store::Catalogue: Prepare binds and listens on
  // what is new, reads certificates again, and can fail; Commit cannot. Listeners of the same
  // address stay, and what comes through them from then on meets the new certificates and options.
  // One that is gone takes no new connections, accepts those that are connected already, and is
  // closed; connections that were made through it live on. Limits hold for all connections from
  // then on; those above a lowered max_clients stay. A connection whose user is another than before
  // (gone, disabled, other passwords) is closed. `threads` and `stop_grace` are those of the start.
  class Change {
   public:
    Change(Change&&) noexcept;
    Change& operator=(Change&&) noexcept;
    ~Change();

   private:
    friend class Server;
    struct State;
    std::unique_ptr<State> state_;
    explicit Change(std::unique_ptr<State> state);
  };
  Result<Change> Prepare(ServerOptions options) const;
  // After Start. Returns when every worker has taken it.
  void Commit(Change change);

  // Graceful: no new connections, requests already received are answered and sent, then all ends.
  void RequestStop();  // async-signal-safe
  void Wait();         // until stopped

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace larder::server

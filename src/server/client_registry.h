// ClientRegistry: what other workers may know of one worker's connections, for CLIENT LIST.
//
// A worker publishes a few numbers of each connection after it has served it: plain stores to the
// connection's own card, no lock. Names are copied under the registry's lock, only when they have
// changed. Whoever asks takes that lock, which also keeps cards (and descriptors) from going away.
//
// Ownership:  cards belong to their connections; the registry knows them between Add and Remove.
// Threads:    Add, Remove and Publish by the worker; Describe from any thread.
// Cost:       Publish is a handful of stores.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "command/host.h"
#include "command/session.h"
#include "server/address.h"

namespace larder::server {

struct ClientCard {
  // Fixed when the connection is made.
  uint64_t id = 0;
  int fd = -1;
  Address peer;
  int64_t created_ms = 0;  // on the worker's clock

  // Written by the worker, read by anybody.
  std::atomic<int> protocol{2};
  std::atomic<uint32_t> database{0};
  std::atomic<const command::CommandSpec*> last_command{nullptr};
  std::atomic<const command::CommandSpec*> last_subcommand{nullptr};
  std::atomic<int64_t> active_ms{0};
  std::atomic<uint64_t> query_bytes{0};
  std::atomic<uint64_t> query_free_bytes{0};
  std::atomic<uint64_t> output_bytes{0};
  std::atomic<uint32_t> unusual{0};  // bits of command::Unusual, and two more
  std::atomic<uint64_t> channels{0};
  std::atomic<uint64_t> patterns{0};
  std::atomic<uint64_t> shard_channels{0};
  std::atomic<int64_t> queued{0};
  std::atomic<int64_t> redirects_to{-1};  // -1: it does not track
  std::atomic<bool> tracks_broadcasts{false};
  std::atomic<bool> broken_redirect{false};
  std::atomic<bool> postponed{false};  // by CLIENT PAUSE
  // In Host::Block. Whoever ends that takes the mark first: by time, or by CLIENT UNBLOCK.
  std::atomic<bool> blocked{false};

  // Written under the registry's lock; its own worker reads them without.
  std::string name;
  std::string library_name;
  std::string library_version;
  std::string user;
  const command::User* user_seen = nullptr;  // whose name that is; the worker's alone
};

class ClientRegistry {
 public:
  void Add(ClientCard& card);
  void Remove(ClientCard& card);
  // The session's part of the card; the numbers of the buffers are the caller's.
  void Publish(ClientCard& card, const command::Session& session);
  // The client is none that others see any more: it is about to be closed. False: it was none.
  bool Withdraw(uint64_t id);
  bool Knows(uint64_t id) const;
  // Takes the mark of a client that is blocked; false: it is not.
  bool TakeBlocked(uint64_t id);
  // One line per connection, appended to `to`; `now_ms` on the workers' clock.
  void Describe(int64_t now_ms, std::vector<command::ClientInfo>& to) const;

  // Of all connections.
  struct Buffers {
    uint64_t bytes = 0;
    uint64_t largest_input = 0;
    uint64_t largest_output = 0;
  };
  Buffers buffers() const;

  static command::ClientInfo DescribeCard(const ClientCard& card, int64_t now_ms);

 private:
  mutable Mutex mutex_;
  std::unordered_map<uint64_t, ClientCard*> cards_ LARDER_GUARDED_BY(mutex_);
};

}  // namespace larder::server

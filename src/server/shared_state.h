// SharedState: what all workers of one Server share. Nothing in it is touched on the read path.
//
// Threads: facts are fixed before the workers run; the counters are atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "command/instruments.h"
#include "server/activity.h"
#include "server/admin_threads.h"
#include "server/channel_hub.h"
#include "server/name_counts.h"
#include "server/pause.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::server {

class Worker;

// What connections through one listener begin with.
struct Entrance {
  bool read_only_is_noperm = false;
  std::shared_ptr<const TlsContext> tls;  // null: plain
};

// What may change while the server runs; each worker holds the one that it was told of last.
struct ActiveSettings {
  ServerOptions options;
  uint16_t tcp_port = 0;               // of the first TCP listener
  std::vector<std::string> tcp_hosts;  // as CONFIG GET bind shows them
  std::string unix_path;               // of the first Unix listener
};

struct SharedState {
  // Defined where Worker is known.
  explicit SharedState(store::Catalogue& stores);
  ~SharedState();
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  store::Catalogue& catalogue;
  unsigned threads = 0;
  int64_t start_ms = 0;  // Unix time
  std::string run_id;    // 40 hexadecimal digits, new with every start
  std::string executable;
  uint64_t resident_bytes_at_start = 0;

  // What CONFIG SET may change until the settings are committed again.
  std::atomic<uint64_t> max_clients{0};
  std::atomic<int64_t> idle_timeout_seconds{0};
  void TakeLimits(const ServerOptions& options) {
    max_clients = options.max_clients;
    idle_timeout_seconds = options.idle_timeout.count();
  }

  std::atomic<uint64_t> next_client_id{1};
  std::atomic<uint64_t> connected_clients{0};
  std::atomic<uint64_t> total_connections{0};
  std::atomic<uint64_t> rejected_connections{0};
  std::atomic<bool> stop_requested{false};

  command::Instruments instruments;
  Activity activity;

  ChannelHub channels;
  Pause pause;
  std::atomic<uint64_t> tracking_clients{0};
  std::atomic<uint64_t> blocked_clients{0};
  std::atomic<uint64_t> pubsub_clients{0};
  NameCounts tracking_prefixes;
  // Of all workers; null: no such connection, or one that is being killed.
  Worker* FindWorkerOf(uint64_t client) const;
  // What is served has changed, and readers have moved: to everybody who tracks.
  void SendInvalidations();

  AdminThreads admin;                            // work that waits for readers
  AdminThreads reloads;                          // work that may wait for a compile
  std::vector<std::unique_ptr<Worker>> workers;  // last: destroyed first
};

// The sums that INFO shows, of one worker; on its own cache line.
struct alignas(64) PublishedCounters {
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> keyspace_hits{0};
  std::atomic<uint64_t> keyspace_misses{0};
  std::atomic<uint64_t> input_bytes{0};
  std::atomic<uint64_t> output_bytes{0};
};

}  // namespace larder::server

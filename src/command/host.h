// Host: what commands need to know that only a running server knows.
//
// Implemented by server/, and by a small fake in the tests of command/.
//
// Threads: called by the worker that executes the command.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "protocol/resp/reply.h"

namespace larder::command {

struct Session;
class Users;

// A line of CLIENT LIST; names as in Redis.
struct ClientInfo {
  uint64_t id = 0;
  std::string address;
  std::string local_address;
  int fd = -1;
  std::string name;
  int64_t age_seconds = 0;
  int64_t idle_seconds = 0;
  std::string flags = "N";  // Redis's letters: P subscribed, O monitor, x in MULTI, t tracking...
  uint32_t database = 0;
  uint64_t channels = 0;
  uint64_t patterns = 0;
  uint64_t shard_channels = 0;
  int64_t queued = -1;        // commands since MULTI; -1: not in one
  int64_t redirects_to = -1;  // where invalidations go: -1: no tracking, 0: to itself
  uint64_t query_buffer_bytes = 0;
  uint64_t query_buffer_free_bytes = 0;
  uint64_t output_buffer_bytes = 0;
  uint64_t memory_bytes = 0;
  bool unix_socket = false;
  std::string last_command;  // lower case, "container|sub" for subcommands
  std::string user = "default";
  int protocol = 2;
  std::string library_name;
  std::string library_version;
};

struct ServerInfo {
  std::string version;  // Larder's
  std::string executable;
  std::string config_file;
  std::string run_id;  // 40 hexadecimal digits
  int64_t process_id = 0;
  uint16_t tcp_port = 0;
  int64_t start_ms = 0;  // Unix time
  unsigned threads = 0;
  uint64_t connected_clients = 0;
  uint64_t max_clients = 0;
  uint64_t total_connections = 0;
  uint64_t rejected_connections = 0;
  uint64_t total_commands = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
  uint64_t net_input_bytes = 0;
  uint64_t net_output_bytes = 0;
  // Per second, over the last seconds.
  double commands_per_second = 0;
  double net_input_bytes_per_second = 0;
  double net_output_bytes_per_second = 0;
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  uint64_t resident_bytes_at_start = 0;
  uint64_t mapped_resident_bytes = 0;  // of those, pages of files
  uint64_t client_bytes = 0;           // of all connections' buffers
  uint64_t largest_input_buffer = 0;   // of one connection, now
  uint64_t largest_output_buffer = 0;
  double cpu_system_seconds = 0;
  double cpu_user_seconds = 0;
  uint64_t blocked_clients = 0;  // in Host::Block or postponed by a pause
  uint64_t tracking_clients = 0;
  uint64_t tracking_prefixes = 0;  // different ones
  uint64_t pubsub_clients = 0;
  uint64_t channels = 0;
  uint64_t patterns = 0;
  uint64_t shard_channels = 0;
};

// What a channel's name is matched against.
enum class ChannelKind : uint8_t {
  kChannel,
  kPattern,
  kShard,  // a name space of its own (SSUBSCRIBE)
};

// CLIENT TRACKING as a client asked for it.
struct TrackingOptions {
  bool on = false;
  bool broadcast = false;
  bool opt_in = false;
  bool opt_out = false;
  bool no_loop = false;
  uint64_t redirect = 0;              // a client's id; 0: to itself
  std::vector<std::string> prefixes;  // of all calls since it is on, sorted
  // Told by Tracking: the redirect's client was gone when there was something to tell it.
  bool broken_redirect = false;
};

class Host {
 public:
  virtual ~Host() = default;

  virtual ServerInfo server_info() const = 0;
  // All connections of all workers, by id. Takes locks: for slow paths.
  virtual std::vector<ClientInfo> clients() const = 0;
  // The session that asks, without asking the other workers.
  virtual ClientInfo client(const Session& session) const = 0;
  // Every setting in Redis's words ("maxclients", "timeout", "port", ...), for CONFIG GET.
  virtual std::vector<std::pair<std::string, std::string>> config() const = 0;

  // What deferred work may wait for: all readers, which takes milliseconds, or a compile.
  enum class WaitsFor : uint8_t { kReaders, kCompile };
  // Runs `work` on a thread that may wait, outside any epoch; what it writes becomes the reply. The
  // connection executes nothing more until then; other connections of the worker go on. The handler
  // returns without writing a reply of its own.
  using Work = std::function<void(resp::ReplyWriter& reply)>;
  virtual void Defer(Session& session, WaitsFor waits_for, Work work) = 0;

  // The connection executes nothing more until `timeout_ms` have passed (0: for ever) or somebody
  // unblocks it, then gets `reply`: for commands that wait for what cannot happen here (XREAD
  // BLOCK, WAIT). The handler returns without writing a reply of its own.
  virtual void Block(Session& session, uint64_t timeout_ms, std::string reply) = 0;
  // Ends a Block of client `id`: with its reply, or with `error` when that is not empty. False: it
  // is not blocked.
  virtual bool Unblock(uint64_t id, std::string_view error) = 0;

  // Users as configured now; good until the batch ends.
  virtual const Users& users() const = 0;

  // Channels (docs/decisions: what reaches whom, and when). Subscribe and Unsubscribe tell whether
  // that changed anything, and keep kSubscribed of the session true.
  virtual bool Subscribe(Session& session, ChannelKind kind, std::string_view name) = 0;
  virtual bool Unsubscribe(Session& session, ChannelKind kind, std::string_view name) = 0;
  // What this session is subscribed to.
  virtual std::vector<std::string> Subscriptions(const Session& session,
                                                 ChannelKind kind) const = 0;
  virtual uint64_t SubscriptionCount(const Session& session, ChannelKind kind) const = 0;
  // To kChannel (patterns get it too) or kShard. How many clients it goes to.
  virtual uint64_t Publish(ChannelKind kind, std::string_view channel,
                           std::string_view message) = 0;
  // For PUBSUB: names with subscribers of any connection, and how many those are.
  virtual std::vector<std::pair<std::string, uint64_t>> Channels(ChannelKind kind) const = 0;
  // How many connections subscribe to that one.
  virtual uint64_t Subscribers(ChannelKind kind, std::string_view name) const = 0;

  // CLIENT TRACKING; the caller has checked the options. kNotFound: the redirect's client is gone.
  virtual Result<void> SetTracking(Session& session, TrackingOptions options) = 0;
  virtual TrackingOptions Tracking(const Session& session) const = 0;

  // From now on this session is told of every command that any client executes, until it stops or
  // closes. Both keep kMonitoring of the session true.
  virtual void StartMonitoring(Session& session) = 0;
  virtual void StopMonitoring(Session& session) = 0;
  // A line for those who monitor. Called only while Instruments::monitors is not zero.
  virtual void TellMonitors(std::string_view line) = 0;

  // Closes those clients; the session's own closes after its reply.
  virtual void Kill(Session& session, const std::vector<uint64_t>& ids) = 0;
  // All connections execute nothing (or, with `writes_only`, nothing that writes) for so long.
  virtual void Pause(uint64_t timeout_ms, bool writes_only) = 0;
  virtual void Unpause() = 0;

  // CONFIG SET of what may change while the server runs, by Redis's names; all or nothing.
  // kInvalidArgument: which and why, in Redis's words without "ERR ".
  virtual Result<void> SetConfig(
      const std::vector<std::pair<std::string_view, std::string_view>>& settings) = 0;
  // CONFIG RESETSTAT: INFO's counters begin anew.
  virtual void ResetStatistics() = 0;
};

}  // namespace larder::command

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

#include "protocol/resp/reply.h"

namespace larder::command {

struct Session;

// A line of CLIENT LIST; names as in Redis.
struct ClientInfo {
  uint64_t id = 0;
  std::string address;
  std::string local_address;
  int fd = -1;
  std::string name;
  int64_t age_seconds = 0;
  int64_t idle_seconds = 0;
  uint32_t database = 0;
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
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;
  double cpu_system_seconds = 0;
  double cpu_user_seconds = 0;
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
};

}  // namespace larder::command

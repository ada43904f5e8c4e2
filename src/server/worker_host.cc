#include "server/worker_host.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/limits.h"
#include "server/listener.h"
#include "server/resident_memory.h"
#include "server/worker.h"

namespace larder::server {

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// What tools ask for, and what is true of every server: nothing is saved, evicted or replicated.
constexpr std::pair<std::string_view, std::string_view> kAlwaysSo[] = {
    {"activedefrag", "no"},
    {"aclfile", ""},
    {"appendfsync", "no"},
    {"appendonly", "no"},
    {"cluster-enabled", "no"},
    {"daemonize", "no"},
    {"dbfilename", ""},
    {"enable-debug-command", "no"},
    {"enable-module-command", "no"},
    {"lazyfree-lazy-eviction", "no"},
    {"lfu-decay-time", "0"},
    {"maxmemory", "0"},
    {"maxmemory-clients", "0"},
    {"maxmemory-policy", "noeviction"},
    {"min-replicas-to-write", "0"},
    {"min-slaves-to-write", "0"},
    {"notify-keyspace-events", ""},
    {"rdbcompression", "no"},
    {"replica-read-only", "yes"},
    {"replicaof", ""},
    {"requirepass", ""},  // never told
    {"save", ""},
    {"slave-read-only", "yes"},
    {"slaveof", ""},
    {"stop-writes-on-bgsave-error", "no"},
    {"supervised", "no"},
};

ActivitySums SumActivity(const SharedState& shared) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  ActivitySums sums;
  sums.connections = shared.total_connections.load(kRelaxed);
  sums.rejected_connections = shared.rejected_connections.load(kRelaxed);
  for (const auto& worker : shared.workers) {
    const PublishedCounters& counters = worker->counters();
    sums.commands += counters.commands.load(kRelaxed);
    sums.keyspace_hits += counters.keyspace_hits.load(kRelaxed);
    sums.keyspace_misses += counters.keyspace_misses.load(kRelaxed);
    sums.input_bytes += counters.input_bytes.load(kRelaxed);
    sums.output_bytes += counters.output_bytes.load(kRelaxed);
  }
  return sums;
}

void TellActivity(SharedState& shared, int64_t now_ms, command::ServerInfo& info) {
  const ActivitySums sums = SumActivity(shared);
  const ActivitySums done = shared.activity.SinceReset(sums);
  const Activity::Rates rates = shared.activity.RatesUntil(now_ms, sums);
  info.total_connections = done.connections;
  info.rejected_connections = done.rejected_connections;
  info.total_commands = done.commands;
  info.keyspace_hits = done.keyspace_hits;
  info.keyspace_misses = done.keyspace_misses;
  info.net_input_bytes = done.input_bytes;
  info.net_output_bytes = done.output_bytes;
  info.commands_per_second = rates.commands;
  info.net_input_bytes_per_second = rates.input_bytes;
  info.net_output_bytes_per_second = rates.output_bytes;
}

void TellMemory(const SharedState& shared, command::ServerInfo& info) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const ResidentBytes resident = ResidentMemory();
  info.resident_bytes = resident.total;
  info.mapped_resident_bytes = resident.of_files;
  info.resident_bytes_at_start = shared.resident_bytes_at_start;
  info.peak_resident_bytes =
      std::max(info.resident_bytes, static_cast<uint64_t>(usage.ru_maxrss) * 1024);
  info.cpu_system_seconds = Seconds(usage.ru_stime);
  info.cpu_user_seconds = Seconds(usage.ru_utime);
  for (const auto& worker : shared.workers) {
    const ClientRegistry::Buffers buffers = worker->registry().buffers();
    info.client_bytes += buffers.bytes;
    info.largest_input_buffer = std::max(info.largest_input_buffer, buffers.largest_input);
    info.largest_output_buffer = std::max(info.largest_output_buffer, buffers.largest_output);
  }
}

}  // namespace

command::ServerInfo WorkerHost::server_info() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  worker_.PublishCounters();  // this round's own share
  SharedState& shared = worker_.shared();
  const ActiveSettings& settings = worker_.settings();
  command::ServerInfo info;
  info.version = LARDER_VERSION;
  info.executable = shared.executable;
  info.config_file = settings.options.config_file;
  info.run_id = shared.run_id;
  info.process_id = ::getpid();
  info.tcp_port = settings.tcp_port;
  info.start_ms = shared.start_ms;
  info.threads = shared.threads;
  info.connected_clients = shared.connected_clients.load(kRelaxed);
  info.max_clients = shared.max_clients.load(kRelaxed);
  TellActivity(shared, worker_.clock_ms(), info);
  TellMemory(shared, info);
  info.blocked_clients = shared.blocked_clients.load(kRelaxed);
  info.tracking_clients = shared.tracking_clients.load(kRelaxed);
  info.tracking_prefixes = shared.tracking_prefixes.count();
  info.pubsub_clients = shared.pubsub_clients.load(kRelaxed);
  info.channels = shared.channels.Count(command::ChannelKind::kChannel);
  info.patterns = shared.channels.Count(command::ChannelKind::kPattern);
  info.shard_channels = shared.channels.Count(command::ChannelKind::kShard);
  return info;
}

std::vector<command::ClientInfo> WorkerHost::clients() const {
  std::vector<command::ClientInfo> all;
  const SharedState& shared = worker_.shared();
  // The asking connection shows itself as it is now, not as it was after its last batch.
  if (worker_.current() != nullptr) worker_.PublishConnection(*worker_.current());
  for (const auto& worker : shared.workers) worker->registry().Describe(worker_.clock_ms(), all);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return all;
}

command::ClientInfo WorkerHost::client(const command::Session&) const {
  Connection& connection = *worker_.current();
  worker_.PublishConnection(connection);
  return ClientRegistry::DescribeCard(connection.card, worker_.clock_ms());
}

std::vector<std::pair<std::string, std::string>> WorkerHost::config() const {
  const SharedState& shared = worker_.shared();
  const ActiveSettings& settings = worker_.settings();
  const ServerOptions& options = settings.options;
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const auto yes = [](bool holds) { return std::string(holds ? "yes" : "no"); };
  std::vector<std::pair<std::string, std::string>> settings_of_server = {
      {"bind", fmt::format("{}", fmt::join(settings.tcp_hosts, " "))},
      {"client-output-buffer-limit",
       fmt::format("normal {0} 0 0 slave {0} 0 0 pubsub {0} 0 0", options.max_output_bytes)},
      {"client-query-buffer-limit", number(options.request.query_bytes)},
      {"databases", number(shared.catalogue.view().databases())},
      {"io-threads", number(shared.threads)},
      {"io-threads-do-reads", yes(shared.threads > 1)},
      {"maxclients", number(shared.max_clients.load(std::memory_order_relaxed))},
      {"port", number(settings.tcp_port)},
      {"proto-max-bulk-len", number(options.request.bulk_bytes)},
      {"protected-mode", yes(options.protected_mode)},
      {"tcp-backlog", number(kListenBacklog)},
      {"tcp-keepalive", number(kKeepaliveSeconds)},
      {"timeout", number(shared.idle_timeout_seconds.load(std::memory_order_relaxed))},
      {"unixsocket", settings.unix_path},
  };
  for (const auto& [name, value] : kAlwaysSo) settings_of_server.emplace_back(name, value);
  return settings_of_server;
}

void WorkerHost::Defer(command::Session& session, WaitsFor waits_for, Work work) {
  session.batch_end |= command::kDeferred;
  // Posted once the batch is known to stand: a damaged version would repeat it.
  worker_.current()->deferred_waits_for = waits_for;
  worker_.current()->deferred_work = std::move(work);
}

const command::Users& WorkerHost::users() const { return worker_.settings().options.users; }

Result<void> WorkerHost::SetConfig(
    const std::vector<std::pair<std::string_view, std::string_view>>& settings) {
  SharedState& shared = worker_.shared();
  for (const auto& [name, value] : settings) {
    uint64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (name == "maxclients") shared.max_clients = number;
    if (name == "timeout") shared.idle_timeout_seconds = static_cast<int64_t>(number);
  }
  // Those that wait have reckoned with the timeout before.
  if (!settings.empty()) {
    for (const auto& worker : shared.workers) worker->Wake();
  }
  return {};
}

void WorkerHost::ResetStatistics() {
  worker_.PublishCounters();
  SharedState& shared = worker_.shared();
  shared.activity.Reset(worker_.clock_ms(), SumActivity(shared));
}

}  // namespace larder::server

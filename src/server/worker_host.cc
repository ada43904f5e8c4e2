#include "server/worker_host.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/file_system.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/worker.h"

namespace larder::server {

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

uint64_t ResidentBytes() {
  auto file = io::RealFileSystem().OpenForRead("/proc/self/statm");
  if (!file) return 0;
  std::array<char, 128> buffer{};
  const auto bytes = (*file)->ReadAt(0, buffer.data(), buffer.size());
  // "total resident ...", in pages.
  const std::string_view text(buffer.data(), bytes ? *bytes : 0);
  const size_t space = text.find(' ');
  uint64_t pages = 0;
  if (space == std::string_view::npos) return 0;
  std::from_chars(text.data() + space + 1, text.data() + text.size(), pages);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

command::ServerInfo WorkerHost::server_info() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  worker_.PublishCounters();  // this round's own share
  const SharedState& shared = worker_.shared();
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
  info.max_clients = settings.options.max_clients;
  info.total_connections = shared.total_connections.load(kRelaxed);
  info.rejected_connections = shared.rejected_connections.load(kRelaxed);
  for (const auto& worker : shared.workers) {
    const PublishedCounters& counters = worker->counters();
    info.total_commands += counters.commands.load(kRelaxed);
    info.keyspace_hits += counters.keyspace_hits.load(kRelaxed);
    info.keyspace_misses += counters.keyspace_misses.load(kRelaxed);
    info.net_input_bytes += counters.input_bytes.load(kRelaxed);
    info.net_output_bytes += counters.output_bytes.load(kRelaxed);
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  info.resident_bytes = ResidentBytes();
  info.peak_resident_bytes =
      std::max(info.resident_bytes, static_cast<uint64_t>(usage.ru_maxrss) * 1024);
  info.cpu_system_seconds = Seconds(usage.ru_stime);
  info.cpu_user_seconds = Seconds(usage.ru_utime);
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
  return {
      {"appendonly", "no"},
      {"bind", fmt::format("{}", fmt::join(settings.tcp_hosts, " "))},
      {"client-output-buffer-limit", fmt::format("normal {} 0 0", options.max_output_bytes)},
      {"client-query-buffer-limit", number(options.request.query_bytes)},
      {"databases", number(shared.catalogue.view().databases())},
      {"io-threads", number(shared.threads)},
      {"maxclients", number(options.max_clients)},
      {"maxmemory", "0"},
      {"maxmemory-policy", "noeviction"},
      {"port", number(settings.tcp_port)},
      {"proto-max-bulk-len", number(options.request.bulk_bytes)},
      {"protected-mode", options.protected_mode ? "yes" : "no"},
      {"replica-read-only", "yes"},
      {"requirepass", ""},
      {"save", ""},
      {"slave-read-only", "yes"},
      {"tcp-backlog", number(kListenBacklog)},
      {"tcp-keepalive", number(kKeepaliveSeconds)},
      {"timeout", number(options.idle_timeout.count())},
      {"unixsocket", settings.unix_path},
  };
}

void WorkerHost::Defer(command::Session& session, WaitsFor waits_for, Work work) {
  session.batch_end |= command::kDeferred;
  // Posted once the batch is known to stand: a damaged version would repeat it.
  worker_.current()->deferred_waits_for = waits_for;
  worker_.current()->deferred_work = std::move(work);
}

const command::Users& WorkerHost::users() const { return worker_.settings().options.users; }

// Not built yet from here on.
void WorkerHost::Block(command::Session&, uint64_t, std::string) {}
bool WorkerHost::Unblock(uint64_t, std::string_view) { return false; }
bool WorkerHost::Subscribe(command::Session&, command::ChannelKind, std::string_view) {
  return false;
}
bool WorkerHost::Unsubscribe(command::Session&, command::ChannelKind, std::string_view) {
  return false;
}
std::vector<std::string> WorkerHost::Subscriptions(const command::Session&,
                                                   command::ChannelKind) const {
  return {};
}
uint64_t WorkerHost::SubscriptionCount(const command::Session&, command::ChannelKind) const {
  return 0;
}
uint64_t WorkerHost::Publish(command::ChannelKind, std::string_view, std::string_view) { return 0; }
std::vector<std::pair<std::string, uint64_t>> WorkerHost::Channels(command::ChannelKind) const {
  return {};
}
uint64_t WorkerHost::Subscribers(command::ChannelKind, std::string_view) const { return 0; }
Result<void> WorkerHost::SetTracking(command::Session&, command::TrackingOptions) { return {}; }
command::TrackingOptions WorkerHost::Tracking(const command::Session&) const { return {}; }
void WorkerHost::StartMonitoring(command::Session&) {}
void WorkerHost::StopMonitoring(command::Session&) {}
void WorkerHost::TellMonitors(std::string_view) {}
void WorkerHost::Kill(command::Session&, const std::vector<uint64_t>&) {}
void WorkerHost::Pause(uint64_t, bool) {}
void WorkerHost::Unpause() {}
Result<void> WorkerHost::SetConfig(
    const std::vector<std::pair<std::string_view, std::string_view>>&) {
  return {};
}
void WorkerHost::ResetStatistics() {}

}  // namespace larder::server

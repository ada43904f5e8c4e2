#include "command/info_sections.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "command/arguments.h"
#include "command/redis_version.h"

namespace larder::command {
namespace {

struct InfoSource {
  const Context& context;
  const ServerInfo server;
};
using Section = void (*)(const InfoSource& source, std::string& to);

template <typename... Values>
void Line(std::string& to, fmt::format_string<Values...> format, Values&&... values) {
  fmt::format_to(std::back_inserter(to), format, std::forward<Values>(values)...);
  to += "\r\n";
}

// As Redis abbreviates: "1.03M".
std::string HumanBytes(uint64_t bytes) {
  static constexpr char kUnits[] = "BKMGTP";
  if (bytes < 1024) return fmt::format("{}B", bytes);
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && kUnits[unit + 1] != '\0') {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f}{}", value, kUnits[unit]);
}

void Server(const InfoSource& source, std::string& to) {
  const ServerInfo& server = source.server;
  utsname system{};
  ::uname(&system);
  const int64_t uptime_seconds =
      std::max<int64_t>(0, source.context.now_ms - server.start_ms) / 1000;
  Line(to, "redis_version:{}", kRedisVersion);
  Line(to, "larder_version:{}", server.version);
  Line(to, "redis_mode:standalone");
  Line(to, "os:{} {} {}", system.sysname, system.release, system.machine);
  Line(to, "arch_bits:64");
  Line(to, "multiplexing_api:epoll");
  Line(to, "process_id:{}", server.process_id);
  Line(to, "run_id:{}", server.run_id);
  Line(to, "tcp_port:{}", server.tcp_port);
  Line(to, "server_time_usec:{}", source.context.now_ms * 1000);
  Line(to, "uptime_in_seconds:{}", uptime_seconds);
  Line(to, "uptime_in_days:{}", uptime_seconds / (24 * 60 * 60));
  Line(to, "executable:{}", server.executable);
  Line(to, "config_file:{}", server.config_file);
  Line(to, "worker_threads:{}", server.threads);
}

void Clients(const InfoSource& source, std::string& to) {
  Line(to, "connected_clients:{}", source.server.connected_clients);
  Line(to, "cluster_connections:0");
  Line(to, "maxclients:{}", source.server.max_clients);
  Line(to, "blocked_clients:0");
  Line(to, "tracking_clients:0");
}

// Mapped pages count as used while they are resident: that is the memory Larder takes.
void Memory(const InfoSource& source, std::string& to) {
  const ServerInfo& server = source.server;
  Line(to, "used_memory:{}", server.resident_bytes);
  Line(to, "used_memory_human:{}", HumanBytes(server.resident_bytes));
  Line(to, "used_memory_rss:{}", server.resident_bytes);
  Line(to, "used_memory_rss_human:{}", HumanBytes(server.resident_bytes));
  Line(to, "used_memory_peak:{}", server.peak_resident_bytes);
  Line(to, "used_memory_peak_human:{}", HumanBytes(server.peak_resident_bytes));
  Line(to, "maxmemory:0");
  Line(to, "maxmemory_human:0B");
  Line(to, "maxmemory_policy:noeviction");
}

// Whether a store has nothing to serve yet.
bool IsLoading(const store::Catalogue& catalogue) {
  return std::ranges::any_of(catalogue.view().entries(), [](const store::Entry& entry) {
    return entry.dataset->Current() == nullptr;
  });
}

void Persistence(const InfoSource& source, std::string& to) {
  Line(to, "loading:{}", IsLoading(source.context.catalogue) ? 1 : 0);
  Line(to, "async_loading:0");
  Line(to, "rdb_changes_since_last_save:0");
  Line(to, "rdb_bgsave_in_progress:0");
  Line(to, "rdb_last_bgsave_status:ok");
  Line(to, "aof_enabled:0");
  Line(to, "aof_rewrite_in_progress:0");
  Line(to, "aof_last_bgrewrite_status:ok");
  Line(to, "aof_last_write_status:ok");
}

void Stats(const InfoSource& source, std::string& to) {
  const ServerInfo& server = source.server;
  Line(to, "total_connections_received:{}", server.total_connections);
  Line(to, "total_commands_processed:{}", server.total_commands);
  Line(to, "total_net_input_bytes:{}", server.net_input_bytes);
  Line(to, "total_net_output_bytes:{}", server.net_output_bytes);
  Line(to, "rejected_connections:{}", server.rejected_connections);
  Line(to, "evicted_keys:0");
  Line(to, "keyspace_hits:{}", server.keyspace_hits);
  Line(to, "keyspace_misses:{}", server.keyspace_misses);
  Line(to, "pubsub_channels:0");
  Line(to, "pubsub_patterns:0");
  Line(to, "total_forks:0");
}

void Replication(const InfoSource& source, std::string& to) {
  Line(to, "role:master");
  Line(to, "connected_slaves:0");
  Line(to, "master_failover_state:no-failover");
  Line(to, "master_replid:{}", source.server.run_id);
  Line(to, "master_replid2:{:040}", 0);
  Line(to, "master_repl_offset:0");
  Line(to, "second_repl_offset:-1");
  Line(to, "repl_backlog_active:0");
}

void Cpu(const InfoSource& source, std::string& to) {
  Line(to, "used_cpu_sys:{:.6f}", source.server.cpu_system_seconds);
  Line(to, "used_cpu_user:{:.6f}", source.server.cpu_user_seconds);
  Line(to, "used_cpu_sys_children:0.000000");
  Line(to, "used_cpu_user_children:0.000000");
}

// Redis has these sections, and nothing in them when there is nothing to tell.
void Nothing(const InfoSource& /*source*/, std::string& /*to*/) {}

void Cluster(const InfoSource& /*source*/, std::string& to) { Line(to, "cluster_enabled:0"); }

void Keyspace(const InfoSource& source, std::string& to) {
  const store::View& view = source.context.catalogue.view();
  for (uint32_t database = 0; database < view.databases(); ++database) {
    const auto* dataset = view.ByDatabase(database);
    const auto* version = dataset == nullptr ? nullptr : dataset->Current();
    if (version == nullptr || version->snapshot->record_count() == 0) continue;
    const snapshot::Header& header = version->snapshot->header();
    Line(to, "db{}:keys={},expires={},avg_ttl=0", database, header.record_count,
         header.expiring_records);
  }
}

// Everything on one line: what could break it becomes a space.
std::string OneLine(std::string text) {
  std::ranges::replace_if(text, [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return text;
}

// The error stands last, because it may hold commas.
void Datasets(const InfoSource& source, std::string& to) {
  for (const auto& [database, name, dataset] : source.context.catalogue.view().entries()) {
    const dataset::Status status = dataset->status();
    Line(to,
         "dataset_{}:database={},current={},pinned={},compiling={},records={},bytes={},switches={},"
         "refused={},refused_version={},skipped_lines={},probation_until_ms={},damaged={},"
         "last_switch_ms={},last_check_ms={},last_error_ms={},last_error={}",
         status.name, database, status.current, status.pinned ? 1 : 0, status.compiling ? 1 : 0,
         status.records, status.file_bytes, status.switches, status.refused, status.refused_version,
         status.skipped_lines, status.probation_until_ms, status.damaged, status.last_switch_ms,
         status.last_check_ms, status.last_error_ms, OneLine(status.last_error));
  }
}

// When a section is shown without being named.
enum class Shown : uint8_t { kByDefault, kInAll, kInEverything };

struct SectionSpec {
  std::string_view name;  // lower case
  std::string_view title;
  Shown shown;
  Section write;
};

constexpr SectionSpec kSections[] = {
    {"server", "Server", Shown::kByDefault, &Server},
    {"clients", "Clients", Shown::kByDefault, &Clients},
    {"memory", "Memory", Shown::kByDefault, &Memory},
    {"persistence", "Persistence", Shown::kByDefault, &Persistence},
    {"stats", "Stats", Shown::kByDefault, &Stats},
    {"replication", "Replication", Shown::kByDefault, &Replication},
    {"cpu", "CPU", Shown::kByDefault, &Cpu},
    {"modules", "Modules", Shown::kByDefault, &Nothing},
    {"commandstats", "Commandstats", Shown::kInAll, &Nothing},
    {"errorstats", "Errorstats", Shown::kByDefault, &Nothing},
    {"latencystats", "Latencystats", Shown::kInAll, &Nothing},
    {"cluster", "Cluster", Shown::kByDefault, &Cluster},
    {"keyspace", "Keyspace", Shown::kByDefault, &Keyspace},
    {"datasets", "Datasets", Shown::kByDefault, &Datasets},
};

bool IsAsked(const SectionSpec& section, Arguments names) {
  if (names.empty()) return section.shown == Shown::kByDefault;
  return std::ranges::any_of(names, [&section](std::string_view name) {
    if (IsOption(name, "default")) return section.shown == Shown::kByDefault;
    if (IsOption(name, "all")) return section.shown != Shown::kInEverything;
    return IsOption(name, "everything") || IsOption(name, section.name);
  });
}

}  // namespace

std::string InfoText(const Context& context, Arguments sections) {
  const InfoSource source{.context = context, .server = context.host.server_info()};
  std::string text;
  for (const SectionSpec& section : kSections) {
    if (!IsAsked(section, sections)) continue;
    if (!text.empty()) text += "\r\n";
    Line(text, "# {}", section.title);
    section.write(source, text);
  }
  return text;
}

}  // namespace larder::command

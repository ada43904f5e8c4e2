#include "command/info_sections.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>

#include <fmt/format.h>
#include <sys/utsname.h>

#include "command/arguments.h"
#include "command/memory_use.h"
#include "command/redis_version.h"
#include "io/resident_mapping.h"

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
  Line(to, "monotonic_clock:POSIX clock_gettime");
  Line(to, "multiplexing_api:epoll");
#if defined(__GNUC__) && !defined(__clang__)
  Line(to, "gcc_version:{}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  Line(to, "gcc_version:0.0.0");
#endif
  Line(to, "process_id:{}", server.process_id);
  Line(to, "process_supervised:no");
  Line(to, "run_id:{}", server.run_id);
  Line(to, "tcp_port:{}", server.tcp_port);
  Line(to, "server_time_usec:{}", source.context.now_ms * 1000);
  Line(to, "uptime_in_seconds:{}", uptime_seconds);
  Line(to, "uptime_in_days:{}", uptime_seconds / (24 * 60 * 60));
  Line(to, "executable:{}", server.executable);
  Line(to, "config_file:{}", server.config_file);
  Line(to, "io_threads_active:{}", server.threads > 1 ? 1 : 0);
  Line(to, "worker_threads:{}", server.threads);
}

void Clients(const InfoSource& source, std::string& to) {
  const ServerInfo& server = source.server;
  Line(to, "connected_clients:{}", server.connected_clients);
  Line(to, "cluster_connections:0");
  Line(to, "maxclients:{}", server.max_clients);
  Line(to, "client_recent_max_input_buffer:{}", server.largest_input_buffer);
  Line(to, "client_recent_max_output_buffer:{}", server.largest_output_buffer);
  Line(to, "blocked_clients:{}", server.blocked_clients);
  Line(to, "tracking_clients:{}", server.tracking_clients);
  Line(to, "pubsub_clients:{}", server.pubsub_clients);
}

void Bytes(std::string& to, std::string_view name, uint64_t bytes) {
  Line(to, "{}:{}", name, bytes);
  Line(to, "{}_human:{}", name, HumanBytes(bytes));
}

// Mapped pages count as used while they are resident: that is the memory Larder takes.
void Memory(const InfoSource& source, std::string& to) {
  const MemoryUse use = MeasureMemory(source.context);
  Bytes(to, "used_memory", use.resident);
  Bytes(to, "used_memory_rss", use.resident);
  Bytes(to, "used_memory_peak", use.peak);
  Line(to, "used_memory_peak_perc:{:.2f}%", PercentOf(use.resident, use.peak));
  Line(to, "used_memory_overhead:{}", use.own);
  Line(to, "used_memory_startup:{}", use.at_start);
  Line(to, "used_memory_dataset:{}", use.mapped);
  Line(to, "used_memory_dataset_perc:{:.2f}%", PercentOf(use.mapped, use.resident));
  Line(to, "allocator_allocated:{}", use.allocated);
  Line(to, "allocator_active:{}", use.active);
  Line(to, "allocator_resident:{}", use.own);
  Bytes(to, "total_system_memory", use.machine);
  Bytes(to, "used_memory_lua", 0);
  Line(to, "used_memory_vm_eval:0");
  Line(to, "used_memory_scripts_eval:0");
  Line(to, "number_of_cached_scripts:0");
  Line(to, "number_of_functions:0");
  Line(to, "number_of_libraries:0");
  Line(to, "used_memory_vm_functions:0");
  Bytes(to, "used_memory_vm_total", 0);
  Line(to, "used_memory_functions:0");
  Bytes(to, "used_memory_scripts", 0);
  Bytes(to, "maxmemory", 0);
  Line(to, "maxmemory_policy:noeviction");
  Line(to, "allocator_frag_ratio:{:.2f}", Ratio(use.active, use.allocated));
  Line(to, "allocator_frag_bytes:{}", use.active - use.allocated);
  Line(to, "mem_fragmentation_ratio:1.00");
  Line(to, "mem_fragmentation_bytes:0");
  for (const std::string_view none : {"mem_not_counted_for_evict", "mem_replication_backlog",
                                      "mem_total_replication_buffers", "mem_clients_slaves"}) {
    Line(to, "{}:0", none);
  }
  Line(to, "mem_clients_normal:{}", use.clients);
  Line(to, "mem_cluster_links:0");
  Line(to, "mem_aof_buffer:0");
  Line(to, "mem_allocator:libc");
  Line(to, "active_defrag_running:0");
  Line(to, "lazyfree_pending_objects:0");
  Line(to, "lazyfreed_objects:0");
}

// Whether a store has nothing to serve yet.
bool IsLoading(const store::Catalogue& catalogue) {
  return std::ranges::any_of(catalogue.view().entries(), [](const store::Entry& entry) {
    return entry.dataset->Current() == nullptr;
  });
}

// Fields that are zero because Larder neither forks, nor saves, nor has an append-only file.
void Zeroes(std::string& to, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) Line(to, "{}:0", name);
}

// A version that a store serves is on disk already; the latest switch stands for the latest save.
void Persistence(const InfoSource& source, std::string& to) {
  uint64_t switches = 0;
  uint64_t records = 0;
  for (const store::Entry& entry : source.context.catalogue.view().entries()) {
    const dataset::Status status = entry.dataset->status();
    switches += status.switches;
    records += status.records;
  }
  Line(to, "loading:{}", IsLoading(source.context.catalogue) ? 1 : 0);
  Zeroes(to, {"async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"});
  Line(to, "current_fork_perc:0.00");
  Zeroes(to, {"current_save_keys_processed", "current_save_keys_total",
              "rdb_changes_since_last_save", "rdb_bgsave_in_progress"});
  Line(to, "rdb_last_save_time:{}", LastSwitchMs(source.context) / 1000);
  Line(to, "rdb_last_bgsave_status:ok");
  Line(to, "rdb_last_bgsave_time_sec:-1");
  Line(to, "rdb_current_bgsave_time_sec:-1");
  Line(to, "rdb_saves:{}", switches);
  Zeroes(to, {"rdb_last_cow_size", "rdb_last_load_keys_expired"});
  Line(to, "rdb_last_load_keys_loaded:{}", records);
  Zeroes(to, {"aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"});
  Line(to, "aof_last_rewrite_time_sec:-1");
  Line(to, "aof_current_rewrite_time_sec:-1");
  Line(to, "aof_last_bgrewrite_status:ok");
  Zeroes(to, {"aof_rewrites", "aof_rewrites_consecutive_failures"});
  Line(to, "aof_last_write_status:ok");
  Zeroes(to, {"aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"});
}

void Stats(const InfoSource& source, std::string& to) {
  const ServerInfo& server = source.server;
  constexpr double kKiB = 1024;
  uint64_t errors = 0;
  for (const auto& [code, count] : source.context.instruments.errors()) errors += count;
  Line(to, "total_connections_received:{}", server.total_connections);
  Line(to, "total_commands_processed:{}", server.total_commands);
  Line(to, "instantaneous_ops_per_sec:{:.0f}", server.commands_per_second);
  Line(to, "total_net_input_bytes:{}", server.net_input_bytes);
  Line(to, "total_net_output_bytes:{}", server.net_output_bytes);
  Zeroes(to, {"total_net_repl_input_bytes", "total_net_repl_output_bytes"});
  Line(to, "instantaneous_input_kbps:{:.2f}", server.net_input_bytes_per_second / kKiB);
  Line(to, "instantaneous_output_kbps:{:.2f}", server.net_output_bytes_per_second / kKiB);
  Line(to, "instantaneous_input_repl_kbps:0.00");
  Line(to, "instantaneous_output_repl_kbps:0.00");
  Line(to, "rejected_connections:{}", server.rejected_connections);
  Zeroes(to, {"sync_full", "sync_partial_ok", "sync_partial_err", "expired_keys"});
  Line(to, "expired_stale_perc:0.00");
  Zeroes(to, {"expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds", "evicted_keys",
              "evicted_clients", "total_eviction_exceeded_time", "current_eviction_exceeded_time"});
  Line(to, "keyspace_hits:{}", server.keyspace_hits);
  Line(to, "keyspace_misses:{}", server.keyspace_misses);
  Line(to, "pubsub_channels:{}", server.channels);
  Line(to, "pubsub_patterns:{}", server.patterns);
  Line(to, "pubsubshard_channels:{}", server.shard_channels);
  Zeroes(to, {"latest_fork_usec", "total_forks", "migrate_cached_sockets",
              "slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
              "active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time",
              "current_active_defrag_time", "tracking_total_keys", "tracking_total_items"});
  Line(to, "tracking_total_prefixes:{}", server.tracking_prefixes);
  Line(to, "unexpected_error_replies:0");
  Line(to, "total_error_replies:{}", errors);
  Line(to, "dump_payload_sanitizations:0");
}

void Replication(const InfoSource& source, std::string& to) {
  Line(to, "role:master");
  Line(to, "connected_slaves:0");
  Line(to, "master_failover_state:no-failover");
  Line(to, "master_replid:{}", source.server.run_id);
  Line(to, "master_replid2:{:040}", 0);
  Line(to, "master_repl_offset:0");
  Line(to, "second_repl_offset:-1");
  Zeroes(to, {"repl_backlog_active", "repl_backlog_size", "repl_backlog_first_byte_offset",
              "repl_backlog_histlen"});
}

void Cpu(const InfoSource& source, std::string& to) {
  Line(to, "used_cpu_sys:{:.6f}", source.server.cpu_system_seconds);
  Line(to, "used_cpu_user:{:.6f}", source.server.cpu_user_seconds);
  Line(to, "used_cpu_sys_children:0.000000");
  Line(to, "used_cpu_user_children:0.000000");
}

// There are no modules; Redis has the section all the same.
void Modules(const InfoSource& /*source*/, std::string& /*to*/) {}

void CommandStats(const InfoSource& source, std::string& to) {
  const std::vector<Instruments::Totals> totals = source.context.instruments.totals();
  for (size_t i = 0; i < totals.size(); ++i) {
    const Instruments::Totals& command = totals[i];
    if (command.empty()) continue;
    const uint64_t microseconds = command.microseconds();
    Line(to, "cmdstat_{}:calls={},usec={},usec_per_call={:.2f},rejected_calls={},failed_calls={}",
         SpecByNumber(i).name, command.calls, microseconds, Ratio(microseconds, command.calls),
         command.rejected, command.failed);
  }
}

void ErrorStats(const InfoSource& source, std::string& to) {
  for (const auto& [code, count] : source.context.instruments.errors()) {
    Line(to, "errorstat_{}:count={}", code, count);
  }
}

void LatencyStats(const InfoSource& source, std::string& to) {
  const Instruments& instruments = source.context.instruments;
  if (!instruments.latency_tracking) return;
  const std::vector<double> percentiles = instruments.percentiles();
  for (size_t i = 0; i < SpecCount(); ++i) {
    const LatencyCounts counts = instruments.Latencies(i);
    if (counts.empty()) continue;
    std::string line = fmt::format("latency_percentiles_usec_{}:", SpecByNumber(i).name);
    for (const double percent : percentiles) {
      if (line.back() != ':') line += ',';
      line += fmt::format("p{:g}={:.3f}", percent,
                          static_cast<double>(PercentileNs(counts, percent)) / 1000);
    }
    Line(to, "{}", line);
  }
}

void Cluster(const InfoSource& /*source*/, std::string& to) { Line(to, "cluster_enabled:0"); }

void Keyspace(const InfoSource& source, std::string& to) {
  const store::View& view = source.context.catalogue.view();
  for (uint32_t database = 0; database < view.databases(); ++database) {
    const auto* dataset = view.ByDatabase(database);
    const auto* version = dataset == nullptr ? nullptr : dataset->Current();
    if (version == nullptr || version->snapshot->record_count() == 0) continue;
    const snapshot::Header& header = version->snapshot->header();
    // As in Redis of the keys that have one; here those whose time has passed are among them.
    const int64_t now_ms = source.context.now_ms;
    const int64_t mean_ms = header.expiries.mean_ms();
    Line(to, "db{}:keys={},expires={},avg_ttl={}", database, header.record_count,
         header.expiries.records, mean_ms > now_ms ? mean_ms - now_ms : 0);
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
    Line(
        to,
        "dataset_{}:database={},current={},pinned={},compiling={},records={},bytes={},residency={},"
        "resident_bytes={},switches={},refused={},refused_version={},skipped_lines={},probation_"
        "until_ms={},damaged={},"
        "last_switch_ms={},last_check_ms={},last_error_ms={},last_error={}",
        status.name, database, status.current, status.pinned ? 1 : 0, status.compiling ? 1 : 0,
        status.records, status.file_bytes, io::ResidencyName(status.residency),
        status.resident_bytes, status.switches, status.refused, status.refused_version,
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
    {"modules", "Modules", Shown::kByDefault, &Modules},
    {"commandstats", "Commandstats", Shown::kInAll, &CommandStats},
    {"errorstats", "Errorstats", Shown::kByDefault, &ErrorStats},
    {"latencystats", "Latencystats", Shown::kInAll, &LatencyStats},
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

int64_t LastSwitchMs(const Context& context) {
  int64_t last_ms = context.host.server_info().start_ms;
  for (const store::Entry& entry : context.catalogue.view().entries()) {
    last_ms = std::max(last_ms, entry.dataset->status().last_switch_ms);
  }
  return last_ms;
}

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

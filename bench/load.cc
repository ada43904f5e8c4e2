// larder_load: puts a bounded, verified load on a server on loopback and reports as JSON.
//
// One thread, one epoll. In a closed loop every connection keeps one batch of `pipeline` requests
// under way; with --rate requests are due at fixed times whatever the server does, and latencies
// count from then. Every reply is read whole and compared with what the records must show
// (bench/reply_check.h). The server's CPU time comes from the kernel's clock of its process, since
// throughput on a small noisy machine lies.
//
// workload.cc has the workloads; a server of another protocol needs a name in protocols, its
// requests in workload.cc and its replies in reply_reader.cc.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "die.h"
#include "load_connection.h"
#include "record_shape.h"
#include "reply_check.h"
#include "workload.h"

namespace larder::bench {
namespace {

const std::map<std::string, Protocol> protocols = {
    {"resp2", Protocol::kResp2},
    {"resp3", Protocol::kResp3},
    {"memcached", Protocol::kMemcachedText},
    {"memcached-meta", Protocol::kMemcachedMeta},
};

struct Options {
  LoadPlan plan;
  RecordSet set;
  ChoiceOptions choice;
  std::string shape = "mixed";
  std::string workload = "get";
  size_t mget_keys = 10;
  int connections = 50;
  int pipeline = 1;
  double rate = 0;
  double seconds = 3;
  uint64_t least_requests = 0;
  double warmup_seconds = 0.5;
  int64_t server_pid = 0;
  uint64_t seed = 1;
  bool until_stdin_ends = false;
};

double ProcessCpuSeconds(int64_t pid) {
  if (pid == 0) return 0;
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    Die(fmt::format("no CPU clock of process {}", pid));
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

class Load {
 public:
  Load(const Options& options, const Workload& workload)
      : options_(options), checker_(workload, options.set, options.plan.protocol) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const Choice choice(workload, options.set, options.choice);
    for (int i = 0; i < options.connections; ++i) {
      connections_.push_back(
          std::make_unique<LoadConnection>(options.plan, workload, options.set, choice, checker_,
                                           options.seed * 1000 + static_cast<uint64_t>(i)));
      Watch(connections_.back()->fd(), connections_.back().get(), EPOLL_CTL_ADD, EPOLLIN);
    }
    if (options.until_stdin_ends) Watch(STDIN_FILENO, nullptr, EPOLL_CTL_ADD, EPOLLIN);
  }
  ~Load() { close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Runs for `seconds` or until stdin ends, then lets what is under way finish.
  void Run(double seconds, Tally& tally) {
    over_ = false;
    end_ = Clock::now() + Seconds(seconds);
    if (options_.rate > 0) return RunPaced(tally);
    for (auto& connection : connections_) SendBatch(*connection);
    while (AnyBusy()) {
      Wait(std::chrono::seconds(10), true, tally);
    }
  }

 private:
  void Watch(int fd, LoadConnection* connection, int operation, uint32_t what) const {
    epoll_event event{};
    event.events = what;
    event.data.ptr = connection;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void SendBatch(LoadConnection& connection) {
    if (connection.idle()) ++busy_;
    connection.Send(options_.pipeline, Clock::now());
    NoteOutput(connection);
  }

  bool AnyBusy() const { return busy_ > 0; }

  void NoteOutput(LoadConnection& connection) const {
    if (connection.unsent() == connection.watches_output) return;
    connection.watches_output = connection.unsent();
    Watch(connection.fd(), &connection, EPOLL_CTL_MOD,
          connection.watches_output ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  // Requests are due at fixed times, on the connections in turns.
  void RunPaced(Tally& tally) {
    const auto start = Clock::now();
    size_t next = 0;
    const auto due_at = [&] { return start + Seconds(static_cast<double>(next) / options_.rate); };
    while (!over_ || AnyBusy()) {
      auto due = due_at();
      for (; !over_ && due < end_ && due <= Clock::now(); due = due_at()) {
        LoadConnection& connection = *connections_[next++ % connections_.size()];
        if (connection.idle()) ++busy_;
        connection.Send(1, due);
        NoteOutput(connection);
      }
      over_ = over_ || due >= end_;
      if (over_ && !AnyBusy()) return;
      const auto wait = over_ ? Seconds(10) : std::max(due - Clock::now(), Clock::duration(0));
      Wait(wait, over_, tally);
    }
  }

  // Waits for replies; having waited in vain is an error where somebody must answer.
  void Wait(Clock::duration longest, bool must_answer, Tally& tally) {
    epoll_event events[256];
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(longest).count();
    const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000,
                           .tv_nsec = nanoseconds % 1'000'000'000};
    const int n = epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    if (n < 0 && errno != EINTR) Die("epoll_pwait2");
    if (n == 0 && must_answer) Die("no reply for 10 seconds");
    over_ = over_ || (Clock::now() >= end_ && tally.findings.requests >= options_.least_requests);
    for (int i = 0; i < n; ++i) {
      if (events[i].data.ptr == nullptr) {
        over_ = true;
        Watch(STDIN_FILENO, nullptr, EPOLL_CTL_DEL, 0);
      } else {
        Serve(*static_cast<LoadConnection*>(events[i].data.ptr), tally);
      }
    }
  }

  void Serve(LoadConnection& connection, Tally& tally) {
    connection.Flush();
    NoteOutput(connection);
    const bool was_busy = !connection.idle();
    connection.Receive(tally);
    if (!was_busy || !connection.idle()) return;
    --busy_;
    if (!over_ && options_.rate == 0) SendBatch(connection);
  }

  const Options& options_;
  ReplyChecker checker_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<LoadConnection>> connections_;
  size_t busy_ = 0;  // connections that wait for a reply
  bool over_ = false;
  Clock::time_point end_;
};

void Report(const Options& options, const Tally& tally, double seconds, double cpu_seconds) {
  const Findings& found = tally.findings;
  const auto requests = static_cast<double>(found.requests);
  const auto counts = tally.latencies.Counts();
  const auto microseconds = [&](double percent) {
    return static_cast<double>(command::PercentileNs(counts, percent)) / 1000;
  };
  fmt::print(
      "{{\"workload\":\"{}\",\"connections\":{},\"pipeline\":{},\"requests\":{},\"seconds\":{:.3f},"
      "\"requests_per_second\":{:.0f},\"server_cpu_us_per_request\":{:.4f},\"p50_us\":{:.1f},"
      "\"p90_us\":{:.1f},\"p99_us\":{:.1f},\"p999_us\":{:.1f},\"p9999_us\":{:.1f},"
      "\"max_us\":{:.1f},\"errors\":{},\"wrong\":{},\"mixtures\":{},\"backwards\":{},"
      "\"versions_seen\":{}}}\n",
      options.workload, options.connections, options.pipeline, found.requests, seconds,
      requests / seconds, cpu_seconds * 1e6 / requests, microseconds(50), microseconds(90),
      microseconds(99), microseconds(99.9), microseconds(99.99), tally.latencies.LongestUs(),
      found.errors, found.wrong, found.mixtures, found.backwards, found.versions);
}

int Measure(const Options& options, const Workload& workload) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // sleep as long as asked, not 50 us more
  Load load(options, workload);
  if (options.warmup_seconds > 0 && !options.until_stdin_ends) {
    Tally ignored;
    load.Run(options.warmup_seconds, ignored);
  }
  const double cpu_before = ProcessCpuSeconds(options.server_pid);
  const auto start = Clock::now();
  Tally tally;
  load.Run(options.seconds, tally);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Report(options, tally, seconds, ProcessCpuSeconds(options.server_pid) - cpu_before);
  if (tally.findings.first_failure.empty()) return 0;
  fmt::print(stderr, "larder_load: first failure: {}\n", tally.findings.first_failure);
  return 1;
}

void CheckOptions(const Options& options, const Workload& workload) {
  const bool memcached = options.plan.protocol == Protocol::kMemcachedText ||
                         options.plan.protocol == Protocol::kMemcachedMeta;
  if (memcached && workload.content != Content::kValues) Die("memcached has strings only");
  if (options.plan.protocol == Protocol::kMemcachedMeta && workload.name == "mget") {
    Die("mg asks for one key");
  }
  if (workload.argument == Argument::kCursor && (options.pipeline != 1 || options.rate > 0)) {
    Die("a walk's next cursor is known when its last page has come: pipeline 1, no rate");
  }
  if (options.rate > 0 && options.pipeline != 1) Die("--rate sends requests one by one");
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("A verified load on a server, reported as a line of JSON.");
  app.add_option("--host", options.plan.host, "IPv4 address");
  app.add_option("--port", options.plan.port);
  app.add_option("--protocol", options.plan.protocol)
      ->transform(CLI::CheckedTransformer(protocols));
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 10000));
  app.add_option("--pipeline", options.pipeline, "requests per batch")->check(CLI::Range(1, 10000));
  app.add_option("--rate", options.rate, "requests a second in total, whatever the server does");
  app.add_option("--workload", options.workload, "see bench/workload.cc");
  app.add_option("--keys-per-request", options.mget_keys, "of mget");
  app.add_option("--zipf", options.choice.zipf, "choose by Zipf's law with this exponent");
  app.add_option("--hit-ratio", options.choice.hit_ratio, "the share of what is asked that exists")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--records", options.set.records, "as given to larder_make_records");
  app.add_option("--shape", options.shape, "the same");
  app.add_option("--value-bytes", options.set.value_bytes, "the same");
  app.add_option("--elements", options.set.elements, "the same");
  app.add_option("--seconds", options.seconds)->check(CLI::Range(0.01, 3600.0));
  app.add_option("--least-requests", options.least_requests,
                 "of a closed loop: goes on beyond --seconds until there were so many");
  app.add_option("--warmup-seconds", options.warmup_seconds);
  app.add_option("--server-pid", options.server_pid, "measures this process's CPU time");
  app.add_option("--seed", options.seed);
  app.add_flag("--until-stdin-ends", options.until_stdin_ends, "end before --seconds are over");
  app.add_flag("--any-reply", options.plan.any_reply,
               "replies are all as long as the first, and right (larder_floor's)");
  CLI11_PARSE(app, argc, argv);
  options.set.shape = ShapeNamed(options.shape);
  const Workload& workload = WorkloadNamed(options.workload);
  CheckOptions(options, workload);
  options.plan.keys_per_request = workload.name == "mget" ? options.mget_keys : 1;
  options.plan.paced = options.rate > 0;
  return Measure(options, workload);
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) {
  try {
    return larder::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "larder_load: %s\n", error.what());
    return 1;
  }
}

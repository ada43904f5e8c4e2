// larder_load: puts a bounded, verified load on a Redis server on loopback and reports as JSON.
//
// One thread, one epoll; every connection keeps one batch of `pipeline` requests under way. Every
// reply is read whole, counted and compared with the record it must show (bench/record_shape.h),
// and all values of one reply must be of one version. The server's CPU time comes from the kernel's
// clock of its process, since throughput on a small noisy machine lies.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "record_shape.h"
#include "reply_reader.h"

namespace larder::bench {
namespace {

using Clock = std::chrono::steady_clock;

enum class Workload { kGet, kMget, kHgetall };

struct Options {
  std::string host = "127.0.0.1";
  uint16_t port = 6380;
  int connections = 50;
  int pipeline = 1;
  int keys_per_request = 10;  // of MGET
  std::string workload = "get";
  uint64_t records = 750000;
  double seconds = 3;
  double warmup_seconds = 0.5;
  int64_t server_pid = 0;
  uint64_t seed = 1;
  bool until_stdin_ends = false;
  bool any_reply = false;
};

struct Tally {
  uint64_t requests = 0;
  uint64_t errors = 0;
  uint64_t wrong = 0;      // a value that is not the record's
  uint64_t mixtures = 0;   // values of several versions in one reply
  uint64_t backwards = 0;  // a version below the one the connection saw before
  uint64_t versions = 0;   // switches seen by connections
  std::string first_failure;
  std::vector<uint32_t> latencies_us;  // of batches
};

[[noreturn]] void Die(const std::string& message) {
  throw std::runtime_error(fmt::format("larder_load: {}\n", message));
}

std::string Reason() { return std::generic_category().message(errno); }

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

class Connection {
 public:
  Connection(const Options& options, Workload workload, uint64_t seed)
      : options_(options), workload_(workload), random_(seed) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) Die("bad host");
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      Die(fmt::format("connect {}:{}: {}", options.host, options.port, Reason()));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    input_.resize(1 << 16);
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  bool idle() const { return waiting_ == 0; }

  void SendBatch() {
    output_.clear();
    asked_.clear();
    for (int i = 0; i < options_.pipeline; ++i) AppendRequest();
    waiting_ = options_.pipeline;
    sent_ = 0;
    answered_keys_ = 0;
    started_ = Clock::now();
    Flush();
  }

  bool unsent() const { return sent_ < output_.size(); }

  void Flush() {
    while (unsent()) {
      const ssize_t n = send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) Die(fmt::format("send: {}", Reason()));
      sent_ += static_cast<size_t>(n);
    }
  }

  // Reads what has come; true when the batch is complete.
  bool Receive(Tally& tally) {
    if (filled_ == input_.size()) input_.resize(input_.size() * 2);
    const ssize_t n = recv(fd_, input_.data() + filled_, input_.size() - filled_, 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n == 0) Die("the server closed the connection");
    if (n < 0) Die(fmt::format("recv: {}", Reason()));
    filled_ += static_cast<size_t>(n);
    size_t at = 0;
    while (waiting_ > 0) {
      std::string_view error;
      const size_t bytes = ReadReply({input_.data() + at, filled_ - at}, bulks_, error);
      if (bytes == 0) break;
      at += bytes;
      --waiting_;
      Check(error, tally);
    }
    std::memmove(input_.data(), input_.data() + at, filled_ - at);
    filled_ -= at;
    if (waiting_ > 0) return false;
    const auto elapsed =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_);
    tally.latencies_us.push_back(static_cast<uint32_t>(elapsed.count()));
    return true;
  }

 private:
  uint64_t RandomString() {
    uint64_t record = random_() % options_.records;
    return IsHash(record) ? record - 1 : record;
  }

  void AppendBulk(std::string_view bytes) {
    fmt::format_to(std::back_inserter(output_), "${}\r\n{}\r\n", bytes.size(), bytes);
  }

  void AppendKey(uint64_t record) {
    asked_.push_back(record);
    AppendBulk(KeyOf(record).view());
  }

  void AppendRequest() {
    switch (workload_) {
      case Workload::kGet:
        output_ += "*2\r\n$3\r\nGET\r\n";
        AppendKey(RandomString());
        break;
      case Workload::kMget:
        fmt::format_to(std::back_inserter(output_), "*{}\r\n$4\r\nMGET\r\n",
                       options_.keys_per_request + 1);
        for (int i = 0; i < options_.keys_per_request; ++i) AppendKey(RandomString());
        break;
      case Workload::kHgetall:
        output_ += "*2\r\n$7\r\nHGETALL\r\n";
        AppendKey(random_() % (options_.records / 4) * 4 + 3);
        break;
    }
  }

  void Fail(Tally& tally, uint64_t& counter, std::string_view what) {
    ++counter;
    if (tally.first_failure.empty()) tally.first_failure = what;
  }

  // Compares the bulks of the reply with the records that were asked for, in order.
  void Check(std::string_view error, Tally& tally) {
    ++tally.requests;
    if (options_.any_reply) return;
    const size_t keys =
        workload_ == Workload::kMget ? static_cast<size_t>(options_.keys_per_request) : 1;
    const size_t first_key = answered_keys_;
    answered_keys_ += keys;
    if (!error.empty()) return Fail(tally, tally.errors, error);
    const size_t wanted = workload_ == Workload::kHgetall ? 2 * kFieldCount : keys;
    if (bulks_.size() != wanted) {
      return Fail(tally, tally.wrong, fmt::format("{} strings for {}", bulks_.size(), wanted));
    }
    int64_t version = -1;
    for (size_t i = 0; i < wanted; ++i) {
      if (workload_ == Workload::kHgetall && i % 2 == 0) continue;  // a field's name
      CheckValue(bulks_[i], i, first_key, version, tally);
    }
    if (version < seen_version_) Fail(tally, tally.backwards, "a connection went back a version");
    if (version != seen_version_) ++tally.versions;
    seen_version_ = version;
  }

  void CheckValue(const Bulk& bulk, size_t i, size_t first_key, int64_t& version, Tally& tally) {
    char expected[kStringBytes];
    const bool hash = workload_ == Workload::kHgetall;
    const size_t size = hash ? kFieldBytes : kStringBytes;
    if (bulk.null || bulk.bytes.size() != size) {
      return Fail(tally, tally.wrong, fmt::format("'{}' is no value of ours", bulk.bytes));
    }
    const int64_t found = std::strtoll(std::string(bulk.bytes.substr(1, 5)).c_str(), nullptr, 10);
    PutValue(expected, size, asked_[first_key + (hash ? 0 : i)], hash ? i / 2 : 0,
             static_cast<uint64_t>(found));
    if (bulk.bytes != std::string_view(expected, size)) {
      Fail(tally, tally.wrong, fmt::format("'{}' is another record's value", bulk.bytes));
    }
    if (version >= 0 && version != found) Fail(tally, tally.mixtures, "two versions in one reply");
    version = found;
  }

  const Options& options_;
  Workload workload_;
  std::mt19937_64 random_;
  int fd_ = -1;
  std::string output_;
  size_t sent_ = 0;
  std::vector<uint64_t> asked_;
  size_t answered_keys_ = 0;
  int waiting_ = 0;
  std::vector<char> input_;
  size_t filled_ = 0;
  std::vector<Bulk> bulks_;
  int64_t seen_version_ = 0;
  Clock::time_point started_;
};

class Load {
 public:
  Load(const Options& options, Workload workload) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>(
          options, workload, options.seed * 1000 + static_cast<uint64_t>(i)));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = connections_.back().get();
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event);
    }
    if (!options.until_stdin_ends) return;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  }
  ~Load() { close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Runs for `seconds`, then lets the batches under way finish.
  Tally Run(double seconds) {
    Tally tally;
    tally.latencies_us.reserve(1 << 20);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(seconds));
    for (auto& connection : connections_) connection->SendBatch();
    size_t busy = connections_.size();
    bool over = false;
    while (busy > 0) {
      epoll_event events[256];
      const int n = epoll_wait(epoll_, events, 256, 10000);
      if (n == 0) Die("no reply for 10 seconds");
      over = over || Clock::now() >= end;
      for (int i = 0; i < n; ++i) {
        if (events[i].data.ptr == nullptr) {
          over = true;
          epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
          continue;
        }
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        connection.Flush();
        if (connection.idle() || !connection.Receive(tally)) continue;
        if (over) {
          --busy;
        } else {
          connection.SendBatch();
        }
      }
    }
    return tally;
  }

 private:
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
};

uint32_t Percentile(const std::vector<uint32_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int Measure(const Options& options, Workload workload) {
  Load load(options, workload);
  if (options.warmup_seconds > 0 && !options.until_stdin_ends) load.Run(options.warmup_seconds);
  const double cpu_before = ProcessCpuSeconds(options.server_pid);
  const auto start = Clock::now();
  Tally tally = load.Run(options.seconds);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double cpu = ProcessCpuSeconds(options.server_pid) - cpu_before;
  std::ranges::sort(tally.latencies_us);
  const auto requests = static_cast<double>(tally.requests);
  fmt::print(
      "{{\"workload\":\"{}\",\"connections\":{},\"pipeline\":{},\"requests\":{},\"seconds\":{:.3f},"
      "\"requests_per_second\":{:.0f},\"server_cpu_us_per_request\":{:.4f},\"p50_us\":{},"
      "\"p99_us\":{},\"p999_us\":{},\"max_us\":{},\"errors\":{},\"wrong\":{},\"mixtures\":{},"
      "\"backwards\":{},\"versions_seen\":{}}}\n",
      options.workload, options.connections, options.pipeline, tally.requests, seconds,
      requests / seconds, cpu * 1e6 / requests, Percentile(tally.latencies_us, 0.5),
      Percentile(tally.latencies_us, 0.99), Percentile(tally.latencies_us, 0.999),
      Percentile(tally.latencies_us, 1), tally.errors, tally.wrong, tally.mixtures, tally.backwards,
      tally.versions);
  if (tally.first_failure.empty()) return 0;
  fmt::print(stderr, "larder_load: first failure: {}\n", tally.first_failure);
  return 1;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("A verified load on a Redis server, reported as a line of JSON.");
  app.add_option("--host", options.host, "IPv4 address");
  app.add_option("--port", options.port);
  app.add_option("--connections", options.connections)->check(CLI::Range(1, 10000));
  app.add_option("--pipeline", options.pipeline, "requests per batch")->check(CLI::Range(1, 10000));
  app.add_option("--workload", options.workload)->check(CLI::IsMember({"get", "mget", "hgetall"}));
  app.add_option("--keys-per-request", options.keys_per_request, "of mget");
  app.add_option("--records", options.records, "as given to larder_make_records");
  app.add_option("--seconds", options.seconds)->check(CLI::Range(0.01, 3600.0));
  app.add_option("--warmup-seconds", options.warmup_seconds);
  app.add_option("--server-pid", options.server_pid, "measures this process's CPU time");
  app.add_option("--seed", options.seed);
  app.add_flag("--until-stdin-ends", options.until_stdin_ends, "end before --seconds are over");
  app.add_flag("--any-reply", options.any_reply, "count replies and believe them (larder_floor's)");
  CLI11_PARSE(app, argc, argv);
  if (options.records < 4) Die("at least 4 records");
  const Workload workload = options.workload == "get"    ? Workload::kGet
                            : options.workload == "mget" ? Workload::kMget
                                                         : Workload::kHgetall;
  return Measure(options, workload);
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) {
  try {
    return larder::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}

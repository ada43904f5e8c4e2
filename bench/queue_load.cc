// Queue workloads, each beside the plain system call that it cannot be faster than. Prints JSON.
// Driven by queues.py; what is measured is in the name of each figure: _per_s is a rate, _ns and
// _ms are times.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "larder/queue.h"

namespace {

using larder::Queue;
using larder::QueueOptions;
using larder::QueueSync;

using Figures = std::map<std::string, double>;

struct Load {
  std::string directory;
  uint64_t records = 1'000'000;
  uint64_t record_bytes = 256;
};

[[noreturn]] void Stop(const std::string& why) { throw std::runtime_error(why); }

template <typename T>
T Must(larder::Result<T> result) {
  if (!result) Stop(result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void MustCall(bool done, const char* what) {
  if (!done) Stop(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

int64_t NowNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

double Seconds(const std::function<void()>& work) {
  const int64_t began = NowNs();
  work();
  return static_cast<double>(NowNs() - began) / 1e9;
}

double Median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

QueueOptions OptionsOf(const Load& load, const std::string& name, QueueSync sync) {
  return {.directory = load.directory + "/" + name, .sync = sync};
}

Queue Filled(const Load& load, const std::string& name, uint64_t records) {
  Queue queue = Must(Queue::Open(OptionsOf(load, name, QueueSync::kNever)));
  const std::string data(load.record_bytes, 'r');
  const std::vector<std::string_view> batch(100, data);
  for (uint64_t i = 0; i < records; i += batch.size()) Must(queue.Append(batch));
  return queue;
}

// ---- Appending.

Figures AppendOneByOne(const Load& load) {
  const Queue queue = Must(Queue::Open(OptionsOf(load, "one", QueueSync::kNever)));
  const std::string data(load.record_bytes, 'r');
  const double seconds = Seconds([&] {
    for (uint64_t i = 0; i < load.records; ++i) Must(queue.Append(data));
  });
  return {{"append_per_s", static_cast<double>(load.records) / seconds}};
}

Figures AppendHundreds(const Load& load) {
  const auto records = static_cast<double>(load.records);
  const std::string data(100 * load.record_bytes, 'r');
  const int plain = ::open((load.directory + "/plain").c_str(), O_WRONLY | O_CREAT, 0600);
  MustCall(plain >= 0, "open");
  const double plain_seconds = Seconds([&] {
    for (uint64_t i = 0; i < load.records; i += 100)
      MustCall(::write(plain, data.data(), data.size()) >= 0, "write");
  });
  ::close(plain);
  std::filesystem::remove(load.directory + "/plain");
  Figures figures{{"plain_write_per_s", records / plain_seconds}};
  // With segments of 64 MiB, each of which is on the disk before the next begins; and in one.
  for (const bool one_segment : {false, true}) {
    QueueOptions options = OptionsOf(load, one_segment ? "large" : "usual", QueueSync::kInterval);
    if (one_segment) options.max_segment_bytes = uint64_t{1} << 30;
    const Queue queue = Must(Queue::Open(options));
    const std::vector<std::string_view> batch(100,
                                              std::string_view(data).substr(0, load.record_bytes));
    const double seconds = Seconds([&] {
      for (uint64_t i = 0; i < load.records; i += 100) Must(queue.Append(batch));
    });
    figures[one_segment ? "append_one_segment_per_s" : "append_per_s"] = records / seconds;
  }
  return figures;
}

// The rate of write and fdatasync to a file whose space is allocated, and of appends that wait for
// theirs, by one thread and by 32.
Figures Always(const Load& load) {
  constexpr int kSyncs = 300;
  constexpr int kThreads = 32;
  constexpr int kSyncsOfEach = 75;
  const std::string data(load.record_bytes, 'r');
  const int file = ::open((load.directory + "/plain").c_str(), O_RDWR | O_CREAT, 0600);
  MustCall(file >= 0 && ::posix_fallocate(file, 0, 1 << 20) == 0 && ::fsync(file) == 0, "allocate");
  const double disk = Seconds([&] {
    for (int i = 0; i < kSyncs; ++i) {
      MustCall(::pwrite(file, data.data(), data.size(), off_t{i} * 312) >= 0, "write");
      MustCall(::fdatasync(file) == 0, "fdatasync");
    }
  });
  ::close(file);
  const Queue queue = Must(Queue::Open(OptionsOf(load, "always", QueueSync::kAlways)));
  Must(queue.Append(data));
  const auto append = [&](int times) {
    for (int i = 0; i < times; ++i) Must(queue.Append(data));
  };
  const double one = Seconds([&] { append(kSyncs); });
  const double many = Seconds([&] {
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) threads.emplace_back([&] { append(kSyncsOfEach); });
    for (std::thread& thread : threads) thread.join();
  });
  return {{"fdatasync_per_s", kSyncs / disk},
          {"one_writer_per_s", kSyncs / one},
          {"writers_32_per_s", kThreads * kSyncsOfEach / many}};
}

// ---- Reading.

double RandomReadNs(const Load& load, const Queue& queue) {
  uint64_t bytes = 0;
  // Once to have been everywhere.
  double seconds = 0;
  for (int round = 0; round < 2; ++round) {
    // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers every time
    std::mt19937_64 random(1);
    seconds = Seconds([&] {
      for (uint64_t i = 0; i < load.records; ++i)
        bytes += Must(queue.Read(1 + random() % load.records)).data.size();
    });
  }
  if (bytes != 2 * load.records * load.record_bytes) Stop("bytes are missing");
  return seconds / static_cast<double>(load.records) * 1e9;
}

// What the machine's memory allows: records at computed places of a mapped file, all bytes of each
// looked at, no number checked.
double BareArrayNs(const Load& load) {
  const std::string path = load.directory + "/array";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  MustCall(file >= 0, "open");
  const std::string data(100 * load.record_bytes, 'r');
  for (uint64_t i = 0; i < load.records; i += 100)
    MustCall(::write(file, data.data(), data.size()) >= 0, "write");
  const uint64_t bytes = load.records * load.record_bytes;
  void* const memory = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
  MustCall(memory != MAP_FAILED, "mmap");
  const auto* const words = static_cast<const uint64_t*>(memory);
  const uint64_t words_of_each = load.record_bytes / sizeof(uint64_t);
  uint64_t sum = 0;
  double seconds = 0;
  for (int round = 0; round < 2; ++round) {
    // NOLINTNEXTLINE(bugprone-random-generator-seed): the same numbers every time
    std::mt19937_64 random(1);
    seconds = Seconds([&] {
      for (uint64_t i = 0; i < load.records; ++i) {
        const uint64_t* const record = words + random() % load.records * words_of_each;
        for (uint64_t word = 0; word < words_of_each; ++word) sum += record[word];
      }
    });
  }
  ::munmap(memory, bytes);
  ::close(file);
  std::filesystem::remove(path);
  if (sum == 0) Stop("bytes are missing");
  return seconds / static_cast<double>(load.records) * 1e9;
}

Figures Read(const Load& load) {
  const Queue queue = Filled(load, "read", load.records);
  const auto records = static_cast<double>(load.records);
  uint64_t bytes = 0;
  const double in_order = Seconds([&] {
    for (uint64_t number = 1; number <= load.records; ++number)
      bytes += Must(queue.Read(number)).data.size();
  });
  const double in_hundreds = Seconds([&] {
    for (uint64_t number = 1; number <= load.records; number += 100)
      for (const auto& record : Must(queue.ReadMany(number, 100))) bytes += record.data.size();
  });
  Figures figures{{"in_order_per_s", records / in_order},
                  {"in_hundreds_per_s", records / in_hundreds}};
  // With 64 MiB in memory, as all of the above; and as much as there is.
  figures["random_bounded_ns"] = RandomReadNs(load, queue);
  Must(queue.Close());
  QueueOptions unbounded = OptionsOf(load, "read", QueueSync::kNever);
  unbounded.max_resident_bytes = 0;
  figures["random_ns"] = RandomReadNs(load, Must(Queue::Open(unbounded)));
  figures["bare_array_ns"] = BareArrayNs(load);
  if (bytes != 2 * load.records * load.record_bytes) Stop("bytes are missing");
  return figures;
}

// By Pop, one by one: the rate in each tenth.
Figures Drain(const Load& load) {
  const Queue queue = Filled(load, "drain", load.records);
  const uint64_t tenth = load.records / 10;
  std::vector<double> rates;
  for (int part = 0; part < 10; ++part) {
    const double seconds = Seconds([&] {
      for (uint64_t i = 0; i < tenth; ++i)
        if (!Must(queue.Pop())) Stop("the queue is empty too early");
    });
    rates.push_back(static_cast<double>(tenth) / seconds);
  }
  return {{"first_tenth_per_s", rates.front()},
          {"last_tenth_per_s", rates.back()},
          {"slowest_tenth_per_s", std::ranges::min(rates)},
          {"median_per_s", Median(rates)}};
}

// After it was closed, and after its process was killed.
Figures Open(const Load& load) {
  const pid_t child = ::fork();
  MustCall(child >= 0, "fork");
  if (child == 0) {
    const Queue queue = Filled(load, "open", load.records);
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  const QueueOptions options = OptionsOf(load, "open", QueueSync::kNever);
  Figures figures;
  for (const char* const name : {"after_kill_ms", "after_close_ms"}) {
    const int64_t began = NowNs();
    const Queue queue = Must(Queue::Open(options));
    figures[name] = static_cast<double>(NowNs() - began) / 1e6;
    if (Must(queue.Length()) != load.records) Stop("records are missing");
    Must(queue.Close());
  }
  return figures;
}

// ---- Waking another process.

// What two processes share: when the last one was told, and the time that each round took.
struct Shared {
  std::atomic<uint32_t> word;
  std::atomic<uint32_t> ready;
  std::atomic<int64_t> told_ns;
  std::atomic<int64_t> took_ns;
};

constexpr int kRounds = 2000;

void Futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  ::syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

// Tells the child `kRounds` times, when it waits; the median of what it needed to notice.
double RoundsNs(Shared& shared, bool sleeps, const std::function<void()>& child,
                const std::function<void()>& tell) {
  shared.ready = 0;
  const pid_t process = ::fork();
  MustCall(process >= 0, "fork");
  if (process == 0) {
    child();
    ::_exit(0);
  }
  std::vector<double> took;
  for (uint32_t round = 1; round <= kRounds; ++round) {
    while (shared.ready != round) {
    }
    // So that a reader that sleeps has gone to sleep.
    if (sleeps) ::usleep(100);
    shared.told_ns = NowNs();
    tell();
    int64_t took_ns = 0;
    while ((took_ns = shared.took_ns.exchange(0)) == 0) {
    }
    took.push_back(static_cast<double>(took_ns));
  }
  ::waitpid(process, nullptr, 0);
  return Median(std::move(took));
}

double BareFutexNs(Shared& shared) {
  shared.word = 0;
  return RoundsNs(
      shared, true,
      [&] {
        for (uint32_t round = 1; round <= kRounds; ++round) {
          shared.ready = round;
          while (shared.word < round) Futex(shared.word, FUTEX_WAIT, round - 1);
          shared.took_ns = NowNs() - shared.told_ns;
        }
      },
      [&] {
        ++shared.word;
        Futex(shared.word, FUTEX_WAKE, 1);
      });
}

double QueueNs(Shared& shared, const Load& load, bool sleeps) {
  const QueueOptions options = OptionsOf(load, sleeps ? "sleeping" : "spinning", QueueSync::kNever);
  std::unique_ptr<Queue> queue;  // opened behind the fork
  return RoundsNs(
      shared, sleeps,
      [&] {
        QueueOptions consumer = options;
        consumer.writers = larder::QueueWriters::kNone;
        const Queue waiting = Must(Queue::Open(consumer));
        const auto spin = sleeps ? std::chrono::seconds(0) : std::chrono::seconds(10);
        for (uint32_t round = 1; round <= kRounds; ++round) {
          shared.ready = round;
          if (!Must(waiting.WaitForData(std::chrono::seconds(10), spin))) Stop("nothing came");
          shared.took_ns = NowNs() - shared.told_ns;
          Must(waiting.Pop());
        }
      },
      [&] {
        if (queue == nullptr) {
          queue = std::make_unique<Queue>(Must(Queue::Open(options)));
          shared.told_ns = NowNs();
        }
        Must(queue->Append("x"));
      });
}

Figures Wake(const Load& load) {
  void* const memory =
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MustCall(memory != MAP_FAILED, "mmap");
  Shared& shared = *new (memory) Shared;
  return {{"bare_futex_ns", BareFutexNs(shared)},
          {"sleeping_reader_ns", QueueNs(shared, load, true)},
          {"spinning_reader_ns", QueueNs(shared, load, false)}};
}

using Workloads = std::map<std::string, Figures (*)(const Load&)>;

int Main(int argc, char** argv) {
  const Workloads workloads = {
      {"append", AppendOneByOne},
      {"append-100", AppendHundreds},
      {"always", Always},
      {"read", Read},
      {"drain", Drain},
      {"open", Open},
      {"wake", Wake},
  };
  CLI::App app("Queue workloads");
  Load load;
  std::string workload;
  app.add_option("workload", workload)->required()->check(CLI::IsMember(workloads));
  app.add_option("--directory", load.directory)->required();
  app.add_option("--records", load.records);
  CLI11_PARSE(app, argc, argv);
  std::string json;
  for (const auto& [name, value] : workloads.at(workload)(load))
    json += fmt::format("{}\"{}\": {:.1f}", json.empty() ? "" : ", ", name, value);
  fmt::print("{{{}}}\n", json);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "queue_load: %s\n", error.what());
    return 1;
  }
}

// What one request costs inside the process, without a socket: parsing excluded, reply included.
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "command/test_stores.h"

namespace larder::command {
namespace {

constexpr uint64_t kRecords = 200'000;

TestStores& Stores() {
  static TestStores stores(kRecords, kRecords / 4);
  return stores;
}

// Batches of `batch` requests made by `make(random)`, executed again and again.
template <typename Make>
void Run(benchmark::State& state, Make&& make) {
  TestStores& stores = Stores();
  const auto batch = static_cast<size_t>(state.range(0));
  constexpr size_t kRequests = size_t{64} * 1024;
  std::mt19937_64 random(1);
  std::vector<std::vector<std::string>> owned;
  owned.reserve(kRequests);
  for (size_t i = 0; i < kRequests; ++i) owned.push_back(make(random));
  std::vector<std::string_view> arguments;
  std::vector<Request> requests;
  for (const auto& words : owned) {
    requests.push_back(
        {static_cast<uint32_t>(arguments.size()), static_cast<uint32_t>(words.size())});
    arguments.insert(arguments.end(), words.begin(), words.end());
  }
  Dispatcher dispatcher(stores.catalogue(), stores.host(), stores.counters(), stores.instruments(),
                        stores.statistics());
  auto reader = stores.catalogue().epochs().Register();
  Session session;
  resp::ReplyBuffer reply;
  size_t at = 0;
  for (auto _ : state) {
    reader.Enter();
    dispatcher.Execute(session, arguments, std::span(requests).subspan(at, batch), kTestNowMs,
                       size_t{1} << 30, reply);
    reader.Leave();
    benchmark::DoNotOptimize(reply.size());
    reply.Clear();
    at = (at + batch) % kRequests;
  }
  state.SetItemsProcessed(static_cast<int64_t>(batch) * state.iterations());
}

std::string RandomString(std::mt19937_64& random) {
  return fmt::format("s{}", random() % kRecords);
}
std::string RandomHash(std::mt19937_64& random) {
  return fmt::format("h{}", random() % (kRecords / 4));
}

void BM_Get(benchmark::State& state) {
  Run(state, [](auto& random) { return std::vector<std::string>{"GET", RandomString(random)}; });
}
void BM_MGet10(benchmark::State& state) {
  Run(state, [](auto& random) {
    std::vector<std::string> words{"MGET"};
    for (int i = 0; i < 10; ++i) words.push_back(RandomString(random));
    return words;
  });
}
void BM_HGetAll10(benchmark::State& state) {
  Run(state, [](auto& random) { return std::vector<std::string>{"HGETALL", RandomHash(random)}; });
}
void BM_HGet(benchmark::State& state) {
  Run(state, [](auto& random) {
    return std::vector<std::string>{"HGET", RandomHash(random),
                                    fmt::format("field{}", random() % 10)};
  });
}

BENCHMARK(BM_Get)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_MGet10)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_HGetAll10)->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(BM_HGet)->Arg(1)->Arg(16)->Arg(64);

}  // namespace
}  // namespace larder::command

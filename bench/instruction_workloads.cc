// What ./dev instructions counts: requests as they come from a socket, parsed, executed and
// answered, without the socket. valgrind counts what happens inside of Measured().
//
//   larder_instruction_workloads           names the compiler and the workloads
//   larder_instruction_workloads get-p16   runs one, prints how many requests and bytes of replies
#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command/dispatcher.h"
#include "command/test_stores.h"
#include "protocol/resp/request_parser.h"

namespace larder::command {
namespace {

constexpr uint64_t kStrings = 4000;
constexpr uint64_t kHashes = 1000;
constexpr size_t kRequests = 4096;

struct Workload {
  std::string_view name;
  size_t pipeline;
  std::vector<std::string> (*make)(std::mt19937_64& random);
};

std::string String(std::mt19937_64& random) { return fmt::format("s{}", random() % kStrings); }
std::string Hash(std::mt19937_64& random) { return fmt::format("h{}", random() % kHashes); }

std::vector<std::string> MakeGet(std::mt19937_64& random) { return {"GET", String(random)}; }
std::vector<std::string> MakeMiss(std::mt19937_64& random) {
  return {"GET", "absent:" + String(random)};
}
std::vector<std::string> MakeMGet(std::mt19937_64& random) {
  std::vector<std::string> words{"MGET"};
  for (int i = 0; i < 10; ++i) words.push_back(String(random));
  return words;
}
std::vector<std::string> MakeHGetAll(std::mt19937_64& random) { return {"HGETALL", Hash(random)}; }
std::vector<std::string> MakeHGet(std::mt19937_64& random) {
  return {"HGET", Hash(random), fmt::format("field{}", random() % 10)};
}

constexpr Workload kWorkloads[] = {
    {"get-p1", 1, MakeGet},           {"get-p16", 16, MakeGet},
    {"get-p64", 64, MakeGet},         {"get-miss-p16", 16, MakeMiss},
    {"mget10-p1", 1, MakeMGet},       {"mget10-p16", 16, MakeMGet},
    {"hgetall10-p1", 1, MakeHGetAll}, {"hgetall10-p16", 16, MakeHGetAll},
    {"hget-p1", 1, MakeHGet},         {"hget-p16", 16, MakeHGet},
};

std::string Encoded(const std::vector<std::string>& words) {
  std::string request = fmt::format("*{}\r\n", words.size());
  for (const std::string& word : words) {
    request += fmt::format("${}\r\n{}\r\n", word.size(), word);
  }
  return request;
}

// As a connection's: what one receive brought is parsed whole, then executed as a batch.
class Client {
 public:
  explicit Client(TestStores& stores)
      : dispatcher_(stores.catalogue(), stores.host(), stores.counters(), stores.instruments(),
                    stores.statistics()) {}

  size_t Serve(std::string_view received) {
    arguments_.clear();
    requests_.clear();
    while (!received.empty()) {
      const auto first = static_cast<uint32_t>(arguments_.size());
      if (parser_.Next(received, arguments_) != resp::ParseOutcome::kRequest) std::abort();
      received.remove_prefix(parser_.consumed());
      requests_.push_back({first, static_cast<uint32_t>(arguments_.size()) - first});
    }
    dispatcher_.Execute(session_, arguments_, requests_, kTestNowMs, size_t{1} << 30, reply_);
    const size_t bytes = reply_.size();
    reply_.Clear();
    return bytes;
  }

 private:
  Dispatcher dispatcher_;
  Session session_;
  resp::RequestParser parser_;
  std::vector<std::string_view> arguments_;
  std::vector<Request> requests_;
  resp::ReplyBuffer reply_;
};

}  // namespace

// Not in the namespace without a name: valgrind knows it by this one.
[[gnu::noinline]] size_t Measured(Client& client, const std::vector<std::string>& batches) {
  size_t bytes = 0;
  for (const std::string& batch : batches) bytes += client.Serve(batch);
  return bytes;
}

namespace {

void List() {
#if defined(__clang__)
  fmt::print("clang-{}\n", __clang_major__);
#else
  fmt::print("gcc-{}\n", __GNUC__);
#endif
  for (const Workload& workload : kWorkloads) fmt::print("{}\n", workload.name);
}

void Run(const Workload& workload) {
  std::mt19937_64 random(1);
  std::vector<std::string> batches(kRequests / workload.pipeline);
  for (std::string& batch : batches) {
    for (size_t i = 0; i < workload.pipeline; ++i) batch += Encoded(workload.make(random));
  }
  TestStores stores(kStrings, kHashes);
  auto reader = stores.catalogue().epochs().Register();
  reader.Enter();
  Client client(stores);
  for (const std::string& batch : batches) client.Serve(batch);  // buffers grow
  const size_t bytes = Measured(client, batches);
  reader.Leave();
  fmt::print("{} {}\n", kRequests, bytes);
}

}  // namespace
}  // namespace larder::command

int main(int argc, char** argv) {
  using larder::command::kWorkloads;
  if (argc < 2) {
    larder::command::List();
    return EXIT_SUCCESS;
  }
  const auto* const chosen =
      std::ranges::find(kWorkloads, argv[1], &larder::command::Workload::name);
  if (chosen == std::end(kWorkloads)) return EXIT_FAILURE;
  larder::command::Run(*chosen);
  return EXIT_SUCCESS;
}

// TestStores: a small catalogue on a file system in memory, a host that knows little, and a
// connection to them. Database 0 holds records of every type in two versions, database 1 a dataset
// with nothing to serve yet, the others nothing. For the tests, the fuzz target and the benchmark.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "command/dispatcher.h"
#include "command/users.h"
#include "dataset/state_file.h"
#include "io/faulty_file_system.h"
#include "snapshot/builder.h"

namespace larder::command {

inline constexpr int64_t kTestNowMs = 1'700'000'000'000;

// A JSON value as it is stored, and as JSON.GET writes it.
inline constexpr std::string_view kDocument =
    R"({"a": {"b":1, "c":[true,2.50]}, "s":"\u00e9\n", "o":{"b":[]}, "n":null})";
inline constexpr std::string_view kCompactDocument =
    R"({"a":{"b":1,"c":[true,2.50]},"s":"é\n","o":{"b":[]},"n":null})";

class FakeHost final : public Host {
 public:
  ServerInfo server_info() const override {
    ServerInfo info;
    info.version = "0.1.0";
    info.run_id = std::string(40, 'a');
    info.tcp_port = 6380;
    info.start_ms = kTestNowMs - 5000;
    info.threads = 2;
    info.connected_clients = 2;
    info.max_clients = 100;
    info.resident_bytes = 3 << 20;
    info.peak_resident_bytes = 4 << 20;
    return info;
  }
  std::vector<ClientInfo> clients() const override {
    std::vector<ClientInfo> all(2);
    all[0].id = 7;
    all[0].address = "127.0.0.1:1000";
    all[1].id = 8;
    all[1].unix_socket = true;
    return all;
  }
  ClientInfo client(const Session& session) const override {
    ClientInfo info;
    info.id = session.id;
    info.name = session.name;
    info.library_name = session.library_name;
    info.library_version = session.library_version;
    return info;
  }
  std::vector<std::pair<std::string, std::string>> config() const override {
    return {{"databases", "16"}, {"maxclients", "100"}, {"maxmemory", "0"}};
  }
  void Defer(Session& session, WaitsFor, Work work) override {
    session.batch_end |= kDeferred;
    deferred_ = std::move(work);
  }

  void Block(Session& session, uint64_t timeout_ms, std::string reply) override {
    session.batch_end |= kDeferred;
    blocked_for_ms = timeout_ms;
    deferred_ = [reply = std::move(reply)](resp::ReplyWriter& to) { to.Raw(reply); };
  }
  bool Unblock(uint64_t id, std::string_view) override { return id == 8; }
  const Users& users() const override { return users_now; }
  bool Subscribe(Session&, ChannelKind, std::string_view) override { return true; }
  bool Unsubscribe(Session&, ChannelKind, std::string_view) override { return false; }
  std::vector<std::string> Subscriptions(const Session&, ChannelKind) const override { return {}; }
  uint64_t SubscriptionCount(const Session&, ChannelKind) const override { return 0; }
  uint64_t Publish(ChannelKind, std::string_view, std::string_view) override { return 0; }
  std::vector<std::pair<std::string, uint64_t>> Channels(ChannelKind) const override { return {}; }
  uint64_t Subscribers(ChannelKind, std::string_view) const override { return 0; }
  Result<void> SetTracking(Session&, TrackingOptions options) override {
    tracking = std::move(options);
    return {};
  }
  TrackingOptions Tracking(const Session&) const override { return tracking; }
  void StartMonitoring(Session& session) override { session.Set(kMonitoring); }
  void StopMonitoring(Session& session) override { session.Set(kMonitoring, false); }
  void TellMonitors(std::string_view line) override { monitored.emplace_back(line); }
  void Kill(Session&, const std::vector<uint64_t>& ids) override { killed = ids; }
  void Pause(uint64_t timeout_ms, bool) override { paused_for_ms = timeout_ms; }
  void Unpause() override { paused_for_ms = 0; }
  Result<void> SetConfig(
      const std::vector<std::pair<std::string_view, std::string_view>>&) override {
    return {};
  }
  void ResetStatistics() override {}

  // What was asked for, and what there is.
  Users users_now;
  TrackingOptions tracking;
  std::vector<std::string> monitored;
  std::vector<uint64_t> killed;
  uint64_t blocked_for_ms = 0;
  uint64_t paused_for_ms = 0;

  // What a server does once the batch has ended.
  void RunDeferred(Session& session, resp::ReplyBuffer& reply) {
    if (!deferred_) return;
    resp::ReplyWriter writer(reply, session.protocol);
    std::exchange(deferred_, nullptr)(writer);
    session.batch_end &= static_cast<uint8_t>(~kDeferred);
  }

 private:
  Work deferred_;
};

class TestStores {
 public:
  // `count` extra keys "bulk/0"... of the given sizes, for the benchmark.
  explicit TestStores(uint64_t extra_strings = 0, uint64_t extra_hashes = 0) {
    SetLogLevel(LogLevel::kOff);
    Must(files_.MakeDirectories("/var/features").has_value());
    BuildVersion(1, "one", extra_strings, extra_hashes);
    BuildVersion(2, "two", extra_strings, extra_hashes);
    dataset::DirectoryState state;
    state.current = 2;
    state.next = 3;
    files_.PutFile(fmt::format("/var/features/{}", dataset::kStateFileName),
                   dataset::EncodeState(state));
    Add(0, "features");
    Add(1, "later");
  }

  store::Catalogue& catalogue() { return catalogue_; }
  io::FaultyFileSystem& files() { return files_; }
  FakeHost& host() { return host_; }
  Counters& counters() { return counters_; }
  Instruments& instruments() { return instruments_; }
  CommandStatistics& statistics() { return statistics_; }
  static std::string VersionPath(uint64_t number) {
    return fmt::format("/var/features/{}", dataset::VersionFileName(number));
  }

 private:
  // Also in optimised builds: without the stores there is nothing to test.
  static void Must(bool held) {
    if (!held) std::abort();
  }

  void Add(uint32_t database, const std::string& name) {
    dataset::Options options;
    options.name = name;
    options.directory = "/var/" + name;
    Must(catalogue_.AddDataset(database, options).has_value());
  }

  static void Put(RecordBatch& batch, std::string_view key, ValueType type,
                  const std::vector<std::string>& items, std::vector<double> scores = {},
                  std::optional<int64_t> expires_at_ms = {}) {
    const std::vector<std::string_view> views(items.begin(), items.end());
    RecordView record;
    record.key = key;
    record.type = type;
    if (type == ValueType::kString || type == ValueType::kJson) {
      record.text = views[0];
    } else {
      record.items = views;
    }
    record.scores = scores;
    record.expires_at_ms = expires_at_ms;
    Must(batch.Add(record).has_value());
  }

  static void PutRecords(RecordBatch& batch, const std::string& word) {
    Put(batch, "string", ValueType::kString, {"Hello World"});
    Put(batch, "version", ValueType::kString, {word});
    Put(batch, "empty", ValueType::kString, {""});
    Put(batch, "large", ValueType::kString, {std::string(100'000, 'x')});
    Put(batch, "json", ValueType::kJson, {R"({"a":1})"});
    Put(batch, "document", ValueType::kJson, {std::string(kDocument)});
    Put(batch, "largejson", ValueType::kJson, {R"({"text":")" + std::string(100'000, 'x') + "\"}"});
    Put(batch, "hash", ValueType::kHash, {"f1", "v1", "f2", "v2", "f3", "v3"});
    Put(batch, "list", ValueType::kList, {"a", "b", "c", "d", "e"});
    Put(batch, "set", ValueType::kSet, {"x", "y", "z"});
    Put(batch, "zset", ValueType::kZset, {"one", "two", "three", "four"}, {1, 2, 3.5, 4});
    Put(batch, "lex", ValueType::kZset, {"a", "b", "c", "d"}, {0, 0, 0, 0});
    Put(batch, "expired", ValueType::kString, {"gone"}, {}, kTestNowMs);
    Put(batch, "expiring", ValueType::kString, {"soon"}, {}, kTestNowMs + 10'500);
    // No elements seen, and one: sparse HyperLogLogs.
    const std::string hll_head("HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80", 16);
    Put(batch, "hll", ValueType::kString, {hll_head + "\x7f\xfe\x88"});
    Put(batch, "hll0", ValueType::kString, {hll_head + "\x7f\xff"});
    Put(batch, "bits", ValueType::kString, {std::string("\x00\xff\xf0\x0f\x80\x01", 6)});
    Put(batch, "ids", ValueType::kList, {"1", "2", "3", "10"});
    Put(batch, "duplicates", ValueType::kList, {"x", "y", "x", "x"});
    for (const auto& [id, weight] : {std::pair{"1", "30"}, {"2", "10"}, {"3", "20"}}) {
      Put(batch, fmt::format("weight_{}", id), ValueType::kString, {weight});
      Put(batch, fmt::format("object_{}", id), ValueType::kHash, {"weight", weight, "n", id});
    }
    for (int i = 0; i < 20; ++i) {
      Put(batch, fmt::format("artist/{}", i), ValueType::kString, {fmt::format("a{}", i)});
      Put(batch, fmt::format("album/{}", i), ValueType::kString, {fmt::format("b{}", i)});
    }
    std::vector<std::string> members;
    members.reserve(300);
    for (int i = 0; i < 300; ++i) members.push_back(fmt::format("member{}", i));
    Put(batch, "bigset", ValueType::kSet, members);
  }

  void BuildVersion(uint64_t number, const std::string& word, uint64_t strings, uint64_t hashes) {
    snapshot::BuildOptions options;
    options.threads = 1;
    options.key_seed = 1;
    options.member_seed = 2;
    auto builder = snapshot::Builder::Create(files_, VersionPath(number), options);
    Must(builder.has_value());
    auto batch = (*builder)->NewBatch();
    PutRecords(*batch, word);
    for (uint64_t i = 0; i < strings; ++i) {
      Put(*batch, fmt::format("s{}", i), ValueType::kString, {std::string(64, 'v')});
    }
    std::vector<std::string> fields;
    for (int i = 0; i < 10; ++i) {
      fields.push_back(fmt::format("field{}", i));
      fields.push_back(fmt::format("value of {}", i));
    }
    for (uint64_t i = 0; i < hashes; ++i) {
      Put(*batch, fmt::format("h{}", i), ValueType::kHash, fields);
    }
    Must((*builder)->Append(std::move(batch)).has_value());
    Must((*builder)->Finish().has_value());
  }

  io::FaultyFileSystem files_;
  store::Catalogue catalogue_{files_};
  FakeHost host_;
  Counters counters_;
  Instruments instruments_;
  CommandStatistics& statistics_ = instruments_.AddWorker();
};

// One connection.
class TestConnection {
 public:
  explicit TestConnection(TestStores& stores)
      : stores_(stores),
        reader_(stores.catalogue().epochs().Register()),
        dispatcher_(stores.catalogue(), stores.host(), stores.counters(), stores.instruments(),
                    stores.statistics()) {
    static_cast<void>(Adopt(session, stores.host().users_now));
    session.id = 7;
  }

  // The words of a command without blanks in them: "GET string".
  std::string Ask(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
      const size_t end = std::min(line.find(' '), line.size());
      words.push_back(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    return AskWords(words);
  }

  std::string AskWords(const std::vector<std::string_view>& words) { return AskAll({words}); }

  // All of them as one batch.
  std::string AskAll(const std::vector<std::vector<std::string_view>>& requests) {
    std::vector<std::string_view> arguments;
    std::vector<Request> spans;
    for (const auto& words : requests) {
      spans.push_back(
          {static_cast<uint32_t>(arguments.size()), static_cast<uint32_t>(words.size())});
      arguments.insert(arguments.end(), words.begin(), words.end());
    }
    resp::ReplyBuffer reply;
    reader_.Enter();
    executed = dispatcher_.Execute(session, arguments, spans, now_ms, max_reply_bytes, reply);
    reader_.Leave();
    stores_.host().RunDeferred(session, reply);
    return reply.ToString();
  }

  Dispatcher& dispatcher() { return dispatcher_; }

  Session session;
  int64_t now_ms = kTestNowMs;
  size_t max_reply_bytes = size_t{1} << 30;
  size_t executed = 0;

 private:
  TestStores& stores_;
  EpochDomain::Reader reader_;
  Dispatcher dispatcher_;
};

}  // namespace larder::command

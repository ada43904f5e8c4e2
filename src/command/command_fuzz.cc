// Any bytes of a client, executed on a small catalogue by sessions of every standing: every request
// gets exactly one well-formed reply in the protocol that holds after it, alone as in a batch, and
// who has given no password reads nothing.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "command/reply_checker.h"
#include "command/test_stores.h"
#include "protocol/resp/request_parser.h"

namespace larder::command {
namespace {

void Check(bool held) {
  if (!held) std::abort();
}

struct Batch {
  std::vector<std::string_view> arguments;
  std::vector<Request> requests;
};

Batch Parse(resp::RequestParser& parser, std::string_view bytes) {
  Batch batch;
  while (!bytes.empty()) {
    const size_t first = batch.arguments.size();
    const auto outcome = parser.Next(bytes, batch.arguments);
    if (outcome == resp::ParseOutcome::kIncomplete || outcome == resp::ParseOutcome::kMalformed) {
      break;
    }
    bytes.remove_prefix(parser.consumed());
    if (outcome == resp::ParseOutcome::kNothing) continue;
    batch.requests.push_back(
        {static_cast<uint32_t>(first), static_cast<uint32_t>(batch.arguments.size() - first)});
  }
  return batch;
}

// Redis, and so Larder, closes without a word what looks like HTTP.
bool IsForeign(const Session& session, const std::string& reply) {
  return session.closes_after_reply() && reply.empty();
}

// How the session stands before the first request.
enum class Start : uint8_t { kPlain, kInMulti, kNotAuthenticated, kReader, kSubscribed };
constexpr Start kStarts[] = {Start::kPlain, Start::kInMulti, Start::kNotAuthenticated,
                             Start::kReader, Start::kSubscribed};

Users UsersFor(Start start) {
  std::vector<UserOptions> users(1);
  users[0].name = "default";
  users[0].any_password = start != Start::kNotAuthenticated;
  users[0].may_admin = start != Start::kReader;
  return *Users::Make(std::move(users));
}

// A request that may be answered with nothing, with several replies, or in two protocols at once,
// and with it whatever follows.
bool IsUneven(const Session& session, Arguments args) {
  const CommandSpec* spec = FindCommand(args[0]);
  if (spec == nullptr) return false;
  const bool subscribes = (spec->flags & kPubSub) != 0 && (spec->flags & kInSubscribed) != 0;
  const bool chooses_replies = spec->name == "client" && args.size() > 1 && args[1].size() == 5;
  // Who monitors already is not answered a second time, as in Redis.
  const bool monitors = spec->name == "monitor";
  return subscribes || chooses_replies || monitors ||
         (session.Is(kInMulti) && spec->name == "hello");
}

void RunOneByOne(TestStores& stores, const Batch& batch, int protocol, Start start) {
  stores.host().users_now = UsersFor(start);
  TestConnection connection(stores);
  connection.session.protocol = protocol;
  connection.session.Set(kInMulti, start == Start::kInMulti);
  connection.session.Set(kSubscribed, start == Start::kSubscribed);
  const uint64_t hits = stores.counters().keyspace_hits;
  bool uneven = false;
  for (const Request& request : batch.requests) {
    const auto args = std::span(batch.arguments).subspan(request.first, request.count);
    uneven = uneven || IsUneven(connection.session, args);
    const std::string reply = connection.AskWords({args.begin(), args.end()});
    if (IsForeign(connection.session, reply)) return;
    Check(uneven || CountReplies(reply, connection.session.protocol) == 1);
    Check(start != Start::kNotAuthenticated || stores.counters().keyspace_hits == hits);
    if (connection.session.closes_after_reply()) return;
  }
}

void RunTogether(TestStores& stores, const Batch& batch, int protocol) {
  stores.host().users_now = Users();
  TestConnection connection(stores);
  connection.session.protocol = protocol;
  std::vector<std::vector<std::string_view>> all;
  for (const Request& request : batch.requests) {
    const auto args = std::span(batch.arguments).subspan(request.first, request.count);
    if (IsUneven(connection.session, args)) return;
    all.emplace_back(args.begin(), args.end());
  }
  const std::string reply = connection.AskAll(all);
  // A switch of protocols in the middle leaves replies of both kinds, told apart only one by one.
  if (connection.session.protocol != protocol || protocol < 3) return;
  const auto replies = CountReplies(reply, 3);
  const size_t silent = connection.session.closes_after_reply() ? 1 : 0;
  Check(replies && *replies <= connection.executed && *replies + silent >= connection.executed);
}

}  // namespace
}  // namespace larder::command

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace larder::command;
  static TestStores stores;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  larder::resp::RequestParser parser;
  const Batch batch = Parse(parser, bytes);
  for (const int protocol : {2, 3}) {
    for (const Start start : kStarts) RunOneByOne(stores, batch, protocol, start);
    RunTogether(stores, batch, protocol);
  }
  return 0;
}

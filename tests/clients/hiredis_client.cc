// hiredis: handshake, reads, pipelines, transactions, scans, channels, errors, twenty switches.
// run_client.py runs it.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

namespace {

constexpr int kVersions = 21;

int failures = 0;

void Same(std::string_view what, std::string_view expected, std::string_view found) {
  if (expected == found) return;
  ++failures;
  const std::string line = fmt::format("{}: expected {}, found {}\n", what, expected, found);
  std::fputs(line.c_str(), stdout);
}

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string_view TextOf(const redisReply& reply) { return {reply.str, reply.len}; }

// What a reply says, on one line.
std::string Shown(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "nil";
    case REDIS_REPLY_ARRAY: {
      std::string all = "[";
      for (size_t i = 0; i < reply.elements; ++i) {
        all += (i == 0 ? "" : " ") + Shown(*reply.element[i]);
      }
      return all + "]";
    }
    default:
      return std::string(TextOf(reply));
  }
}

class Connection {
 public:
  explicit Connection(int port) : context_(redisConnect("127.0.0.1", port)) {
    if (context_ == nullptr || context_->err != 0) Give("connecting");
  }

  void Send(const std::vector<std::string>& request) {
    std::vector<const char*> parts;
    std::vector<size_t> sizes;
    for (const std::string& part : request) {
      parts.push_back(part.data());
      sizes.push_back(part.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(parts.size()), parts.data(),
                               sizes.data()) != REDIS_OK) {
      Give("sending");
    }
  }

  Reply Read() {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) Give("reading");
    return Reply(static_cast<redisReply*>(reply));
  }

  Reply Ask(const std::vector<std::string>& request) {
    Send(request);
    return Read();
  }

  std::string Answer(const std::vector<std::string>& request) { return Shown(*Ask(request)); }

 private:
  [[noreturn]] void Give(const char* what) const {
    const char* const why = context_ == nullptr ? "no memory" : context_->errstr;
    std::fprintf(stdout, "%s failed: %s\n", what, why);
    std::fflush(stdout);
    std::_Exit(1);
  }

  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  std::unique_ptr<redisContext, Free> context_;
};

void CheckReads(Connection& redis) {
  Same("ping", "PONG", redis.Answer({"PING"}));
  Same("naming", "OK", redis.Answer({"CLIENT", "SETNAME", "hiredis"}));
  Same("name", "hiredis", redis.Answer({"CLIENT", "GETNAME"}));
  Same("get", "hello ☃", redis.Answer({"GET", "string"}));
  Same("get of nothing", "nil", redis.Answer({"GET", "missing"}));
  Same("mget", "[ nil version 1]", redis.Answer({"MGET", "empty", "missing", "version"}));
  Same("large value", "200000", std::to_string(redis.Ask({"GET", "large"})->len));
  Same("exists", "2", redis.Answer({"EXISTS", "string", "missing", "hash"}));
  Same("type", "zset", redis.Answer({"TYPE", "zset"}));
  Same("ttl", "-1", redis.Answer({"TTL", "string"}));
  Same("keys", "300", std::to_string(redis.Ask({"KEYS", "item/*"})->elements));
  Same("hgetall", "6", std::to_string(redis.Ask({"HGETALL", "hash"})->elements));
  Same("hmget", "[1 nil]", redis.Answer({"HMGET", "hash", "a", "none"}));
  Same("hlen", "500", redis.Answer({"HLEN", "bighash"}));
  Same("lrange", "[a b c a]", redis.Answer({"LRANGE", "list", "0", "-1"}));
  Same("lpos", "[0 3]", redis.Answer({"LPOS", "list", "a", "COUNT", "0"}));
  Same("smembers", "3", std::to_string(redis.Ask({"SMEMBERS", "set"})->elements));
  Same("smismember", "[1 0]", redis.Answer({"SMISMEMBER", "set", "a", "none"}));
  Same("zrange", "[a 1 b 2.5 c inf]", redis.Answer({"ZRANGE", "zset", "0", "-1", "WITHSCORES"}));
  Same("zscore", "2.5", redis.Answer({"ZSCORE", "zset", "b"}));
  Same("dbsize", "311", redis.Answer({"DBSIZE"}));
}

void CheckPipeline(Connection& redis) {
  for (int i = 0; i < 300; ++i) redis.Send({"GET", fmt::format("item/{}", i)});
  for (int i = 0; i < 300; ++i) {
    Same("pipeline", fmt::format("version 1 of {}", i), Shown(*redis.Read()));
  }
}

void CheckTransactions(Connection& redis) {
  constexpr std::string_view kReadOnly = "READONLY You can't write against a read only replica.";
  Same("watch", "OK", redis.Answer({"WATCH", "version"}));
  Same("multi", "OK", redis.Answer({"MULTI"}));
  Same("queued", "QUEUED", redis.Answer({"GET", "version"}));
  Same("queued", "QUEUED", redis.Answer({"HMGET", "hash", "b"}));
  Same("exec", "[version 1 [two]]", redis.Answer({"EXEC"}));
  Same("multi", "OK", redis.Answer({"MULTI"}));
  Same("write in a transaction", kReadOnly, redis.Answer({"SET", "string", "x"}));
  Same("refused", "EXECABORT Transaction discarded because of previous errors.",
       redis.Answer({"EXEC"}));
  Same("write", kReadOnly, redis.Answer({"SET", "string", "x"}));
  Same("wrong type", "WRONGTYPE Operation against a key holding the wrong kind of value",
       redis.Answer({"GET", "hash"}));
  Same("an error is one", std::to_string(REDIS_REPLY_ERROR),
       std::to_string(redis.Ask({"NOSUCH"})->type));
}

// How many elements `scan` (with the cursor's place in it) returns, each counted once.
size_t Scanned(Connection& redis, std::vector<std::string> scan, size_t cursor_at, size_t step) {
  std::set<std::string> found;
  scan.insert(scan.end(), {"COUNT", "7"});
  do {
    const Reply page = redis.Ask(scan);
    scan[cursor_at] = TextOf(*page->element[0]);
    const redisReply& elements = *page->element[1];
    for (size_t i = 0; i < elements.elements; i += step) {
      found.emplace(TextOf(*elements.element[i]));
    }
  } while (scan[cursor_at] != "0");
  return found.size();
}

void CheckScans(Connection& redis) {
  Same("scan", "300", std::to_string(Scanned(redis, {"SCAN", "0", "MATCH", "item/*"}, 1, 1)));
  Same("hscan", "500", std::to_string(Scanned(redis, {"HSCAN", "bighash", "0"}, 2, 2)));
  Same("sscan", "500", std::to_string(Scanned(redis, {"SSCAN", "bigset", "0"}, 2, 1)));
  Same("zscan", "500", std::to_string(Scanned(redis, {"ZSCAN", "bigzset", "0"}, 2, 2)));
}

void CheckMessages(Connection& redis, Connection& subscriber) {
  Same("subscribe", "[subscribe news 1]", subscriber.Answer({"SUBSCRIBE", "news"}));
  Same("publish", "1", redis.Answer({"PUBLISH", "news", "tea is ready"}));
  Same("message", "[message news tea is ready]", Shown(*subscriber.Read()));
  Same("ping while subscribed", "[pong ]", subscriber.Answer({"PING"}));
  Same("unsubscribe", "[unsubscribe news 0]", subscriber.Answer({"UNSUBSCRIBE"}));
}

// The number in "version N of ...".
int VersionOf(const redisReply& reply) {
  const std::string_view text = TextOf(reply).substr(std::string_view("version ").size());
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

int VersionOfATransaction(Connection& redis) {
  redis.Send({"MULTI"});
  for (const char* const key : {"version", "item/0", "item/99"}) redis.Send({"GET", key});
  redis.Send({"EXEC"});
  for (int i = 0; i < 4; ++i) redis.Read();
  const Reply values = redis.Read();
  const std::string version(TextOf(*values->element[0]));
  Same("one version in a transaction", fmt::format("[{0} {0} of 0 {0} of 99]", version),
       Shown(*values));
  return VersionOf(*values->element[0]);
}

void FollowSwitches(Connection& redis, Connection& subscriber, const std::string& channels) {
  Same("psubscribe", fmt::format("[psubscribe {} 1]", channels),
       subscriber.Answer({"PSUBSCRIBE", channels}));
  std::vector<std::string> mget = {"MGET"};
  for (int i = 0; i < 100; ++i) mget.push_back(fmt::format("item/{}", i));
  int last = 0;
  while (last < kVersions) {
    const int before = VersionOfATransaction(redis);
    const Reply values = redis.Ask(mget);
    const int now = VersionOf(*values->element[0]);
    for (size_t i = 0; i < values->elements; ++i) {
      Same("one version in a request", fmt::format("version {} of {}", now, i),
           TextOf(*values->element[i]));
    }
    if (now < before || before < last) Same("never back", std::to_string(last), "less");
    if (now > last) {
      std::printf("version %d\n", now);
      std::fflush(stdout);
    }
    last = now;
  }
  for (int i = 0; i + 1 < kVersions; ++i) {
    Same("announcement", "pmessage", TextOf(*subscriber.Read()->element[0]));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<size_t>(argc));
  if (arguments.size() != 3) return 2;
  const std::string_view port_text = arguments[1];
  int port = 0;
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  Connection redis(port);
  Connection subscriber(port);
  CheckReads(redis);
  CheckPipeline(redis);
  CheckTransactions(redis);
  CheckScans(redis);
  CheckMessages(redis, subscriber);
  FollowSwitches(redis, subscriber, arguments[2]);
  return failures == 0 ? 0 : 1;
}

// CommandSpec: what Larder knows about one command, as data.
//
// The facts (arity, flags, categories, key positions, tips) are those of Redis 7.0.15, so that
// COMMAND answers what client libraries expect; summaries and complexities are Larder's own. Every
// command of Redis is known: it is executed, or refused because it writes, or refused in words.
//
// Ownership:  constants; live for ever.
// Threads:    any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace larder::command {

struct Context;

// args[0] is the command's name, also for subcommands.
using Arguments = std::span<const std::string_view>;
using Handler = void (*)(Context& context, Arguments args);

// Flags of COMMAND INFO, in the order in which Redis lists them.
enum Flag : uint32_t {
  kWrite = 1 << 0,
  kReadonly = 1 << 1,
  kDenyOom = 1 << 2,
  kModule = 1 << 3,
  kAdmin = 1 << 4,
  kPubSub = 1 << 5,
  kNoScript = 1 << 6,
  kBlocking = 1 << 7,
  kLoading = 1 << 8,  // also answers while there is nothing to serve yet
  kStale = 1 << 9,
  kSkipMonitor = 1 << 10,
  kSkipSlowlog = 1 << 11,
  kAsking = 1 << 12,
  kFast = 1 << 13,
  kNoAuth = 1 << 14,
  kNoMandatoryKeys = 1 << 15,
  kNoAsyncLoading = 1 << 16,
  kNoMulti = 1 << 17,
  kMovableKeys = 1 << 18,
  kAllowBusy = 1 << 19,
  // Larder's own, not told to clients. May be executed by who has subscribed in RESP2.
  kInSubscribed = 1U << 30,
  // It does something beyond its reply and its session (sends a
  // message, closes another's connection), so it must not be executed again with a batch that met a
  // damaged version: it is always executed in a batch of its own.
  kActs = 1U << 31,
};
inline constexpr uint32_t kOwnFlags = kInSubscribed | kActs;
inline constexpr std::string_view kFlagNames[] = {"write",
                                                  "readonly",
                                                  "denyoom",
                                                  "module",
                                                  "admin",
                                                  "pubsub",
                                                  "noscript",
                                                  "blocking",
                                                  "loading",
                                                  "stale",
                                                  "skip_monitor",
                                                  "skip_slowlog",
                                                  "asking",
                                                  "fast",
                                                  "no_auth",
                                                  "no_mandatory_keys",
                                                  "no_async_loading",
                                                  "no_multi",
                                                  "movablekeys",
                                                  "allow_busy"};

// Categories of ACLs, in the order in which Redis lists them.
enum Category : uint32_t {
  kInKeyspace = 1 << 0,
  kInRead = 1 << 1,
  kInWrite = 1 << 2,
  kInSet = 1 << 3,
  kInSortedSet = 1 << 4,
  kInList = 1 << 5,
  kInHash = 1 << 6,
  kInString = 1 << 7,
  kInBitmap = 1 << 8,
  kInHyperLogLog = 1 << 9,
  kInGeo = 1 << 10,
  kInStream = 1 << 11,
  kInPubSub = 1 << 12,
  kInAdmin = 1 << 13,
  kInFast = 1 << 14,
  kInSlow = 1 << 15,
  kInBlocking = 1 << 16,
  kInDangerous = 1 << 17,
  kInConnection = 1 << 18,
  kInTransaction = 1 << 19,
  kInScripting = 1 << 20,
};
inline constexpr std::string_view kCategoryNames[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};

// How a command uses its keys, in the order in which Redis lists it.
enum KeyFlag : uint16_t {
  kKeyRo = 1 << 0,
  kKeyRw = 1 << 1,
  kKeyOw = 1 << 2,
  kKeyRm = 1 << 3,
  kKeyAccess = 1 << 4,
  kKeyUpdate = 1 << 5,
  kKeyInsert = 1 << 6,
  kKeyDelete = 1 << 7,
  kKeyNotKey = 1 << 8,
  kKeyIncomplete = 1 << 9,
  kKeyVariable = 1 << 10,
};
inline constexpr std::string_view kKeyFlagNames[] = {
    "RO",     "RW",     "OW",      "RM",         "access",        "update",
    "insert", "delete", "not_key", "incomplete", "variable_flags"};

// Where keys stand among the arguments, in Redis's terms: where to begin, and how to go on.
struct KeySpec {
  enum class Begin : uint8_t { kNone, kIndex, kKeyword, kUnknown };
  enum class Find : uint8_t { kRange, kCount, kUnknown };

  Begin begin = Begin::kNone;
  Find find = Find::kRange;
  uint16_t flags = 0;
  int16_t index = 0;  // kKeyword: where the search for it starts; negative: from the end
  int16_t last = 0;   // kRange: relative to the first key; negative: from the end
  int16_t step = 1;
  int16_t limit = 0;  // kRange, of what is left: 2 takes the first half
  std::string_view keyword = {};
  std::string_view notes = {};
};

constexpr KeySpec KeyRange(int16_t first, int16_t last, int16_t step, uint16_t flags,
                           std::string_view notes = {}) {
  return {.begin = KeySpec::Begin::kIndex,
          .flags = flags,
          .index = first,
          .last = last,
          .step = step,
          .notes = notes};
}
constexpr KeySpec OneKey(int16_t at, uint16_t flags, std::string_view notes = {}) {
  return KeyRange(at, 0, 1, flags, notes);
}
// Argument `count_at` says how many follow it.
constexpr KeySpec CountedKeys(int16_t count_at, uint16_t flags, std::string_view notes = {}) {
  return {.begin = KeySpec::Begin::kIndex,
          .find = KeySpec::Find::kCount,
          .flags = flags,
          .index = count_at,
          .notes = notes};
}
constexpr KeySpec KeysAfter(std::string_view keyword, int16_t search_from, int16_t last,
                            int16_t step, int16_t limit, uint16_t flags,
                            std::string_view notes = {}) {
  return {.begin = KeySpec::Begin::kKeyword,
          .flags = flags,
          .index = search_from,
          .last = last,
          .step = step,
          .limit = limit,
          .keyword = keyword,
          .notes = notes};
}
constexpr KeySpec UnknownKeys(uint16_t flags, std::string_view notes) {
  return {.begin = KeySpec::Begin::kUnknown,
          .find = KeySpec::Find::kUnknown,
          .flags = flags,
          .notes = notes};
}

struct CommandSpec {
  std::string_view name = {};  // lower case; "container|sub" for a subcommand
  int arity = 0;               // with the name; negative: at least
  uint32_t flags = 0;
  uint32_t categories = 0;
  std::array<KeySpec, 3> keys = {};  // up to the first with Begin::kNone
  std::span<const std::string_view> tips = {};
  std::span<const CommandSpec> subcommands = {};
  std::string_view since = {};  // Redis's version, or Larder's for LARDER
  std::string_view group = {};
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};  // as Redis says it
  std::string_view complexity = {};
  std::string_view summary = {};
  std::string_view syntax = {};  // after the name
  // Null: a container; or refused, with READONLY when it writes and with `refusal` otherwise.
  Handler handler = nullptr;
  std::string_view refusal = {};  // the whole error, code first
  uint16_t number = 0;            // its place in the statistics; given by the table

  // The name of a subcommand without its container's.
  constexpr std::string_view own_name() const {
    const size_t bar = name.find('|');
    return bar == std::string_view::npos ? name : name.substr(bar + 1);
  }
  constexpr bool ArityFits(size_t count) const {
    return arity >= 0 ? count == static_cast<size_t>(arity) : count >= static_cast<size_t>(-arity);
  }
  // Argument 1 is a key, so it may be hashed before the command is looked at any closer.
  constexpr bool first_argument_is_key() const {
    return keys[0].begin == KeySpec::Begin::kIndex && keys[0].index == 1 &&
           keys[0].find == KeySpec::Find::kRange;
  }
};

}  // namespace larder::command

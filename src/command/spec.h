// CommandSpec: what Larder knows about one command, as data.
//
// The facts (arity, flags, categories, key positions, tips) are those of Redis 7.0.15, so that
// COMMAND INFO answers what client libraries expect; summaries and complexities are Larder's own.
//
// Ownership:  constants; live for ever.
// Threads:    any.
#pragma once

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
enum Flag : uint16_t {
  kWrite = 1 << 0,
  kReadonly = 1 << 1,
  kAdmin = 1 << 2,
  kNoScript = 1 << 3,
  kLoading = 1 << 4,  // also answers while there is nothing to serve yet
  kStale = 1 << 5,
  kFast = 1 << 6,
  kNoAuth = 1 << 7,
  kAllowBusy = 1 << 8,
};
inline constexpr std::string_view kFlagNames[] = {
    "write", "readonly", "admin", "noscript", "loading", "stale", "fast", "no_auth", "allow_busy"};

// Categories of ACLs, in the order in which Redis lists them.
enum Category : uint16_t {
  kInKeyspace = 1 << 0,
  kInRead = 1 << 1,
  kInSet = 1 << 2,
  kInSortedSet = 1 << 3,
  kInList = 1 << 4,
  kInHash = 1 << 5,
  kInString = 1 << 6,
  kInAdmin = 1 << 7,
  kInFast = 1 << 8,
  kInSlow = 1 << 9,
  kInDangerous = 1 << 10,
  kInConnection = 1 << 11,
};
inline constexpr std::string_view kCategoryNames[] = {
    "keyspace", "read",  "set",  "sortedset", "list",      "hash",
    "string",   "admin", "fast", "slow",      "dangerous", "connection"};

// Which arguments are keys. All supported commands have their first key at 1, or none.
enum class Keys : uint8_t {
  kNone,
  kFirst,  // argument 1
  kAll,    // argument 1 and every one after it
};

struct CommandSpec {
  std::string_view name = {};  // lower case; "container|sub" for a subcommand
  int arity = 0;               // with the name; negative: at least
  uint16_t flags = 0;
  uint16_t categories = 0;
  Keys keys = Keys::kNone;
  bool accesses_value = false;  // the key spec says "access": the reply tells what the value holds
  std::span<const std::string_view> tips = {};
  std::span<const CommandSpec> subcommands = {};
  std::string_view since = {};  // Redis's version, or Larder's for LARDER
  std::string_view group = {};
  std::string_view complexity = {};
  std::string_view summary = {};
  std::string_view syntax = {};  // after the name
  Handler handler = nullptr;     // null: known, and refused because it writes; or a container

  // The name of a subcommand without its container's.
  constexpr std::string_view own_name() const {
    const size_t bar = name.find('|');
    return bar == std::string_view::npos ? name : name.substr(bar + 1);
  }
  constexpr bool ArityFits(size_t count) const {
    return arity >= 0 ? count == static_cast<size_t>(arity) : count >= static_cast<size_t>(-arity);
  }
};

}  // namespace larder::command

#include "command/command_reference.h"

#include <string_view>

#include <fmt/format.h>

#include "command/table.h"

namespace larder::command {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Commands

Made from the tables in `src/command/` by `command_test`; do not edit by hand. To make it anew after a
change: `LARDER_REWRITE_DOCS=1 build/dev/command_test`, run in `src/command/`.

Replies and errors are those of Redis 7.0.15, in RESP2 and RESP3, byte for byte; what follows says what
is particular to Larder.

- A database (`SELECT`) is a store. A database without a store is empty; one whose store has nothing to
  serve yet answers `-LOADING Larder is loading the dataset in memory` to all commands but those that
  are marked *loading*.
- Every request sees one version of its store.
- JSON values have the type `ReJSON-RL`; string commands refuse them with `WRONGTYPE`.
- A key whose expiry has passed is missing; `DBSIZE` still counts it.
- `SCAN` cursors stay valid when the dataset is switched: a key that is in both versions is returned
  exactly once. `KEYS` and `SCAN MATCH` touch only one collection when the pattern begins with a
  collection's name and the separator, for instance `artist/*`.
- Redis's commands that write are known and refused, after the check of their arity:
  `-READONLY You can't write against a read only replica.` (or `-NOPERM ...`, where the listener has
  `read_only_error = "NOPERM"`).
- Commands that would change what a store's operator decides, or that need what Larder has not (scripts,
  replicas, modules), are refused in words: one reply that says what to do instead.

Where replies differ from those of Redis 7.0.15, and why:

- `COMMAND` and its subcommands tell of some commands more: `LARDER`, those of RedisJSON, and
  `CLIENT SETINFO` and `CLIENT NO-TOUCH` of Redis 7.2. `COMMAND DOCS` has texts of its own and no
  `arguments`; so has every `HELP`.
- `ZSCAN` prints every score as `ZSCORE` does, and a score of -0 stays -0. Redis's text depends on how it
  stores the set: a small one prints integral scores of 17 digits and more otherwise, and -0 as 0.
- A request line, or the head of an array or bulk, over 64 KiB is refused however it arrives; Redis takes
  one that comes in a single read. A request over the query limit gets
  `-ERR Protocol error: too big request` before the connection closes; Redis closes without a word.
- `INFO` leaves out fields that would have no true value here; docs/operations.md lists them. `usec` and
  the percentiles of commands that are marked fast come from a sample of the calls.
- `CONFIG GET` has the settings that are true of Larder, `CONFIG SET` changes those that can change while it
  runs; one that cannot may be set to what it is, and `larder.toml` wins again at the next reload.
- `FUNCTION STATS` names no engine, because no script is executed.
- `SLOWLOG` and the latency monitor see one in 64 of the fast commands with up to 16 arguments, because a
  clock around each costs a tenth of a `GET`; all of them once `slowlog-log-slower-than` is below 1000.
- `MEMORY USAGE` tells the bytes of the record in its version; `MEMORY` and `INFO memory` call resident
  what Redis calls used. `MEMORY DOCTOR`, `MEMORY MALLOC-STATS` and `LATENCY DOCTOR` are prose, Larder's own.
- `LOLWUT` draws nothing.
- `ROLE`, `HELLO` and `WAIT` answer as a master without replicas does, although writes are refused as by a
  replica: clients look for a master, and there is none behind Larder.
- `WATCH` compares values, because only a switch or an expiry changes one: a switch that leaves a value alone
  is no change of it. Of a value over 64 KiB every other version is one, so that none is read for it.
- A transaction holds at most as many bytes as a request may (`-ERR the transaction takes more than...`,
  then `EXECABORT`); Redis closes the connection. One whose `CLIENT REPLY` turns replies off or on inside
  of it is answered whole or not at all; Redis sends a torn array.
- `QUIT` closes while `CLIENT REPLY OFF` holds; Redis waits for a reply that never leaves.
- `AUTH` and users: those of `larder.toml`, with categories in the place of rules (`ACL SETUSER` and its kin
  are refused). `ACL LOG` keeps 1,024 bytes of a name that was tried. After a reload only the connections
  close whose user was taken away, lost a password, or follows (`MONITOR`, channels) what it no longer may.
- `CLIENT TRACKING` announces no key that expires: nothing is deleted then, and no reader of a key is
  remembered. A switch invalidates everything, as a flush does.
- `MONITOR` has the limits of unsent bytes that subscribers have, so that nobody fills the server's memory.
- `DUMP` writes the plain forms of RDB version 10, which every Redis since 7.0 restores to the same value; a
  JSON value has no payload, because a Redis without the module could not restore it.
- `OBJECT ENCODING` tells how a Redis that has just loaded the value would hold it with default limits; in
  Redis `SORT` and `SORT_RO` of a small sorted set change that. `OBJECT IDLETIME` is 0: reads leave no trace.
- `SORT_RO ... ALPHA` compares bytes in every locale, and has an order of its own, always the same, where
  that of Redis is chance (members of a set, `BY` with `LIMIT` and equal weights).
- `SRANDMEMBER`, `HRANDFIELD` and `ZRANDMEMBER` refuse to repeat themselves more than 16,777,216 times or for
  more than 512 MB (`-ERR value is out of range`): in Redis such a request of 60 bytes fills the memory.
- `SORT_RO` of Redis takes any element for no number after a request that left `ERANGE` in its `errno` (a bound
  of `5e-324` is enough); here what other requests held means nothing.
- What differs by nature: identities, addresses, times and memory (`CLIENT LIST`, `CLIENT ID`, `TIME`...), and
  what is random (`RANDOMKEY`).
- `JSON.*` are no commands of Redis 7.0.15; docs/json.md lists what differs from RedisJSON 2.
- The order of unordered replies (`KEYS`, `SCAN`, `SMEMBERS`, `HGETALL` of large hashes...) is Larder's.
)";

constexpr std::string_view kLarderReplies = R"(
### Replies of LARDER

Maps are RESP3 maps, and flat arrays of names and values in RESP2; flags are booleans, and 0 or 1 in
RESP2. Times are Unix times in milliseconds, 0 for never.

| command | reply |
|---|---|
| `LARDER DATASETS` | an array of maps: `name`, `database`, `source`, `directory`, `current` (version, 0: none), `pinned`, `compiling`, `records`, `bytes`, `switches`, `refused`, `damaged`, `last_switch_ms`, `last_error` (empty: none), `last_error_ms`, `last_check_ms` |
| `LARDER VERSIONS` | an array of maps, oldest first: `number`, `current`, `damaged`, `records`, `bytes`, `source`, `checksum`, `built_at_ms` |
| `LARDER ROLLBACK`, `PIN`, `UNPIN`, `RELOAD` | a map: `previous`, `current` (versions), `pinned`, `compiled` |

The last four answer when every worker has moved to the version they name: a request on any connection
that is sent after the reply sees it. An error (`-ERR ...`) says what is there and what to do; the version
that was current serves on.
)";

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c == '|') c = ' ';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
  }
  return upper;
}

// A bar would end the table's cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string_view Support(const CommandSpec& spec) {
  if (spec.handler != nullptr) return (spec.flags & kLoading) != 0 ? "served, *loading*" : "served";
  return (spec.flags & kWrite) != 0 ? "refused: it writes" : "refused in words";
}

void AppendRow(std::string& to, const CommandSpec& spec) {
  const std::string name = UpperCase(spec.name);
  const std::string call = spec.syntax.empty() ? name : fmt::format("{} {}", name, spec.syntax);
  const bool is_container_only = spec.handler == nullptr && !spec.subcommands.empty();
  if (!is_container_only) {
    to += fmt::format("| `{}` | {} | {} | {} | {} |\n", Cell(call), Support(spec),
                      Cell(spec.summary), spec.complexity, spec.since);
  }
  for (const CommandSpec& sub : spec.subcommands) AppendRow(to, sub);
}

// What is refused in words, with the words.
void AppendRefusals(std::string& to, std::span<const CommandSpec> specs) {
  for (const CommandSpec& spec : specs) {
    if (spec.handler == nullptr && (spec.flags & kWrite) == 0 && !spec.refusal.empty()) {
      to += fmt::format("| `{}` | `-{}` |\n", UpperCase(spec.name), Cell(spec.refusal));
    }
    AppendRefusals(to, spec.subcommands);
  }
}

}  // namespace

std::string CommandReference() {
  std::string text(kIntroduction);
  std::string_view group;
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) {
      if (spec.group != group) {
        group = spec.group;
        text += fmt::format(
            "\n## {}\n\n| command | support | what it does | cost | since "
            "|\n|---|---|---|---|---|\n",
            group);
      }
      AppendRow(text, spec);
    }
  }
  text += kLarderReplies;
  text += "\n## Refused in words\n\n| command | reply |\n|---|---|\n";
  for (const auto& family : CommandFamilies()) AppendRefusals(text, family);
  return text;
}

}  // namespace larder::command

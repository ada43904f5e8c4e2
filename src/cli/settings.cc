#include "cli/settings.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace larder::cli {

namespace {

using enum SettingType;

constexpr SettingTable kTableList[] = {
    {"", "the file", ""},
    {"server", "[server]", "The server as a whole."},
    {"limits", "[limits]",
     "What one connection may take (docs/operations.md, \"Limits\", says what happens beyond)."},
    {"log", "[log]", "Lines on standard error."},
    {"listener", "[[listener]]",
     "An address to listen on; one table for each. Without any: `127.0.0.1:6380`."},
    {"user", "[[user]]",
     "Who may connect; one table for each (operations.md, \"Passwords and users\"). Without one "
     "called "
     "`default`, that user is there and may do everything: without a password, or with that of "
     "`requirepass`."},
    {"store", "[[store]]", "A store; one table for each."},
    {"store.gate", "[store.gate]",
     "What a new version of the `[[store]]` above it must be like before anybody is served from it "
     "(docs/operations.md, \"Gates\"). Shares are of the version that is served: `\"30%\"`; "
     "`\"off\"` does not look."},
    {"required_keys", "an element of `required_keys`", "`\"k\"` is short for `{ key = \"k\" }`."},
    {"canaries", "an element of `canaries`", ""},
    {"store.probation", "[store.probation]",
     "How a version of the `[[store]]` above it proves itself after it was switched to; when reads "
     "go wrong the version before it is served again."},
};

constexpr Setting kSettingList[] = {
    {.table = "", .key = "server", .type = kTables},
    {.table = "", .key = "limits", .type = kTables},
    {.table = "", .key = "log", .type = kTables},
    {.table = "", .key = "listener", .type = kTables},
    {.table = "", .key = "user", .type = kTables},
    {.table = "", .key = "store", .type = kTables},

    {.table = "server",
     .key = "threads",
     .type = kNumber,
     .fallback = "0",
     .largest = kMaxThreads,
     .meaning = "event loops; 0: one per core. The only key that takes effect at the next start",
     .fallback_shown = "0: all cores"},
    {.table = "server",
     .key = "protected_mode",
     .type = kBoolean,
     .fallback = "true",
     .meaning = "refuse to listen on anything but loopback and Unix sockets where the user "
                "`default` needs no password and the listener no client certificate"},
    {.table = "server",
     .key = "requirepass",
     .type = kText,
     .meaning = "the password of the user `default`, who may do everything, in plain text; for its "
                "hash instead have a `[[user]]` of that name",
     .fallback_shown = "none: nobody is asked for one",
     .secret = true},
    {.table = "server",
     .key = "reload",
     .type = kBoolean,
     .fallback = "true",
     .meaning = "take this file by itself when it has changed and two looks, a second apart, found "
                "it the same; SIGHUP takes it in any case"},

    {.table = "limits",
     .key = "max_clients",
     .type = kNumber,
     .fallback = "10000",
     .smallest = 1,
     .largest = 1'000'000,
     .meaning = "connections at once; those above a lowered limit stay"},
    {.table = "limits",
     .key = "max_output",
     .type = kBytes,
     .fallback = "1GiB",
     .smallest = 1,
     .meaning = "unsent reply bytes of one connection"},
    {.table = "limits",
     .key = "max_query",
     .type = kBytes,
     .fallback = "1GiB",
     .smallest = kMinQueryBytes,
     .meaning = "bytes of one unfinished request"},
    {.table = "limits",
     .key = "idle_timeout",
     .type = kDuration,
     .fallback = "0s",
     .largest = kYearMs,
     .meaning = "a connection that says nothing for so long is closed; whole seconds",
     .fallback_shown = "`\"0s\"`: never"},

    {.table = "log",
     .key = "format",
     .type = kChoice,
     .fallback = "text",
     .choices = kLogFormatNames,
     .meaning = "lines of text, or an object of JSON a line: `time`, `level`, `message`"},
    {.table = "log",
     .key = "level",
     .type = kChoice,
     .fallback = "info",
     .choices = kLogLevelNames,
     .meaning = "what is left out; `LARDER LOGLEVEL` changes it too"},

    {.table = "listener",
     .key = "address",
     .type = kText,
     .meaning = "`HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`; hosts are numeric, or `localhost`",
     .required = true},
    {.table = "listener",
     .key = "protocol",
     .type = kChoice,
     .fallback = "resp",
     .choices = kProtocolNames,
     .meaning = "Redis clients; the only one yet"},
    {.table = "listener",
     .key = "tls_certificate",
     .type = kText,
     .meaning = "PEM file: the server's certificate, then those between it and its authority. With "
                "`tls_key` the listener speaks TLS (1.2 or 1.3), and nothing else. Read again at "
                "every SIGHUP",
     .fallback_shown = "none: plain"},
    {.table = "listener",
     .key = "tls_key",
     .type = kText,
     .meaning = "PEM file: the certificate's key, not encrypted",
     .fallback_shown = "none: plain"},
    {.table = "listener",
     .key = "tls_client_ca",
     .type = kText,
     .meaning =
         "PEM file: clients must show a certificate that one of these authorities has signed",
     .fallback_shown = "none: clients need no certificate"},
    {.table = "listener",
     .key = "read_only_error",
     .type = kChoice,
     .fallback = "READONLY",
     .choices = kReadOnlyErrorNames,
     .meaning =
         "the code that refuses a write: `READONLY` as Redis, or `NOPERM` for clients that take "
         "`READONLY` for a failover, connect again and retry (go-redis, redis-rb)"},

    {.table = "user",
     .key = "name",
     .type = kText,
     .meaning = "for `AUTH NAME PASSWORD`; no blanks",
     .required = true},
    {.table = "user",
     .key = "password_sha256",
     .type = kTexts,
     .meaning = "SHA-256 of the password, or of several, as 64 hexadecimal digits each: "
                "`printf %s PASSWORD | sha256sum`",
     .fallback_shown = "none",
     .secret = true},
    {.table = "user",
     .key = "any_password",
     .type = kBoolean,
     .fallback = "false",
     .meaning = "whatever is given for a password is right (Redis's `nopass`)"},
    {.table = "user",
     .key = "commands",
     .type = kTexts,
     .fallback = "read",
     .choices = kUserCommandNames,
     .meaning =
         "what the user may execute: `admin` is Redis's category of that name with the `LARDER` "
         "commands that change something, `read` is everything else"},
    {.table = "user",
     .key = "enabled",
     .type = kBoolean,
     .fallback = "true",
     .meaning = "`false`: nobody can be this user"},

    {.table = "store",
     .key = "name",
     .type = kText,
     .meaning = "what `LARDER` commands and `larder rollback` call it: letters, digits, `-_.:`",
     .required = true},
    {.table = "store",
     .key = "kind",
     .type = kChoice,
     .fallback = "dataset",
     .choices = kStoreKindNames,
     .meaning = "the only one yet"},
    {.table = "store",
     .key = "database",
     .type = kNumber,
     .largest = store::kMaxDatabases - 1,
     .meaning = "the number for `SELECT`",
     .fallback_shown = "its place in the file, from 0"},
    {.table = "store",
     .key = "source",
     .type = kText,
     .meaning = "the file to watch; without one the versions on disk are served",
     .fallback_shown = "none"},
    {.table = "store",
     .key = "directory",
     .type = kText,
     .meaning = "where the versions are kept; the store's own, one process at a time",
     .fallback_shown = "`larder-data/NAME`"},
    {.table = "store",
     .key = "keep",
     .type = kNumber,
     .fallback = "3",
     .smallest = 1,
     .largest = 1000,
     .meaning = "versions kept on disk"},
    {.table = "store",
     .key = "watch",
     .type = kDuration,
     .fallback = "5s",
     .smallest = 10,
     .largest = kYearMs,
     .meaning = "how often the source is looked at"},
    {.table = "store",
     .key = "residency",
     .type = kChoice,
     .fallback = "mapped",
     .choices = kResidencyNames,
     .meaning =
         "what is done so that a version is in memory before it is switched to: nothing, its "
         "pages are read in, it is copied into huge pages, its pages are locked "
         "(docs/operations.md, \"Memory\"). A change holds from the next version on"},
    {.table = "store",
     .key = "format",
     .type = kChoice,
     .fallback = "auto",
     .choices = kFormatNames,
     .meaning = "what the source is; `auto` tells it by the content"},
    {.table = "store",
     .key = "shape",
     .type = kChoice,
     .fallback = "auto",
     .choices = kShapeNames,
     .meaning = "how a record is written (docs/formats/jsonl.md); `auto` tells it for each"},
    {.table = "store",
     .key = "key_field",
     .type = kText,
     .meaning = "rows: the member of each object that is its key",
     .fallback_shown = "none: there are no rows"},
    {.table = "store",
     .key = "key_prefix",
     .type = kText,
     .meaning = "rows: stands in front of each key",
     .fallback_shown = "none"},
    {.table = "store",
     .key = "levels",
     .type = kNumber,
     .fallback = "1",
     .smallest = 1,
     .largest = 2,
     .meaning = "JSON: 2 reads an object of objects, whose keys become `NAMESPACE/KEY`"},
    {.table = "store",
     .key = "bad_lines",
     .type = kNumberOrWord,
     .fallback = "fail",
     .largest = kAnyNumber,
     .choices = kBadLinesNames,
     .meaning = "a line that is no record refuses the source (`fail`), is counted and left out "
                "(`skip`), or is left out up to so many"},
    {.table = "store",
     .key = "duplicates",
     .type = kChoice,
     .fallback = "last",
     .choices = kDuplicatesNames,
     .meaning = "which of several records of one key counts; `error` refuses the source"},
    {.table = "store",
     .key = "separator",
     .type = kText,
     .fallback = "/",
     .meaning = "the byte that ends the name of a collection in a key; `\"\"`: no collections"},
    {.table = "store",
     .key = "build_memory",
     .type = kBytes,
     .fallback = "1GiB",
     .smallest = kMinBuildMemory,
     .meaning = "for the index while a version is compiled; beyond it, runs go to disk. The lines "
                "being parsed come on top: some megabytes a core, and about four times the length "
                "of a very long line"},
    {.table = "store", .key = "gate", .type = kTables},
    {.table = "store", .key = "probation", .type = kTables},

    {.table = "store.gate",
     .key = "min_records",
     .type = kNumber,
     .fallback = "1",
     .largest = kAnyNumber,
     .meaning = "fewest records"},
    {.table = "store.gate",
     .key = "max_record_shrink",
     .type = kShare,
     .fallback = "30%",
     .largest = 100,
     .meaning = "largest loss of records"},
    {.table = "store.gate",
     .key = "max_record_growth",
     .type = kShare,
     .fallback = "75%",
     .largest = kMaxGrowthPercent,
     .meaning = "largest gain of records"},
    {.table = "store.gate",
     .key = "max_byte_shrink",
     .type = kShare,
     .fallback = "50%",
     .largest = 100,
     .meaning = "largest loss of bytes"},
    {.table = "store.gate",
     .key = "max_byte_growth",
     .type = kShare,
     .fallback = "200%",
     .largest = kMaxGrowthPercent,
     .meaning = "largest gain of bytes"},
    {.table = "store.gate",
     .key = "free_records",
     .type = kNumber,
     .fallback = "10",
     .largest = kAnyNumber,
     .meaning = "a change of at most so many records passes whatever its share"},
    {.table = "store.gate",
     .key = "free_bytes",
     .type = kBytes,
     .fallback = "64KiB",
     .meaning = "a change of at most so many bytes passes whatever its share"},
    {.table = "store.gate",
     .key = "max_duplicates",
     .type = kShare,
     .fallback = "10%",
     .largest = 100,
     .meaning = "largest share of the records read that another of the same key replaced; ten "
                "always pass"},
    {.table = "store.gate",
     .key = "max_skipped",
     .type = kNumber,
     .fallback = "100",
     .largest = kAnyNumber,
     .meaning = "most bad lines left out (`bad_lines`)"},
    {.table = "store.gate",
     .key = "required_keys",
     .type = kTables,
     .meaning = "keys that must be there: `[\"k\", { key = \"k2\", type = \"hash\" }]`",
     .fallback_shown = "none"},
    {.table = "store.gate",
     .key = "canaries",
     .type = kTables,
     .meaning = "values that must be so: `[{ key = \"k\", value = \"v\" }]`",
     .fallback_shown = "none"},

    {.table = "required_keys", .key = "key", .type = kText, .meaning = "the key", .required = true},
    {.table = "required_keys",
     .key = "type",
     .type = kChoice,
     .choices = kTypeNames,
     .meaning = "the type that it must have",
     .fallback_shown = "any"},

    {.table = "canaries", .key = "key", .type = kText, .meaning = "the key", .required = true},
    {.table = "canaries",
     .key = "field",
     .type = kText,
     .meaning = "the field of a hash",
     .fallback_shown = "none: the key is a string"},
    {.table = "canaries",
     .key = "value",
     .type = kText,
     .meaning = "the value, byte for byte",
     .required = true},

    {.table = "store.probation",
     .key = "window",
     .type = kDuration,
     .fallback = "0s",
     .largest = kYearMs,
     .meaning = "how long",
     .fallback_shown = "`\"0s\"`: no probation"},
    {.table = "store.probation",
     .key = "max_misses",
     .type = kShare,
     .fallback = "50%",
     .largest = 100,
     .meaning = "largest share of key look-ups that find nothing"},
    {.table = "store.probation",
     .key = "max_errors",
     .type = kShare,
     .fallback = "5%",
     .largest = 100,
     .meaning = "largest share of commands answered with an error"},
    {.table = "store.probation",
     .key = "min_commands",
     .type = kNumber,
     .fallback = "100",
     .largest = kAnyNumber,
     .meaning = "below so many commands nothing is concluded"},
};

// How many letters must be put in, left out or replaced to make one of the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const SettingTable> SettingTables() { return kTableList; }
std::span<const Setting> Settings() { return kSettingList; }

const SettingTable* FindSettingTable(std::string_view name) {
  const auto* const found = std::ranges::find(kTableList, name, &SettingTable::name);
  return found == std::end(kTableList) ? nullptr : found;
}

const Setting* FindSetting(std::string_view table, std::string_view key) {
  const auto* const found = std::ranges::find_if(kSettingList, [&](const Setting& setting) {
    return setting.table == table && setting.key == key;
  });
  return found == std::end(kSettingList) ? nullptr : found;
}

std::string_view NearestWord(std::string_view word, std::span<const std::string_view> candidates) {
  // More than a third of the letters wrong is another word; two that changed places always pass.
  size_t nearest = std::max<size_t>(word.size() / 3, word.size() > 3 ? 2 : 1) + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance >= nearest) continue;
    nearest = distance;
    found = candidate;
  }
  return found;
}

}  // namespace larder::cli

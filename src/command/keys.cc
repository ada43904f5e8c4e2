// Keys whatever their values: EXISTS, TOUCH, TYPE, TTL and its kin, KEYS, SCAN, RANDOMKEY.
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/glob.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/random.h"
#include "command/scan_options.h"

namespace larder::command {
namespace {

constexpr int64_t kMissing = -2;
constexpr int64_t kNoExpiry = -1;

// Milliseconds left, or one of the above.
int64_t TimeToLive(Context& context, std::string_view key) {
  const auto value = context.Find(key);
  if (!value) return kMissing;
  return value->expires_at_ms ? *value->expires_at_ms - context.now_ms : kNoExpiry;
}

// The collection that holds every key the pattern can match; none: no single one.
std::optional<std::string> CollectionOfPattern(const snapshot::Snapshot& snapshot,
                                               std::string_view pattern) {
  const std::optional<char> separator = snapshot.header().separator;
  if (!separator) return std::nullopt;
  std::string prefix = GlobLiteralPrefix(pattern);
  const size_t at = prefix.find(*separator);
  if (at == std::string::npos) return std::nullopt;
  prefix.resize(at);
  return prefix;
}

bool IsOfType(const snapshot::Value& value, const std::optional<std::string_view>& type) {
  if (!type) return true;
  std::string name(ValueTypeName(value.type));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return IsOption(*type, name);
}

// One step over what the options ask for; appends the keys to `keys`, returns the next cursor.
uint64_t CollectKeys(const Context& context, const ScanOptions& options, uint64_t cursor,
                     uint64_t count, std::vector<std::string_view>& keys) {
  const snapshot::Snapshot* snapshot = context.snapshot();
  if (snapshot == nullptr) return 0;
  const auto take = [&](const snapshot::Entry& entry) {
    if (entry.value.Expired(context.now_ms) || !IsOfType(entry.value, options.type)) return;
    if (options.Matches(entry.key)) keys.push_back(entry.key);
  };
  const auto collection = options.pattern ? CollectionOfPattern(*snapshot, *options.pattern)
                                          : std::optional<std::string>();
  if (collection) return snapshot->ScanCollection(*collection, cursor, count, take);
  return snapshot->Scan(cursor, count, take);
}

void AnswerKeys(Context& context, const std::vector<std::string_view>& keys) {
  context.reply.Array(keys.size());
  for (const std::string_view key : keys) context.reply.Bulk(key);
}

// When it expires, or one of the above.
int64_t ExpiryTime(Context& context, std::string_view key) {
  const auto value = context.Find(key);
  if (!value) return kMissing;
  return value->expires_at_ms.value_or(kNoExpiry);
}

// As Redis rounds: to the nearest second.
int64_t InSeconds(int64_t time_ms) { return time_ms < 0 ? time_ms : (time_ms + 500) / 1000; }

}  // namespace

void Exists(Context& context, Arguments args) {
  int64_t found = 0;
  FindEach(context, args.subspan(1), [&found](size_t, const std::optional<snapshot::Value>& value) {
    found += value ? 1 : 0;
  });
  context.reply.Integer(found);
}

void Type(Context& context, Arguments args) {
  const auto value = context.Find(args[1]);
  context.reply.Simple(value ? ValueTypeName(value->type) : "none");
}

void Ttl(Context& context, Arguments args) {
  context.reply.Integer(InSeconds(TimeToLive(context, args[1])));
}

void Pttl(Context& context, Arguments args) { context.reply.Integer(TimeToLive(context, args[1])); }

void ExpireTime(Context& context, Arguments args) {
  context.reply.Integer(InSeconds(ExpiryTime(context, args[1])));
}

void PExpireTime(Context& context, Arguments args) {
  context.reply.Integer(ExpiryTime(context, args[1]));
}

// No access times are kept that it could change: what is left of it is the count.
void Touch(Context& context, Arguments args) { Exists(context, args); }

void KeysMatching(Context& context, Arguments args) {
  ScanOptions options;
  if (args[1] != "*") options.pattern = args[1];
  std::vector<std::string_view> keys;
  CollectKeys(context, options, 0, std::numeric_limits<uint64_t>::max(), keys);
  AnswerKeys(context, keys);
}

void Scan(Context& context, Arguments args) {
  const auto cursor = ReadCursor(context, args[1]);
  if (!cursor) return;
  const auto options = ReadScanOptions(context, args.subspan(2), true);
  if (!options) return;
  std::vector<std::string_view> keys;
  const uint64_t next = CollectKeys(context, *options, *cursor, options->count, keys);
  context.reply.Array(2);
  context.reply.Bulk(fmt::format_int(next).c_str());
  AnswerKeys(context, keys);
}

void RandomKey(Context& context, Arguments /*args*/) {
  constexpr int kTries = 100;  // Redis's, against a database of expired keys
  const snapshot::Snapshot* snapshot = context.snapshot();
  for (int i = 0; snapshot != nullptr && i < kTries; ++i) {
    const auto entry = snapshot->RandomEntry(WorkerRandom().Next());
    if (!entry) break;
    if (!entry->value.Expired(context.now_ms)) return context.reply.Bulk(entry->key);
  }
  context.reply.Null();
}

}  // namespace larder::command

// OBJECT: how Redis would hold the value, had it just loaded it with its default limits. Clients
// and tools judge values by that.
#include <algorithm>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

// Redis 7.0's defaults: hash-max-listpack-entries and its kin, and the longest embedded string.
constexpr uint64_t kMaxListpackFields = 512;
constexpr uint64_t kMaxListpackMembers = 128;
constexpr size_t kMaxListpackText = 64;
constexpr uint64_t kMaxIntegerSet = 512;
constexpr size_t kMaxEmbeddedText = 44;

// Integers below this are one object to Redis, whoever uses them.
constexpr int64_t kSharedIntegers = 10000;
constexpr int64_t kSharedReferences = 2147483647;

bool AllTexts(const snapshot::CollectionView& view, uint64_t bulks,
              bool (*holds)(std::string_view)) {
  for (uint64_t i = 0; i < bulks; ++i) {
    if (!holds(view.Text(i))) return false;
  }
  return true;
}

bool IsShort(std::string_view text) { return text.size() <= kMaxListpackText; }
bool IsInteger(std::string_view text) { return ParseInteger(text).has_value(); }

std::string_view EncodingOfText(std::string_view text) {
  if (IsInteger(text)) return "int";
  return text.size() <= kMaxEmbeddedText ? "embstr" : "raw";
}

std::string_view EncodingOf(const snapshot::Value& value) {
  if (value.type == ValueType::kString) return EncodingOfText(snapshot::TextView(value).text());
  if (value.type == ValueType::kJson) return "raw";
  if (value.type == ValueType::kList) return "quicklist";
  const snapshot::CollectionView view(value);
  const uint64_t count = view.count();
  if (value.type == ValueType::kHash) {
    const bool small = count <= kMaxListpackFields && AllTexts(view, count * 2, &IsShort);
    return small ? "listpack" : "hashtable";
  }
  if (value.type == ValueType::kSet) {
    const bool integers = count <= kMaxIntegerSet && AllTexts(view, count, &IsInteger);
    return integers ? "intset" : "hashtable";
  }
  const bool small = count <= kMaxListpackMembers && AllTexts(view, count, &IsShort);
  return small ? "listpack" : "skiplist";
}

// A missing key is null to all of OBJECT.
std::optional<snapshot::Value> FindObject(Context& context, std::string_view key) {
  auto value = context.Find(key);
  if (!value) context.reply.Null();
  return value;
}

}  // namespace

void ObjectEncoding(Context& context, Arguments args) {
  const auto value = FindObject(context, args[2]);
  if (value) context.reply.Bulk(EncodingOf(*value));
}

void ObjectRefCount(Context& context, Arguments args) {
  const auto value = FindObject(context, args[2]);
  if (!value) return;
  const auto number = value->type == ValueType::kString
                          ? ParseInteger(snapshot::TextView(*value).text())
                          : std::optional<int64_t>();
  const bool shared = number && *number >= 0 && *number < kSharedIntegers;
  context.reply.Integer(shared ? kSharedReferences : 1);
}

// Nothing is evicted here, so reading keeps no account: docs/decisions/0092.
void ObjectIdleTime(Context& context, Arguments args) {
  if (FindObject(context, args[2])) context.reply.Integer(0);
}

void ObjectFreq(Context& context, Arguments args) {
  if (!FindObject(context, args[2])) return;
  context.reply.Error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.");
}

void ObjectHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "object"); }

}  // namespace larder::command

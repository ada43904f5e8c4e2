// Hashes: bulk 2i of a stored hash is field i, bulk 2i + 1 its value.
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_scan.h"

namespace larder::command {
namespace {

std::optional<snapshot::CollectionView> FindHash(Context& context, std::string_view key,
                                                 bool* missing) {
  const auto value = context.FindOfType(key, ValueType::kHash, missing);
  if (!value) return std::nullopt;
  return snapshot::CollectionView(*value);
}

// The value of the field, as it is stored; null when there is none.
void AnswerField(Context& context, const snapshot::CollectionView& hash, std::string_view field) {
  const auto element = hash.FindMember(field);
  if (!element) return context.reply.Null();
  context.Slice(hash.Bulk(*element * 2 + 1));
}

// Every second bulk: the fields (from 0) or the values (from 1).
void AnswerEverySecond(Context& context, std::string_view key, uint64_t from) {
  bool missing = false;
  const auto hash = FindHash(context, key, &missing);
  if (!hash) {
    if (missing) context.reply.Array(0);
    return;
  }
  context.reply.Array(hash->count());
  for (uint64_t i = 0; i < hash->count(); ++i) context.Slice(hash->Bulk(i * 2 + from));
}

}  // namespace

void HGet(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash) return AnswerField(context, *hash, args[2]);
  if (missing) context.reply.Null();
}

void HMGet(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash && !missing) return;
  context.reply.Array(args.size() - 2);
  for (const std::string_view field : args.subspan(2)) {
    if (hash) {
      AnswerField(context, *hash, field);
    } else {
      context.reply.Null();
    }
  }
}

void HGetAll(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash) {
    if (missing) context.reply.Map(0);
    return;
  }
  if (!context.resp3()) return context.Slice(hash->Reply());
  context.reply.Map(hash->count());
  context.Slice(hash->Bulks(0, hash->count() * 2));
}

void HKeys(Context& context, Arguments args) { AnswerEverySecond(context, args[1], 0); }

void HVals(Context& context, Arguments args) { AnswerEverySecond(context, args[1], 1); }

void HLen(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash || missing) context.reply.Integer(hash ? static_cast<int64_t>(hash->count()) : 0);
}

void HExists(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash || missing) context.reply.Integer(hash && hash->FindMember(args[2]) ? 1 : 0);
}

void HScan(Context& context, Arguments args) { ScanMembers(context, args, ValueType::kHash); }

}  // namespace larder::command

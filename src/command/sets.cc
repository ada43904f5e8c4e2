// Sets, one at a time.
#include <optional>
#include <vector>

#include "command/context.h"
#include "command/handlers.h"
#include "command/member_scan.h"
#include "command/random_members.h"

namespace larder::command {

void SCard(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kSet, &missing);
  if (value) {
    context.reply.Integer(static_cast<int64_t>(snapshot::CollectionView(*value).count()));
  } else if (missing) {
    context.reply.Integer(0);
  }
}

void SIsMember(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kSet, &missing);
  if (value) {
    context.reply.Integer(snapshot::CollectionView(*value).FindMember(args[2]) ? 1 : 0);
  } else if (missing) {
    context.reply.Integer(0);
  }
}

void SMIsMember(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kSet, &missing);
  if (!value && !missing) return;
  const auto set = value ? std::optional<snapshot::CollectionView>(*value) : std::nullopt;
  const Arguments members = args.subspan(2);
  context.reply.Array(members.size());
  for (const std::string_view member : members) {
    context.reply.Integer(set && set->FindMember(member) ? 1 : 0);
  }
}

void SMembers(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kSet, &missing);
  if (!value) {
    if (missing) context.reply.Set(0);
    return;
  }
  const snapshot::CollectionView set(*value);
  if (!context.resp3()) return context.Slice(set.Reply());
  context.reply.Set(set.count());
  context.Slice(set.Bulks(0, set.count()));
}

void SRandMember(Context& context, Arguments args) {
  const bool single = args.size() == 2;
  if (args.size() > 3) return context.reply.Error(kSyntaxError);
  const auto count = single ? std::optional<int64_t>(1) : ReadRandomCount(context, args[2]);
  if (!count) return;
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kSet, &missing);
  if (!value) {
    if (missing && single) context.reply.Null();
    if (missing && !single) context.reply.Array(0);
    return;
  }
  const snapshot::CollectionView set(*value);
  if (single && set.count() == 0) return context.reply.Null();  // a damaged value
  if (single) return context.Slice(set.Bulk(WorkerRandom().Below(set.count())));
  if (*count >= 0 && static_cast<uint64_t>(*count) >= set.count()) {
    return context.Slice(set.Reply());
  }
  const std::vector<uint64_t> chosen = ChooseElements(*count, set.count());
  const auto bytes_of = [&](uint64_t i) { return set.Bulk(chosen[i]).size(); };
  if (*count < 0 && RefuseLongReply(context, chosen.size(), bytes_of)) return;
  context.reply.Array(chosen.size());
  for (const uint64_t element : chosen) context.Slice(set.Bulk(element));
}

void SScan(Context& context, Arguments args) { ScanMembers(context, args, ValueType::kSet); }

}  // namespace larder::command

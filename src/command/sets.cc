// Sets.
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_scan.h"

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

void SScan(Context& context, Arguments args) { ScanMembers(context, args, ValueType::kSet); }

}  // namespace larder::command

// Lists.
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {

void LLen(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kList, &missing);
  if (value) {
    context.reply.Integer(static_cast<int64_t>(snapshot::CollectionView(*value).count()));
  } else if (missing) {
    context.reply.Integer(0);
  }
}

void LIndex(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kList, &missing);
  if (!value) {
    if (missing) context.reply.Null();
    return;
  }
  const auto index = ParseInteger(args[2]);
  if (!index) return context.reply.Error(kNotAnInteger);
  const snapshot::CollectionView list(*value);
  const auto count = static_cast<int64_t>(list.count());
  if (*index >= count || *index < -count) return context.reply.Null();
  context.Slice(list.Bulk(static_cast<uint64_t>(*index < 0 ? *index + count : *index)));
}

void LRange(Context& context, Arguments args) {
  const auto first = ParseInteger(args[2]);
  const auto last = ParseInteger(args[3]);
  if (!first || !last) return context.reply.Error(kNotAnInteger);
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kList, &missing);
  if (!value) {
    if (missing) context.reply.Array(0);
    return;
  }
  const snapshot::CollectionView list(*value);
  const IndexRange range = ClampRange(*first, *last, list.count());
  if (range.end - range.first == list.count()) return context.Slice(list.Reply());
  context.reply.Array(range.end - range.first);
  context.Slice(list.Bulks(range.first, range.end));
}

}  // namespace larder::command

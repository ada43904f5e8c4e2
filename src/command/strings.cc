// Strings: GET, MGET, STRLEN, GETRANGE. JSON values are not strings here: WRONGTYPE, as in Redis
// with its JSON module.
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {

void Get(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kString, &missing);
  if (value) return context.Slice(value->encoded);
  if (missing) context.reply.Null();
}

void MGet(Context& context, Arguments args) {
  const Arguments keys = args.subspan(1);
  context.reply.Array(keys.size());
  FindEach(context, keys, [&context](size_t, const std::optional<snapshot::Value>& value) {
    if (value && value->type == ValueType::kString) return context.Slice(value->encoded);
    context.reply.Null();
  });
}

void StrLen(Context& context, Arguments args) {
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kString, &missing);
  if (value) {
    context.reply.Integer(static_cast<int64_t>(snapshot::TextView(*value).text().size()));
  } else if (missing) {
    context.reply.Integer(0);
  }
}

void GetRange(Context& context, Arguments args) {
  const auto first = ParseInteger(args[2]);
  const auto last = ParseInteger(args[3]);
  if (!first || !last) return context.reply.Error(kNotAnInteger);
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kString, &missing);
  if (!value) {
    if (missing) context.reply.Bulk("");
    return;
  }
  const std::string_view text = snapshot::TextView(*value).text();
  const auto size = static_cast<int64_t>(text.size());
  // Unlike the ranges of lists, an end before the front is the first byte, unless the whole range
  // stands backwards.
  if (*first < 0 && *last < 0 && *first > *last) return context.reply.Bulk("");
  const int64_t end = *last < -size ? 0 : *last;
  const IndexRange range = ClampRange(*first, end, text.size());
  const std::string_view part = text.substr(range.first, range.end - range.first);
  if (part.size() == text.size()) return context.Slice(value->encoded);
  context.BulkSlice(part);
}

}  // namespace larder::command

// Lists.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

struct PositionOptions {
  int64_t rank = 1;              // negative: from the tail
  std::optional<int64_t> count;  // 0: all
  int64_t max_compared = 0;      // 0: all
};

// None: refused and answered.
std::optional<int64_t> ReadRank(Context& context, std::string_view text) {
  const auto rank = ParseInteger(text);
  if (!rank) {
    context.reply.Error(kNotAnInteger);
    return std::nullopt;
  }
  if (*rank == 0) {
    context.reply.Error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
        "negative to start from the end of the list");
    return std::nullopt;
  }
  return rank;
}

std::optional<int64_t> ReadNotNegative(Context& context, std::string_view text,
                                       std::string_view error) {
  const auto number = ParseInteger(text);
  if (number && *number >= 0) return number;
  context.reply.Error(error);
  return std::nullopt;
}

std::optional<PositionOptions> ReadPositionOptions(Context& context, Arguments options) {
  PositionOptions read;
  for (size_t i = 0; i < options.size(); i += 2) {
    const bool has_value = i + 1 < options.size();
    std::optional<int64_t> number;
    if (has_value && IsOption(options[i], "rank")) {
      number = ReadRank(context, options[i + 1]);
      if (number) read.rank = *number;
    } else if (has_value && IsOption(options[i], "count")) {
      number = ReadNotNegative(context, options[i + 1], "ERR COUNT can't be negative");
      read.count = number;
    } else if (has_value && IsOption(options[i], "maxlen")) {
      number = ReadNotNegative(context, options[i + 1], "ERR MAXLEN can't be negative");
      if (number) read.max_compared = *number;
    } else {
      context.reply.Error(kSyntaxError);
    }
    if (!number) return std::nullopt;
  }
  // Turning this number's sign overflows in Redis: every match from the tail is one too many.
  if (read.rank == std::numeric_limits<int64_t>::min()) {
    read.rank = -1;
    if (read.count) read.count = 0;
  }
  return read;
}

// Calls `found(index)` for each match in the direction of the search, until it returns false.
template <typename Found>
void ForEachMatch(const snapshot::CollectionView& list, std::string_view element,
                  const PositionOptions& options, Found&& found) {
  const uint64_t count = list.count();
  uint64_t compared = count;
  if (options.max_compared > 0) {
    compared = std::min(count, static_cast<uint64_t>(options.max_compared));
  }
  // The head of a bulk is "$", the digits, "\r\n"; its end "\r\n".
  const size_t bulk_bytes = fmt::format_int(element.size()).size() + element.size() + 5;
  uint64_t to_skip = static_cast<uint64_t>(std::abs(options.rank)) - 1;
  for (uint64_t i = 0; i < compared; ++i) {
    const uint64_t index = options.rank > 0 ? i : count - 1 - i;
    const std::string_view bulk = list.Bulk(index);
    if (bulk.size() != bulk_bytes || snapshot::BulkText(bulk) != element) continue;
    if (to_skip > 0) {
      --to_skip;
    } else if (!found(static_cast<int64_t>(index))) {
      return;
    }
  }
}

}  // namespace

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

void LPos(Context& context, Arguments args) {
  const auto options = ReadPositionOptions(context, args.subspan(3));
  if (!options) return;
  bool missing = false;
  const auto value = context.FindOfType(args[1], ValueType::kList, &missing);
  if (!value && !missing) return;
  std::vector<int64_t> found;
  const int64_t wanted = options->count.value_or(1);
  if (value) {
    ForEachMatch(snapshot::CollectionView(*value), args[2], *options, [&](int64_t index) {
      found.push_back(index);
      return wanted == 0 || found.size() < static_cast<uint64_t>(wanted);
    });
  }
  if (!options->count) {
    if (found.empty()) return context.reply.Null();
    return context.reply.Integer(found[0]);
  }
  context.reply.Array(found.size());
  for (const int64_t index : found) context.reply.Integer(index);
}

}  // namespace larder::command

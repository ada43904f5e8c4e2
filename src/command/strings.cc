// Strings: GET, MGET, STRLEN, GETRANGE and SUBSTR, its old name, and LCS. JSON values are not
// strings here: WRONGTYPE, as in Redis with its JSON module.
#include <algorithm>
#include <array>

#include "command/arguments.h"
#include "command/common_subsequence.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

struct LcsOptions {
  bool length = false;
  bool indexes = false;
  bool with_lengths = false;
  int64_t min_length = 0;  // of a run that is answered
};

// None: refused and answered.
std::optional<LcsOptions> ReadLcsOptions(Context& context, Arguments options) {
  LcsOptions read;
  for (size_t i = 0; i < options.size(); ++i) {
    if (IsOption(options[i], "idx")) {
      read.indexes = true;
    } else if (IsOption(options[i], "len")) {
      read.length = true;
    } else if (IsOption(options[i], "withmatchlen")) {
      read.with_lengths = true;
    } else if (IsOption(options[i], "minmatchlen") && i + 1 < options.size()) {
      const auto length = ParseInteger(options[++i]);
      if (!length) {
        context.reply.Error(kNotAnInteger);
        return std::nullopt;
      }
      read.min_length = *length;
    } else {
      context.reply.Error(kSyntaxError);
      return std::nullopt;
    }
  }
  if (!read.indexes || !read.length) return read;
  context.reply.Error("ERR If you want both the length and indexes, please just use IDX.");
  return std::nullopt;
}

void AnswerRuns(Context& context, const CommonSubsequence& found, const LcsOptions& options) {
  const auto is_wanted = [&options](const CommonRun& run) {
    return static_cast<int64_t>(run.length) >= options.min_length;
  };
  const auto wanted = std::count_if(found.runs.begin(), found.runs.end(), is_wanted);
  context.reply.Map(2);
  context.reply.Bulk("matches");
  context.reply.Array(static_cast<uint64_t>(wanted));
  for (const CommonRun& run : found.runs) {
    if (!is_wanted(run)) continue;
    context.reply.Array(options.with_lengths ? 3 : 2);
    for (const uint64_t at : {run.a_at, run.b_at}) {
      context.reply.Array(2);
      context.reply.Integer(static_cast<int64_t>(at));
      context.reply.Integer(static_cast<int64_t>(at + run.length - 1));
    }
    if (options.with_lengths) context.reply.Integer(static_cast<int64_t>(run.length));
  }
  context.reply.Bulk("len");
  context.reply.Integer(static_cast<int64_t>(found.text.size()));
}

}  // namespace

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

void Lcs(Context& context, Arguments args) {
  std::array<std::string_view, 2> texts;
  bool all_strings = true;
  FindEach(context, args.subspan(1, 2), [&](size_t i, const std::optional<snapshot::Value>& value) {
    if (!value) return;
    all_strings &= value->type == ValueType::kString;
    texts[i] = snapshot::TextView(*value).text();
  });
  if (!all_strings) {
    return context.reply.Error("ERR The specified keys must contain string values");
  }
  const auto options = ReadLcsOptions(context, args.subspan(3));
  if (!options) return;
  if (RedisTableBytes(texts[0], texts[1]) > kMaxStringBytes) {
    return context.reply.Error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  if (options->length) {
    const uint64_t length = CommonSubsequenceLength(texts[0], texts[1]);
    return context.reply.Integer(static_cast<int64_t>(length));
  }
  const CommonSubsequence found = FindCommonSubsequence(texts[0], texts[1]);
  if (options->indexes) return AnswerRuns(context, found, *options);
  context.reply.Bulk(found.text);
}

void SubStr(Context& context, Arguments args) { GetRange(context, args); }

}  // namespace larder::command

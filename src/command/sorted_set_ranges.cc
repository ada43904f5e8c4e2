// Sorted sets by ranges: one engine, with a front door for each of Redis's commands.
#include <algorithm>

#include "command/context.h"
#include "command/handlers.h"
#include "command/zset_range.h"
#include "command/zset_reply.h"

namespace larder::command {
namespace {

enum class RangeBy : uint8_t { kRank, kScore, kLex };

struct ZRangeOptions {
  RangeBy by = RangeBy::kRank;
  bool reverse = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: all
};

// None: refused and answered. Only ZRANGE takes the words for what the other commands are `of`.
std::optional<ZRangeOptions> ReadZRangeOptions(Context& context, Arguments options,
                                               std::optional<ZRangeOptions> of) {
  ZRangeOptions read = of.value_or(ZRangeOptions());
  for (size_t i = 0; i < options.size(); ++i) {
    const size_t left = options.size() - i - 1;
    if (IsOption(options[i], "withscores")) {
      read.with_scores = true;
    } else if (left >= 2 && IsOption(options[i], "limit")) {
      const auto offset = ParseInteger(options[i + 1]);
      const auto limit = ParseInteger(options[i + 2]);
      if (!offset || !limit) {
        context.reply.Error(kNotAnInteger);
        return std::nullopt;
      }
      read.offset = *offset;
      read.limit = *limit;
      i += 2;
    } else if (!of && !read.reverse && IsOption(options[i], "rev")) {
      read.reverse = true;
    } else if (!of && read.by == RangeBy::kRank && IsOption(options[i], "bylex")) {
      read.by = RangeBy::kLex;
    } else if (!of && read.by == RangeBy::kRank && IsOption(options[i], "byscore")) {
      read.by = RangeBy::kScore;
    } else {
      context.reply.Error(kSyntaxError);
      return std::nullopt;
    }
  }
  if (read.limit != -1 && read.by == RangeBy::kRank) {
    context.reply.Error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return std::nullopt;
  }
  if (read.with_scores && read.by == RangeBy::kLex) {
    context.reply.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return std::nullopt;
  }
  return read;
}

struct RankRange {
  int64_t first;
  int64_t last;
};

// The bounds as the command line gives them; the kind that `by` names is filled in.
struct ZRangeBounds {
  RankRange rank{};
  ScoreRange score;
  LexRange lex;
};

std::optional<ZRangeBounds> ReadBounds(Context& context, const ZRangeOptions& options,
                                       std::string_view start, std::string_view stop) {
  // From the highest to the lowest: the bounds come in that order, too.
  const bool swapped = options.reverse && options.by != RangeBy::kRank;
  const std::string_view min = swapped ? stop : start;
  const std::string_view max = swapped ? start : stop;
  ZRangeBounds bounds;
  std::string_view error;
  switch (options.by) {
    case RangeBy::kRank: {
      const auto first = ParseInteger(min);
      const auto last = ParseInteger(max);
      if (first && last) bounds.rank = {*first, *last};
      if (!first || !last) error = kNotAnInteger;
      break;
    }
    case RangeBy::kScore: {
      const auto range = ParseScoreRange(min, max);
      if (range) bounds.score = *range;
      if (!range) error = kNoScoreRange;
      break;
    }
    case RangeBy::kLex: {
      const auto range = ParseLexRange(min, max);
      if (range) bounds.lex = *range;
      if (!range) error = kNoLexRange;
      break;
    }
  }
  if (error.empty()) return bounds;
  context.reply.Error(error);
  return std::nullopt;
}

// The elements, in stored order also for a reverse range.
IndexRange FindRange(const snapshot::CollectionView& zset, const ZRangeOptions& options,
                     const ZRangeBounds& bounds) {
  switch (options.by) {
    case RangeBy::kRank: {
      const IndexRange range = ClampRange(bounds.rank.first, bounds.rank.last, zset.count());
      if (!options.reverse || range.first == range.end) return range;
      return {.first = zset.count() - range.end, .end = zset.count() - range.first};
    }
    case RangeBy::kScore:
      return FindScoreRange(zset, bounds.score);
    case RangeBy::kLex:
      return FindLexRange(zset, bounds.lex, options.reverse);
  }
  return {};
}

// LIMIT: `limit` elements after the first `offset`, counted from the end where the answer begins.
// As in Redis, a negative offset leaves nothing and a negative limit cuts nothing off.
IndexRange Cut(IndexRange range, const ZRangeOptions& options) {
  if (options.by == RangeBy::kRank) return range;
  const uint64_t size = range.end - range.first;
  if (options.offset < 0 || static_cast<uint64_t>(options.offset) >= size) return {};
  const auto offset = static_cast<uint64_t>(options.offset);
  uint64_t left = size - offset;
  if (options.limit >= 0) left = std::min(left, static_cast<uint64_t>(options.limit));
  if (options.reverse) {
    return {.first = range.end - offset - left, .end = range.end - offset};
  }
  return {.first = range.first + offset, .end = range.first + offset + left};
}

// Copies members from the last to the first.
void AnswerBackwards(Context& context, const snapshot::CollectionView& zset, IndexRange range) {
  const uint64_t bytes = zset.Bulks(range.first, range.end).size();
  if (bytes >= resp::ReplyBuffer::kBorrowMin * (range.end - range.first)) {
    for (uint64_t i = range.end; i > range.first; --i) context.Slice(zset.Bulk(i - 1));
    return;
  }
  char* to = context.reply.buffer().Extend(bytes);
  char* const end = to + bytes;
  for (uint64_t i = range.end; i > range.first; --i) {
    const std::string_view bulk = zset.Bulk(i - 1);
    if (bulk.size() > static_cast<size_t>(end - to)) break;  // of a damaged value
    to = std::copy(bulk.begin(), bulk.end(), to);
  }
  std::fill(to, end, '\0');
}

void AnswerRange(Context& context, const snapshot::CollectionView& zset, IndexRange range,
                 const ZRangeOptions& options) {
  const uint64_t size = range.end - range.first;
  AnswerMemberCount(context, size, options.with_scores);
  if (size == 0) return;
  if (!options.with_scores && !options.reverse) {
    return context.Slice(zset.Bulks(range.first, range.end));
  }
  if (!options.with_scores) return AnswerBackwards(context, zset, range);
  for (uint64_t i = 0; i < size; ++i) {
    const uint64_t element = options.reverse ? range.end - 1 - i : range.first + i;
    AnswerMember(context, zset, element, true);
  }
}

// ZRANGE, and the older commands that are one of its forms each.
void AnswerZRange(Context& context, Arguments args, std::optional<ZRangeOptions> of) {
  const auto options = ReadZRangeOptions(context, args.subspan(4), of);
  if (!options) return;
  const auto bounds = ReadBounds(context, *options, args[2], args[3]);
  if (!bounds) return;
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset) {
    if (missing) context.reply.Array(0);
    return;
  }
  AnswerRange(context, *zset, Cut(FindRange(*zset, *options, *bounds), *options), *options);
}

}  // namespace

void ZRange(Context& context, Arguments args) { AnswerZRange(context, args, std::nullopt); }

void ZRevRange(Context& context, Arguments args) {
  AnswerZRange(context, args, ZRangeOptions{.by = RangeBy::kRank, .reverse = true});
}

void ZRangeByScore(Context& context, Arguments args) {
  AnswerZRange(context, args, ZRangeOptions{.by = RangeBy::kScore});
}

void ZRevRangeByScore(Context& context, Arguments args) {
  AnswerZRange(context, args, ZRangeOptions{.by = RangeBy::kScore, .reverse = true});
}

void ZRangeByLex(Context& context, Arguments args) {
  AnswerZRange(context, args, ZRangeOptions{.by = RangeBy::kLex});
}

void ZRevRangeByLex(Context& context, Arguments args) {
  AnswerZRange(context, args, ZRangeOptions{.by = RangeBy::kLex, .reverse = true});
}

}  // namespace larder::command

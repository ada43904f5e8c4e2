// Sorted sets: members, scores and ranks. Ranges of them stand in sorted_set_ranges.cc.
#include <limits>
#include <optional>
#include <vector>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_scan.h"
#include "command/random_members.h"
#include "command/zset_range.h"
#include "command/zset_reply.h"

namespace larder::command {
namespace {

// Twice as many words as members are answered, and Redis counts the words.
constexpr int64_t kMaxCountWithScores = std::numeric_limits<int64_t>::max() / 2;

// ZRANK and ZREVRANK.
void AnswerRank(Context& context, Arguments args, bool reverse) {
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const auto element = zset ? zset->FindMember(args[2]) : std::nullopt;
  if (!element) return context.reply.Null();
  const uint64_t rank = reverse ? zset->count() - 1 - *element : *element;
  context.reply.Integer(static_cast<int64_t>(rank));
}

struct RandomMembersAsked {
  int64_t count = 0;
  bool with_scores = false;
};

// None: refused and answered.
std::optional<RandomMembersAsked> ReadRandomMembers(Context& context, Arguments args) {
  const auto count = ReadRandomCount(context, args[2]);
  if (!count) return std::nullopt;
  const bool with_scores = args.size() == 4 && IsOption(args[3], "withscores");
  if (args.size() > 3 && !with_scores) {
    context.reply.Error(kSyntaxError);
    return std::nullopt;
  }
  if (with_scores && (*count > kMaxCountWithScores || *count < -kMaxCountWithScores)) {
    context.reply.Error(kOutOfRange);
    return std::nullopt;
  }
  return RandomMembersAsked{.count = *count, .with_scores = with_scores};
}

}  // namespace

void ZCard(Context& context, Arguments args) {
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (zset || missing) context.reply.Integer(zset ? static_cast<int64_t>(zset->count()) : 0);
}

void ZScore(Context& context, Arguments args) {
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const auto element = zset ? zset->FindMember(args[2]) : std::nullopt;
  if (!element) return context.reply.Null();
  AnswerScore(context, *zset, *element);
}

void ZMScore(Context& context, Arguments args) {
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const Arguments members = args.subspan(2);
  context.reply.Array(members.size());
  for (const std::string_view member : members) {
    const auto element = zset ? zset->FindMember(member) : std::nullopt;
    if (element) {
      AnswerScore(context, *zset, *element);
    } else {
      context.reply.Null();
    }
  }
}

void ZRank(Context& context, Arguments args) { AnswerRank(context, args, false); }

void ZRevRank(Context& context, Arguments args) { AnswerRank(context, args, true); }

void ZCount(Context& context, Arguments args) {
  const auto bounds = ParseScoreRange(args[2], args[3]);
  if (!bounds) return context.reply.Error(kNoScoreRange);
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const IndexRange range = zset ? FindScoreRange(*zset, *bounds) : IndexRange{};
  context.reply.Integer(static_cast<int64_t>(range.end - range.first));
}

void ZLexCount(Context& context, Arguments args) {
  const auto bounds = ParseLexRange(args[2], args[3]);
  if (!bounds) return context.reply.Error(kNoLexRange);
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const IndexRange range = zset ? FindLexRange(*zset, *bounds, false) : IndexRange{};
  context.reply.Integer(static_cast<int64_t>(range.end - range.first));
}

void ZRandMember(Context& context, Arguments args) {
  const bool single = args.size() == 2;
  const auto asked =
      single ? std::optional(RandomMembersAsked()) : ReadRandomMembers(context, args);
  if (!asked) return;
  bool missing = false;
  const auto zset = FindZset(context, args[1], &missing);
  if (!zset && !missing) return;
  const uint64_t size = zset ? zset->count() : 0;
  if (single && size == 0) return context.reply.Null();
  if (single) return context.Slice(zset->Bulk(WorkerRandom().Below(size)));
  const std::vector<uint64_t> chosen = ChooseElements(asked->count, size);
  const auto bytes_of = [&](uint64_t i) { return zset->Bulk(chosen[i]).size(); };
  if (asked->count < 0 && RefuseLongReply(context, chosen.size(), bytes_of)) return;
  AnswerMemberCount(context, chosen.size(), asked->with_scores);
  for (const uint64_t element : chosen) AnswerMember(context, *zset, element, asked->with_scores);
}

void ZScan(Context& context, Arguments args) { ScanMembers(context, args, ValueType::kZset); }

}  // namespace larder::command

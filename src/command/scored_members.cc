#include "command/scored_members.h"

#include <algorithm>

#include "command/zset_reply.h"

namespace larder::command {
namespace {

// Eight bytes as a number that compares as they do.
uint64_t PrefixOf(std::string_view text) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < sizeof prefix; ++i) {
    prefix = prefix << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0U);
  }
  return prefix;
}

bool ByCopied(const ScoredMembers::Member& left, const ScoredMembers::Member& right) {
  if (left.score != right.score) return left.score < right.score;
  return left.prefix < right.prefix;
}

bool ByText(const ScoredMembers::Member& left, const ScoredMembers::Member& right) {
  return left.text < right.text;
}

}  // namespace

void ScoredMembers::Add(std::string_view bulk, std::string_view text, double score) {
  members_.push_back({.score = score, .prefix = PrefixOf(text), .bulk = bulk, .text = text});
}

void ScoredMembers::Sort() {
  std::ranges::sort(members_, ByCopied);
  for (auto first = members_.begin(); first != members_.end();) {
    auto end = first + 1;
    while (end != members_.end() && end->score == first->score && end->prefix == first->prefix) {
      ++end;
    }
    if (end - first > 1) {
      std::make_heap(first, end, ByText);
      std::sort_heap(first, end, ByText);
    }
    first = end;
  }
}

void ScoredMembers::Answer(Context& context, bool with_scores) const {
  AnswerMemberCount(context, members_.size(), with_scores);
  for (const Member& member : members_) {
    if (with_scores && context.resp3()) context.reply.Array(2);
    context.Slice(member.bulk);
    if (with_scores) context.reply.Double(member.score);
  }
}

}  // namespace larder::command

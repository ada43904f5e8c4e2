// What the commands about sorted sets share: finding one, answering a score.
#pragma once

#include <optional>
#include <string_view>

#include "command/context.h"
#include "snapshot/value.h"

namespace larder::command {

// None: there is no such key (`*missing`), or it holds something else, which was answered.
inline std::optional<snapshot::CollectionView> FindZset(Context& context, std::string_view key,
                                                        bool* missing) {
  const auto value = context.FindOfType(key, ValueType::kZset, missing);
  if (!value) return std::nullopt;
  return snapshot::CollectionView(*value);
}

// A score is stored as a bulk; RESP3 has a type of its own with the same text.
inline void AnswerScore(Context& context, const snapshot::CollectionView& zset, uint64_t element) {
  if (!context.resp3()) return context.reply.Raw(zset.ScoreBulk(element));
  context.reply.Raw(",");
  context.reply.Raw(snapshot::BulkText(zset.ScoreBulk(element)));
  context.reply.Raw("\r\n");
}

// Members with scores are one flat array in RESP2, an array of pairs in RESP3.
inline void AnswerMemberCount(Context& context, uint64_t count, bool with_scores) {
  context.reply.Array(with_scores && !context.resp3() ? count * 2 : count);
}

inline void AnswerMember(Context& context, const snapshot::CollectionView& zset, uint64_t element,
                         bool with_scores) {
  if (with_scores && context.resp3()) context.reply.Array(2);
  context.Slice(zset.Bulk(element));
  if (with_scores) AnswerScore(context, zset, element);
}

}  // namespace larder::command

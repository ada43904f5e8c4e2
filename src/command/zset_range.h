// Which elements of a sorted set a range names: by score, by the members' bytes.
//
// Elements stand by ascending score, those of equal score by their bytes. The cost is logarithmic,
// but for ranges of bytes over members of different scores, whose meaning Redis leaves open: there
// the elements are walked from one end, as Redis's small sorted sets do.
#pragma once

#include <optional>
#include <string_view>

#include "command/arguments.h"
#include "snapshot/value.h"

namespace larder::command {

inline constexpr std::string_view kNoScoreRange = "ERR min or max is not a float";
inline constexpr std::string_view kNoLexRange = "ERR min or max not valid string range item";

struct ScoreRange {
  ScoreBound min;
  ScoreBound max;
};
std::optional<ScoreRange> ParseScoreRange(std::string_view min, std::string_view max);
IndexRange FindScoreRange(const snapshot::CollectionView& zset, const ScoreRange& range);

struct LexBound {
  enum class Kind : uint8_t { kLowest, kMember, kHighest };
  Kind kind = Kind::kMember;
  bool exclusive = false;
  std::string_view member;
};
struct LexRange {
  LexBound min;
  LexBound max;
};
std::optional<LexRange> ParseLexRange(std::string_view min, std::string_view max);
IndexRange FindLexRange(const snapshot::CollectionView& zset, const LexRange& range, bool reverse);

}  // namespace larder::command

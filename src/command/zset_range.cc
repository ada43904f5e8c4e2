#include "command/zset_range.h"

namespace larder::command {
namespace {

std::optional<LexBound> ParseLexBound(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const bool single = text.size() == 1 || text[1] == '\0';
  switch (text[0]) {
    case '+':
      if (!single) return std::nullopt;
      return LexBound{.kind = LexBound::Kind::kHighest, .exclusive = false, .member = {}};
    case '-':
      if (!single) return std::nullopt;
      return LexBound{.kind = LexBound::Kind::kLowest, .exclusive = false, .member = {}};
    case '(':
    case '[':
      return LexBound{
          .kind = LexBound::Kind::kMember, .exclusive = text[0] == '(', .member = text.substr(1)};
    default:
      return std::nullopt;
  }
}

// Like memcmp of member and bound, with the two ends of everything.
int Compare(std::string_view member, const LexBound& bound) {
  if (bound.kind == LexBound::Kind::kLowest) return 1;
  if (bound.kind == LexBound::Kind::kHighest) return -1;
  return member.compare(bound.member);
}

bool FromMin(std::string_view member, const LexBound& min) {
  const int order = Compare(member, min);
  return order > 0 || (order == 0 && !min.exclusive);
}

bool UpToMax(std::string_view member, const LexBound& max) {
  const int order = Compare(member, max);
  return order < 0 || (order == 0 && !max.exclusive);
}

bool IsEmpty(const LexRange& range) {
  if (range.min.kind != LexBound::Kind::kMember || range.max.kind != LexBound::Kind::kMember) {
    if (range.min.kind == range.max.kind) return range.min.exclusive || range.max.exclusive;
    return range.min.kind == LexBound::Kind::kHighest || range.max.kind == LexBound::Kind::kLowest;
  }
  const int order = range.min.member.compare(range.max.member);
  return order > 0 || (order == 0 && (range.min.exclusive || range.max.exclusive));
}

// The first element for which `holds` is true, given that it is true for all after it.
template <typename Holds>
uint64_t FirstThat(uint64_t count, Holds&& holds) {
  uint64_t low = 0;
  uint64_t high = count;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// From the front: to the first element that is not before the range, and on while inside it.
IndexRange WalkForward(const snapshot::CollectionView& zset, const LexRange& range) {
  uint64_t first = 0;
  while (first < zset.count() && !FromMin(zset.Text(first), range.min)) ++first;
  uint64_t end = first;
  while (end < zset.count() && UpToMax(zset.Text(end), range.max)) ++end;
  return {.first = first, .end = end};
}

IndexRange WalkBackward(const snapshot::CollectionView& zset, const LexRange& range) {
  uint64_t end = zset.count();
  while (end > 0 && !UpToMax(zset.Text(end - 1), range.max)) --end;
  uint64_t first = end;
  while (first > 0 && FromMin(zset.Text(first - 1), range.min)) --first;
  return {.first = first, .end = end};
}

}  // namespace

std::optional<ScoreRange> ParseScoreRange(std::string_view min, std::string_view max) {
  const auto low = ParseScoreBound(min);
  const auto high = ParseScoreBound(max);
  if (!low || !high) return std::nullopt;
  return ScoreRange{.min = *low, .max = *high};
}

IndexRange FindScoreRange(const snapshot::CollectionView& zset, const ScoreRange& range) {
  const uint64_t first =
      range.min.exclusive ? zset.UpperBound(range.min.value) : zset.LowerBound(range.min.value);
  const uint64_t end =
      range.max.exclusive ? zset.LowerBound(range.max.value) : zset.UpperBound(range.max.value);
  return first < end ? IndexRange{.first = first, .end = end} : IndexRange{};
}

std::optional<LexRange> ParseLexRange(std::string_view min, std::string_view max) {
  const auto low = ParseLexBound(min);
  const auto high = ParseLexBound(max);
  if (!low || !high) return std::nullopt;
  return LexRange{.min = *low, .max = *high};
}

IndexRange FindLexRange(const snapshot::CollectionView& zset, const LexRange& range, bool reverse) {
  const uint64_t count = zset.count();
  if (count == 0 || IsEmpty(range) || !FromMin(zset.Text(count - 1), range.min) ||
      !UpToMax(zset.Text(0), range.max)) {
    return {};
  }
  if (zset.Score(0) < zset.Score(count - 1)) {
    return reverse ? WalkBackward(zset, range) : WalkForward(zset, range);
  }
  const uint64_t first =
      FirstThat(count, [&](uint64_t i) { return FromMin(zset.Text(i), range.min); });
  const uint64_t end =
      FirstThat(count, [&](uint64_t i) { return !UpToMax(zset.Text(i), range.max); });
  return first < end ? IndexRange{.first = first, .end = end} : IndexRange{};
}

}  // namespace larder::command

// Sets together: intersections, unions, differences. The order of what is answered is that of the
// set whose members were gone through.
#include <algorithm>
#include <optional>
#include <unordered_set>
#include <vector>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_lookup.h"
#include "command/member_sets.h"

namespace larder::command {
namespace {

using snapshot::CollectionView;

// One per key, empty ones for keys that are missing; none: refused and answered.
std::optional<std::vector<CollectionView>> FindSets(Context& context, Arguments keys) {
  std::vector<CollectionView> sets;
  sets.reserve(keys.size());
  bool all_sets = true;
  FindEach(context, keys, [&](size_t, const std::optional<snapshot::Value>& value) {
    if (value && value->type != ValueType::kSet) all_sets = false;
    sets.emplace_back(value.value_or(snapshot::Value{.type = ValueType::kSet}));
  });
  if (all_sets) return sets;
  context.reply.Error(kWrongType);
  return std::nullopt;
}

// The smallest first: every other one is asked for its members only.
std::vector<uint64_t> Intersect(std::vector<CollectionView>& sets, uint64_t limit) {
  const auto smallest = std::ranges::min_element(sets, {}, &CollectionView::count);
  std::swap(sets[0], *smallest);
  return InAll(sets[0], std::span(sets).subspan(1), limit);
}

struct SInterCardOptions {
  Arguments keys;
  uint64_t limit = kNoLimit;
};

// None: refused and answered.
std::optional<SInterCardOptions> ReadSInterCard(Context& context, Arguments args) {
  const auto refuse = [&context](std::string_view error) {
    context.reply.Error(error);
    return std::nullopt;
  };
  const auto count = ParseInteger(args[1]);
  if (!count || *count <= 0) return refuse("ERR numkeys should be greater than 0");
  const Arguments rest = args.subspan(2);
  if (static_cast<uint64_t>(*count) > rest.size()) {
    return refuse("ERR Number of keys can't be greater than number of args");
  }
  SInterCardOptions read{.keys = rest.first(static_cast<size_t>(*count))};
  const Arguments options = rest.subspan(read.keys.size());
  for (size_t i = 0; i < options.size(); i += 2) {
    if (!IsOption(options[i], "limit") || i + 1 == options.size()) return refuse(kSyntaxError);
    const auto limit = ParseInteger(options[i + 1]);
    if (!limit || *limit < 0) return refuse("ERR LIMIT can't be negative");
    read.limit = *limit == 0 ? kNoLimit : static_cast<uint64_t>(*limit);
  }
  return read;
}

// The members of the sets but the first that the first does not have, each once.
std::vector<std::string_view> NotInFirst(const std::vector<CollectionView>& sets) {
  uint64_t most = 0;
  for (const CollectionView& set : std::span(sets).subspan(1)) most += set.count();
  const MemberLookup first(sets[0], most);
  std::vector<std::string_view> added;
  std::unordered_set<std::string_view> seen;
  const bool several = sets.size() > 2;
  if (several) seen.reserve(most);
  for (size_t i = 1; i < sets.size(); ++i) {
    if (IsSame(sets[i], sets[0])) continue;
    for (uint64_t element = 0; element < sets[i].count(); ++element) {
      const std::string_view bulk = sets[i].Bulk(element);
      const std::string_view member = snapshot::BulkText(bulk);
      if (first.Find(member) || (several && !seen.insert(member).second)) continue;
      added.push_back(bulk);
    }
  }
  return added;
}

}  // namespace

void SInter(Context& context, Arguments args) {
  auto sets = FindSets(context, args.subspan(1));
  if (!sets) return;
  const std::vector<uint64_t> elements = Intersect(*sets, kNoLimit);
  context.reply.Set(elements.size());
  AnswerElements(context, sets->front(), elements);
}

void SInterCard(Context& context, Arguments args) {
  const auto options = ReadSInterCard(context, args);
  if (!options) return;
  auto sets = FindSets(context, options->keys);
  if (!sets) return;
  context.reply.Integer(static_cast<int64_t>(Intersect(*sets, options->limit).size()));
}

void SUnion(Context& context, Arguments args) {
  auto sets = FindSets(context, args.subspan(1));
  if (!sets) return;
  // The largest goes out as it is.
  std::swap(sets->front(), *std::ranges::max_element(*sets, {}, &CollectionView::count));
  const CollectionView& largest = sets->front();
  const std::vector<std::string_view> added = NotInFirst(*sets);
  context.reply.Set(largest.count() + added.size());
  context.Slice(largest.Bulks(0, largest.count()));
  for (const std::string_view bulk : added) context.Slice(bulk);
}

void SDiff(Context& context, Arguments args) {
  const auto sets = FindSets(context, args.subspan(1));
  if (!sets) return;
  const CollectionView& first = sets->front();
  const std::vector<uint64_t> elements = InNone(first, std::span(*sets).subspan(1));
  context.reply.Set(elements.size());
  AnswerElements(context, first, elements);
}

}  // namespace larder::command

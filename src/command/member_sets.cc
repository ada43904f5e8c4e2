#include "command/member_sets.h"

#include <algorithm>
#include <deque>

#include "command/member_lookup.h"

namespace larder::command {
namespace {

using snapshot::CollectionView;

// Each element of `first` is looked up in the others until one has it.
std::vector<uint64_t> NoneByLookups(const CollectionView& first,
                                    std::span<const CollectionView> others) {
  std::deque<MemberLookup> lookups;
  for (const CollectionView& other : others) lookups.emplace_back(other, first.count());
  std::vector<uint64_t> left;
  for (uint64_t i = 0; i < first.count(); ++i) {
    const std::string_view member = first.Text(i);
    const auto has = [member](const MemberLookup& lookup) {
      return lookup.Find(member).has_value();
    };
    if (std::ranges::none_of(lookups, has)) left.push_back(i);
  }
  return left;
}

// Each element of the others is looked up in `first`, and struck out there.
std::vector<uint64_t> NoneByStrikingOut(const CollectionView& first,
                                        std::span<const CollectionView> others, uint64_t in_all) {
  const MemberLookup lookup(first, in_all);
  std::vector<bool> struck(first.count());
  for (const CollectionView& other : others) {
    for (uint64_t i = 0; i < other.count(); ++i) {
      const auto found = lookup.Find(other.Text(i));
      if (found && *found < struck.size()) struck[*found] = true;
    }
  }
  std::vector<uint64_t> left;
  for (uint64_t i = 0; i < first.count(); ++i) {
    if (!struck[i]) left.push_back(i);
  }
  return left;
}

}  // namespace

bool IsSame(const CollectionView& left, const CollectionView& right) {
  return left.Reply().data() == right.Reply().data();
}

std::vector<uint64_t> InAll(const CollectionView& first, std::span<const CollectionView> others,
                            uint64_t limit) {
  std::deque<MemberLookup> lookups;
  for (const CollectionView& other : others) {
    if (!IsSame(first, other)) lookups.emplace_back(other, first.count());
  }
  std::vector<uint64_t> found;
  for (uint64_t i = 0; i < first.count() && found.size() < limit; ++i) {
    const std::string_view member = first.Text(i);
    const auto has = [member](const MemberLookup& lookup) {
      return lookup.Find(member).has_value();
    };
    if (std::ranges::all_of(lookups, has)) found.push_back(i);
  }
  return found;
}

std::vector<uint64_t> InNone(const CollectionView& first, std::span<const CollectionView> others) {
  uint64_t in_all = 0;
  for (const CollectionView& other : others) {
    if (IsSame(first, other)) return {};
    in_all += other.count();
  }
  // A look-up that finds nothing goes on to the next one: half of them are to be expected.
  if (first.count() * others.size() / 2 <= in_all) return NoneByLookups(first, others);
  return NoneByStrikingOut(first, others, in_all);
}

void AnswerElements(Context& context, const CollectionView& view,
                    std::span<const uint64_t> elements) {
  for (size_t i = 0; i < elements.size();) {
    size_t end = i + 1;
    while (end < elements.size() && elements[end] == elements[end - 1] + 1) ++end;
    context.Slice(view.Bulks(elements[i], elements[end - 1] + 1));
    i = end;
  }
}

}  // namespace larder::command

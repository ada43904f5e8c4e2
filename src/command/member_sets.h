// What SINTER, SDIFF, ZINTER, ZDIFF and their kin share: which members of one collection are in the
// others, and answering those that are left.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "command/context.h"
#include "snapshot/value.h"

namespace larder::command {

inline constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// The numbers of `first`'s elements that are members of all `others`, ascending; the search ends
// when there are `limit`. Cheapest when `first` is the smallest.
std::vector<uint64_t> InAll(const snapshot::CollectionView& first,
                            std::span<const snapshot::CollectionView> others, uint64_t limit);

// Those that are members of none.
std::vector<uint64_t> InNone(const snapshot::CollectionView& first,
                             std::span<const snapshot::CollectionView> others);

// The members' bulks; neighbours go out as one slice.
void AnswerElements(Context& context, const snapshot::CollectionView& view,
                    std::span<const uint64_t> elements);

// The two are the same bytes.
bool IsSame(const snapshot::CollectionView& left, const snapshot::CollectionView& right);

}  // namespace larder::command

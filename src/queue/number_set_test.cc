#include "queue/number_set.h"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "log/format.h"

namespace larder::queue {
namespace {

TEST(NumberSet, ASetOfAscendingNumbersIsOneInterval) {
  NumberSet set;
  for (uint64_t number = 1; number <= 1000; ++number) EXPECT_EQ(set.Add(number, number), 1U);
  EXPECT_EQ(set.total(), 1000U);
  ASSERT_EQ(set.intervals().size(), 1U);
  EXPECT_EQ(*set.intervals().begin(), (std::pair<const uint64_t, uint64_t>(1, 1000)));
  EXPECT_EQ(set.FirstNotIn(1), 1001U);
  EXPECT_EQ(set.Count(500, 2000), 501U);
}

TEST(NumberSet, TheGreatestNumberHasANextOne) {
  NumberSet set;
  EXPECT_EQ(set.Add(log::kMaxNumber, log::kMaxNumber), 1U);
  EXPECT_EQ(set.Add(1, log::kMaxNumber), log::kMaxNumber - 1);
  EXPECT_EQ(set.Add(1, log::kMaxNumber), 0U);
  EXPECT_EQ(set.total(), log::kMaxNumber);
  EXPECT_EQ(set.Count(1, log::kMaxNumber), log::kMaxNumber);
  EXPECT_EQ(set.FirstNotIn(1), log::kMaxNumber + 1);
  EXPECT_EQ(set.FirstNotIn(UINT64_MAX), UINT64_MAX);
  EXPECT_FALSE(set.Contains(0));
  EXPECT_FALSE(set.Contains(UINT64_MAX));
}

TEST(NumberSet, RangesOfNumbersMergeWhatTouches) {
  EXPECT_EQ(RangesOf({7, 3, 4, 3, 9, 5}), (std::vector<Range>{{3, 5}, {7, 7}, {9, 9}}));
  EXPECT_TRUE(RangesOf({}).empty());
}

void ExpectSame(const NumberSet& set, const std::set<uint64_t>& model, uint64_t limit) {
  EXPECT_EQ(set.total(), model.size());
  uint64_t before = 0;
  uint64_t in_intervals = 0;
  for (const auto& [first, last] : set.intervals()) {
    EXPECT_LE(first, last);
    EXPECT_TRUE(before == 0 || first >= before + 2);
    before = last;
    in_intervals += last - first + 1;
  }
  EXPECT_EQ(in_intervals, model.size());
  for (uint64_t number = 1; number <= limit + 1; ++number) {
    ASSERT_EQ(set.Contains(number), model.contains(number)) << number;
    uint64_t missing = number;
    while (model.contains(missing)) ++missing;
    ASSERT_EQ(set.FirstNotIn(number), missing);
  }
}

TEST(NumberSet, AgreesWithASetOfNumbers) {
  constexpr uint64_t kLimit = 60;
  for (uint64_t seed = 0; seed < ScaledCount(300, 20); ++seed) {
    std::mt19937_64 random(seed);
    NumberSet set;
    std::set<uint64_t> model;
    for (int step = 0; step < 20; ++step) {
      const uint64_t first = 1 + random() % kLimit;
      const uint64_t last = std::min(kLimit, first + random() % 6);
      uint64_t added = 0;
      for (uint64_t number = first; number <= last; ++number) added += model.insert(number).second;
      EXPECT_EQ(set.Add(first, last), added);
      ExpectSame(set, model, kLimit);
      const uint64_t from = 1 + random() % kLimit;
      const uint64_t to = from + random() % 30;
      const auto counted = std::distance(model.lower_bound(from), model.upper_bound(to));
      EXPECT_EQ(set.Count(from, to), static_cast<uint64_t>(counted));
      ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace larder::queue

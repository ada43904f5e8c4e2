// Which numbers have records, in segments with gaps between them.
#include "queue/existing_records.h"

#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::queue {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// 5 and 6, 7 to 10, none from 20 on, 30 to 32, and 40 in the last one.
log::SegmentList ListWithGaps() {
  std::vector<log::SegmentInfo> sealed = {{.first_number = 5, .records = 2},
                                          {.first_number = 7, .records = 4},
                                          {.first_number = 20, .records = 0},
                                          {.first_number = 30, .records = 3}};
  return {.sealed = std::make_shared<const std::vector<log::SegmentInfo>>(std::move(sealed)),
          .last = log::SegmentInfo{.first_number = 40, .records = 1}};
}

TEST(ExistingRecords, AreThoseOfSegments) {
  const log::SegmentList list = ListWithGaps();
  EXPECT_THAT(Existing(list, {{1, UINT64_MAX}}),
              ElementsAre(Range{5, 10}, Range{30, 32}, Range{40, 40}));
  EXPECT_THAT(Existing(list, {{6, 7}}), ElementsAre(Range{6, 7}));
  EXPECT_THAT(Existing(list, {{10, 10}}), ElementsAre(Range{10, 10}));
  EXPECT_THAT(Existing(list, {{1, 5}, {9, 30}}),
              ElementsAre(Range{5, 5}, Range{9, 10}, Range{30, 30}));
  EXPECT_THAT(Existing(list, {{40, 50}}), ElementsAre(Range{40, 40}));
  EXPECT_THAT(Existing(list, {{1, 4}, {11, 29}, {33, 39}, {41, 99}, {7, 6}}), IsEmpty());
}

TEST(ExistingRecords, AreCountedWithoutTheDeletedOnes) {
  NumberSet deleted;
  deleted.Add(8, 31);
  EXPECT_EQ(CountLive(ListWithGaps(), deleted, 1), 5U);
  EXPECT_EQ(CountLive(ListWithGaps(), deleted, 7), 3U);
  EXPECT_EQ(CountLive(ListWithGaps(), deleted, 41), 0U);
}

TEST(ExistingRecords, ConcernNoOtherSegments) {
  const log::SegmentList list = ListWithGaps();
  const auto first_numbers = [&](uint64_t first, uint64_t last) {
    std::vector<uint64_t> numbers;
    for (const log::SegmentInfo& segment : Concerned(*list.sealed, first, last))
      numbers.push_back(segment.first_number);
    return numbers;
  };
  EXPECT_THAT(first_numbers(1, 4), IsEmpty());
  EXPECT_THAT(first_numbers(6, 6), ElementsAre(5));
  EXPECT_THAT(first_numbers(6, 7), ElementsAre(5, 7));
  EXPECT_THAT(first_numbers(8, 29), ElementsAre(7, 20));
  EXPECT_THAT(first_numbers(99, UINT64_MAX), ElementsAre(30));
}

}  // namespace
}  // namespace larder::queue

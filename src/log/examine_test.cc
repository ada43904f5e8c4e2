#include "log/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/segment_walk.h"
#include "log/test_log.h"

namespace larder::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WalkSegment, FindsEveryWholeBatchAndEveryHole) {
  TestLog log;
  TestSegment& segment = log.segments[0];
  segment.bytes[segment.batches[0].offset + 60] ^= 1;  // data
  segment.bytes[segment.batches[2].offset + 20] ^= 1;  // its head
  std::vector<uint64_t> found;
  const SegmentWalk walk =
      WalkSegment(segment.bytes, segment.head,
                  [&](uint64_t, const BatchHead& head) { found.push_back(head.first_number); });
  EXPECT_THAT(found, ElementsAre(3));
  ASSERT_EQ(walk.holes.size(), 2U);
  EXPECT_EQ(walk.holes[0].from, kSegmentHeadBytes);
  EXPECT_EQ(walk.holes[0].to, segment.batches[1].offset);
  EXPECT_EQ(walk.holes[0].first_number, 1U);
  EXPECT_EQ(walk.holes[0].next_number, 3U);
  EXPECT_EQ(walk.holes[0].claimed_to, 2U);
  EXPECT_EQ(walk.holes[1].first_number, 5U);
  EXPECT_EQ(walk.holes[1].next_number, 0U);
  EXPECT_EQ(walk.holes[1].claimed_to, 0U);
  EXPECT_EQ(walk.records, 2U);
  EXPECT_EQ(walk.next_number, 5U);
}

TEST(WalkSegment, TakesNoBatchTwiceAndNoneThatGoesBack) {
  TestSegment segment;
  segment.Append({"one"});
  segment.next_number = 1000;  // as the first
  segment.Append({"one again"});
  const SegmentWalk walk = WalkSegment(segment.bytes, segment.head);
  EXPECT_EQ(walk.batches, 1U);
  ASSERT_EQ(walk.holes.size(), 1U);
  EXPECT_EQ(walk.holes[0].from, segment.batches[1].offset);
}

TEST(InspectLog, TellsSegmentsAndNumbersAndChangesNothing) {
  TestLog log;
  const uint64_t operations = log.files.operations();
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_EQ(log.files.operations(), operations);
  ASSERT_EQ(facts->segments.size(), 3U);
  EXPECT_EQ(facts->segments[0].number, 1U);
  EXPECT_EQ(facts->segments[0].records, 6U);
  EXPECT_EQ(facts->segments[0].bytes, log.segments[0].bytes.size());
  EXPECT_EQ(facts->segments[0].made_at_ms, log.segments[0].head.made_at_ms);
  EXPECT_FALSE(facts->segments[1].last);
  EXPECT_TRUE(facts->segments[2].last);
  EXPECT_EQ(facts->segments[2].records, 4U);
  for (const SegmentFacts& segment : facts->segments) EXPECT_EQ(segment.index, PartState::kRight);
  EXPECT_EQ(facts->oldest, 1U);
  EXPECT_EQ(facts->newest, 14U);
  EXPECT_EQ(facts->parts.numbers, log.numbers);
  EXPECT_EQ(facts->tail_bytes, 0U);
  EXPECT_EQ(facts->missing_number, 0U);
  EXPECT_FALSE(facts->parts.control);
}

TEST(InspectLog, SaysWhichIndexIsMissingOrWrongAndCountsTheRecordsAllTheSame) {
  TestLog log;
  ASSERT_TRUE(log.files.Remove(log.IndexPath(0)));
  log.files.PutFile(log.IndexPath(1), "not an index");
  log.segments[2].index_entries[0] ^= 1;
  log.PutSegment(2);
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->segments[0].index, PartState::kMissing);
  EXPECT_EQ(facts->segments[0].records, 6U);
  EXPECT_EQ(facts->segments[1].index, PartState::kWrong);
  EXPECT_EQ(facts->segments[1].records, 4U);
  EXPECT_EQ(facts->segments[2].index, PartState::kWrong);
}

TEST(InspectLog, NoticesAnIndexOfASealedSegmentThatIsTooShort) {
  TestLog log;
  log.segments[0].index_entries.resize(8);
  log.PutSegment(0);
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->segments[0].index, PartState::kWrong);
  EXPECT_EQ(facts->segments[0].records, 6U);
}

TEST(InspectLog, TellsATornTail) {
  TestLog log;
  log.DamageBatch(2, 1);
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts) << facts.error().message();
  const uint64_t end = EndOfData(log.segments[2].bytes, 0);
  EXPECT_EQ(facts->tail_bytes, end - log.segments[2].batches[1].offset);
  EXPECT_EQ(facts->tail_batches, 0U);
  EXPECT_EQ(facts->missing_number, 0U);
  EXPECT_EQ(facts->newest, 12U);
}

TEST(InspectLog, TellsWhatWasSafeAndIsMissingInTheLastSegment) {
  TestLog log;
  log.DamageBatch(2, 0);
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts) << facts.error().message();
  // The whole batch behind the hole has a mark of 12.
  EXPECT_EQ(facts->tail_batches, 1U);
  EXPECT_EQ(facts->missing_number, 11U);
  EXPECT_EQ(facts->missing_at, kSegmentHeadBytes);
  EXPECT_EQ(facts->newest, 10U);
}

TEST(InspectLog, OfALogInUseJudgesWhatWasCommittedAndNothingElse) {
  TestLog log;
  log.DamageBatch(2, 1);
  log.PutControl(0, 12, log.files.BootId());
  EXPECT_EQ(InspectLog(log.files, log.place)->missing_number, 0U);
  log.PutControl(0, 13, log.files.BootId());
  EXPECT_EQ(InspectLog(log.files, log.place)->missing_number, 13U);
}

TEST(InspectLog, TrustsOnlyAControlFileOfThisStartOfTheMachine) {
  TestLog log;
  log.PutControl(2, 14, "another start");
  EXPECT_FALSE(InspectLog(log.files, log.place)->parts.control);
  log.PutControl(2, 14, log.files.BootId());
  const auto facts = InspectLog(log.files, log.place);
  const auto& control = facts->parts.control;
  ASSERT_TRUE(control.has_value());
  if (!control.has_value()) return;
  EXPECT_EQ(control->state, 2U);
  EXPECT_EQ(control->committed, 14U);
  log.PutControl(3, 14, log.files.BootId());
  EXPECT_FALSE(InspectLog(log.files, log.place)->parts.control);
}

TEST(InspectLog, TakesALastSegmentWithoutAHeadForOneThatWasNeverBegun) {
  TestLog log;
  log.files.PutFile(log.Path(SegmentName("log", 15)), std::string(65536, '\0'));
  const auto facts = InspectLog(log.files, log.place);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->segments.back().head_state, HeadState::kNotBegun);
  EXPECT_EQ(facts->newest, 14U);
}

TEST(InspectLog, OfADirectoryWithoutALogFindsNone) {
  TestLog log;
  const auto none = InspectLog(log.files, {.directory = "/log", .prefix = "other"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(none.error().message(), HasSubstr("other"));
  EXPECT_FALSE(InspectLog(log.files, {.directory = "/nowhere"}));
}

TEST(LogParts, KnowTheLogsIdFromWhateverIsLeft) {
  TestLog log;
  const LogId id = log.numbers.id;
  ASSERT_TRUE(log.files.Remove(log.Path(NumbersName("log"))));
  EXPECT_EQ(ReadLogParts(log.files, log.place)->id, id);
  for (size_t i = 0; i < 3; ++i) {
    log.segments[i].bytes[20] ^= 1;
    log.PutSegment(i);
  }
  EXPECT_EQ(ReadLogParts(log.files, log.place)->id, id);  // of the indexes
  for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(log.files.Remove(log.IndexPath(i)));
  EXPECT_FALSE(ReadLogParts(log.files, log.place)->id_known);
  log.PutControl(0, 14, "any");
  EXPECT_EQ(ReadLogParts(log.files, log.place)->id, id);
}

}  // namespace
}  // namespace larder::log

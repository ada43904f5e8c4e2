#include "log/marked_records.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/test_log.h"

namespace larder::log {
namespace {

using testing::ElementsAre;

// Records 15 and 16, 17, and 18, each line a batch; the one in the middle is plain.
void AppendToLast(TestLog& log) {
  TestSegment& last = log.segments[2];
  BatchEncoder encoder;
  const std::vector<std::string_view> two = {"marked", "marked too"};
  last.bytes += encoder.Encode(two, 15, 1, 14, last.end(), RecordKind::kMarked);
  const std::vector<std::string_view> one = {"a record"};
  last.bytes += encoder.Encode(one, 17, 1, 14, last.end());
  last.bytes += encoder.Encode(one, 18, 1, 14, last.end(), RecordKind::kMarked);
}

TEST(MarkedRecords, AreVisitedInOrderAndOthersAreNot) {
  TestLog log;
  AppendToLast(log);
  log.PutSegment(2);
  std::vector<uint64_t> numbers;
  std::vector<std::string> texts;
  const auto visit = [&](const RecordInBatch& record) {
    numbers.push_back(record.number);
    texts.emplace_back(record.data);
  };
  EXPECT_EQ(VisitMarked(log.files, "/log", "log", 11, visit), 0U);
  EXPECT_THAT(numbers, ElementsAre(15, 16, 18));
  EXPECT_THAT(texts, ElementsAre("marked", "marked too", "a record"));
  EXPECT_EQ(VisitMarked(log.files, "/log", "log", 1, visit), 0U);
  EXPECT_THAT(numbers, testing::SizeIs(3));
}

TEST(MarkedRecords, BehindDamageAreVisitedAndTheDamageIsTold) {
  TestLog log;
  AppendToLast(log);
  std::string& bytes = log.segments[2].bytes;
  bytes[bytes.find("marked too")] ^= 1;
  log.PutSegment(2);
  std::vector<uint64_t> numbers;
  const auto not_whole =
      VisitMarked(log.files, "/log", "log", 11,
                  [&](const RecordInBatch& record) { numbers.push_back(record.number); });
  EXPECT_THAT(numbers, ElementsAre(18));
  EXPECT_EQ(not_whole, kBatchHeadBytes + RecordSpace(6) + RecordSpace(10));
}

TEST(MarkedRecords, OfASegmentThatIsGoneOrHasNoHeadAreNotKnown) {
  TestLog log;
  const auto visit = [](const RecordInBatch&) {};
  EXPECT_EQ(VisitMarked(log.files, "/log", "log", 12, visit).error().code(), ErrorCode::kNotFound);
  log.segments[0].bytes[20] ^= 1;
  log.PutSegment(0);
  EXPECT_EQ(VisitMarked(log.files, "/log", "log", 1, visit).error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace larder::log

#include "log/salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "log/reader.h"
#include "log/test_log.h"
#include "log/writer.h"

namespace larder::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kNew[] = "/new";
const LogPlace new_place{.directory = kNew};

struct Salvaged {
  SalvageReport report;
  std::vector<std::string> losses;
};

Salvaged SalvageAll(TestLog& log, bool single_records = false) {
  Salvaged salvaged;
  SalvageOptions options{.from = log.place, .to_directory = kNew, .single_records = single_records};
  options.visit_loss = [&](const Finding& loss) { salvaged.losses.push_back(loss.Text()); };
  const auto report = Salvage(log.files, options);
  EXPECT_TRUE(report) << report.error().message();
  if (report) salvaged.report = *report;
  return salvaged;
}

// What the new log says of itself is right, and a writer opens it.
std::map<uint64_t, std::string> NewRecords(TestLog& log) {
  const TestLog::Read read = log.ReadAllOf(new_place);
  EXPECT_THAT(read.findings, IsEmpty());
  const auto parts = ReadLogParts(log.files, new_place);
  EXPECT_TRUE(parts && parts->numbers_right());
  return read.records;
}

uint64_t NextNumber(TestLog& log) {
  Options options;
  options.directory = kNew;
  const auto writer = Writer::Open(log.files, options);
  EXPECT_TRUE(writer) << writer.error().message();
  return writer ? *(*writer)->Append("the next") : 0;
}

TEST(Salvage, OfAWholeLogKeepsEverythingAndLosesNothing) {
  TestLog log;
  TestSegment& last = log.segments[2];
  BatchEncoder encoder;
  const std::string_view record = "moved";
  last.bytes += encoder.Encode({&record, 1}, 15, 123, 14, last.end(), RecordKind::kMarked);
  log.PutSegment(2);
  const auto [report, losses] = SalvageAll(log);
  EXPECT_THAT(losses, IsEmpty());
  EXPECT_EQ(report.records, 15U);
  // The marked one is in a segment that says that there may be some.
  EXPECT_EQ(report.segments, 4U);
  EXPECT_THAT(log.ReadAllOf(new_place).findings, IsEmpty());
  EXPECT_EQ(report.oldest, 1U);
  EXPECT_EQ(report.newest, 15U);
  EXPECT_EQ(report.reserved, log.numbers.reserved);
  auto expected = log.Records(1, 14);
  expected[15] = "moved";
  EXPECT_EQ(NewRecords(log), expected);
  ReadThroughOptions options{.from = 15};
  options.visit_record = [](const FoundRecord& found) -> Result<void> {
    EXPECT_EQ(found.time_ms, 123);
    EXPECT_TRUE(found.marked);
    return {};
  };
  ASSERT_TRUE(ReadThrough(log.files, new_place, options));
  EXPECT_EQ(InspectLog(log.files, new_place)->segments[0].made_at_ms,
            log.segments[0].head.made_at_ms);
}

TEST(Salvage, MakesALogThatGoesOnBehindEveryNumberThatWasReserved) {
  TestLog log;
  log.DamageBatch(2, 1);
  SalvageAll(log);
  EXPECT_EQ(NextNumber(log), log.numbers.reserved + 1);
}

TEST(Salvage, BeginsANewSegmentBehindWhatIsLost) {
  TestLog log;
  log.DamageBatch(0, 1);
  const auto [report, losses] = SalvageAll(log);
  EXPECT_THAT(losses,
              ElementsAre(HasSubstr("00001.seg: byte 4256: records 3 to 4 are not whole; "
                                    "1 of them is right by itself, which --records keeps")));
  EXPECT_EQ(report.segments, 4U);
  EXPECT_EQ(report.lost_records, 2U);
  EXPECT_EQ(report.single_records, 1U);
  auto expected = log.Records(1, 14);
  expected.erase(3);
  expected.erase(4);
  EXPECT_EQ(NewRecords(log), expected);
}

TEST(Salvage, KeepsRightRecordsOfATornBatchWhenItIsTold) {
  TestLog log;
  log.DamageBatch(0, 1);
  const auto [report, losses] = SalvageAll(log, /*single_records=*/true);
  EXPECT_EQ(report.lost_records, 1U);
  auto expected = log.Records(1, 14);
  expected.erase(3);
  EXPECT_EQ(NewRecords(log), expected);
}

TEST(Salvage, TakesWholeBatchesOfATornTail) {
  TestLog log;
  log.DamageBatch(2, 0);
  SalvageAll(log);
  auto expected = log.Records(1, 14);
  expected.erase(11);
  expected.erase(12);
  EXPECT_EQ(NewRecords(log), expected);
}

TEST(Salvage, WorksWithoutHeadsAndWithoutTheNumbersFile) {
  TestLog log;
  ASSERT_TRUE(log.files.Remove(log.Path(NumbersName("log"))));
  for (size_t i = 0; i < 2; ++i) {
    log.segments[i].bytes.replace(0, kSegmentHeadBytes, std::string(kSegmentHeadBytes, 'x'));
    log.PutSegment(i);
  }
  const auto [report, losses] = SalvageAll(log);
  EXPECT_EQ(NewRecords(log), log.Records(1, 14));
  EXPECT_FALSE(report.numbers_known);
  EXPECT_EQ(report.reserved, 14 + kNumbersReservedAhead);
  EXPECT_EQ(report.losses, 0U);
  EXPECT_THAT(losses, ElementsAre(HasSubstr("head"), HasSubstr("head")));
}

TEST(Salvage, LeavesOutASegmentOfAnotherLog) {
  TestLog log;
  const SegmentHead other{.id = {'o', 't', 'h', 'e', 'r'}, .first_number = 7};
  log.segments[1] = TestSegment(other);
  log.segments[1].Append({"not ours"});
  log.PutSegment(1);
  const auto [report, losses] = SalvageAll(log);
  EXPECT_THAT(losses, ElementsAre(HasSubstr("another log")));
  auto expected = log.Records(1, 14);
  for (uint64_t number = 7; number <= 10; ++number) expected.erase(number);
  EXPECT_EQ(NewRecords(log), expected);
}

TEST(Salvage, TakesASegmentUnderAWrongNameForWhatItsHeadSays) {
  TestLog log;
  ASSERT_TRUE(log.files.Remove(log.SegmentPath(1)));
  log.files.PutFile(log.Path(SegmentName("log", 500)), log.segments[1].bytes);
  SalvageAll(log);
  EXPECT_EQ(NewRecords(log), log.Records(1, 14));
}

TEST(Salvage, TakesTheLaterOfTwoSegmentsThatOverlap) {
  TestLog log;
  TestSegment copy({.first_number = 5});
  copy.Append({"five", "six"}, 4);
  log.segments.push_back(copy);
  log.PutSegment(3);
  SalvageAll(log);
  auto expected = log.Records(1, 14);
  expected[5] = "five";
  expected[6] = "six";
  EXPECT_EQ(NewRecords(log), expected);
}

TEST(Salvage, OfNothingWholeLeavesAnEmptyLogThatReusesNoNumber) {
  TestLog log;
  for (size_t i = 0; i < 3; ++i) {
    for (size_t batch = 0; batch < log.segments[i].batches.size(); ++batch)
      log.DamageBatch(i, batch);
  }
  const auto [report, losses] = SalvageAll(log);
  EXPECT_EQ(report.records, 0U);
  EXPECT_THAT(NewRecords(log), IsEmpty());
  EXPECT_EQ(NextNumber(log), log.numbers.reserved + 1);
}

TEST(Salvage, NeverWritesIntoADirectoryThatHoldsALog) {
  TestLog log;
  const SalvageOptions same{.from = log.place, .to_directory = log.place.directory};
  EXPECT_EQ(Salvage(log.files, same).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(log.ReadAll().records, log.Records(1, 14));
  SalvageAll(log);
  const SalvageOptions again{.from = log.place, .to_directory = kNew};
  EXPECT_EQ(Salvage(log.files, again).error().code(), ErrorCode::kAlreadyExists);
}

TEST(Salvage, ThatFailsCanBeTriedAgain) {
  for (uint64_t n = 1;; ++n) {
    TestLog log;
    log.files.FailOperation(n, ErrorCode::kNoSpace);
    const SalvageOptions options{.from = log.place, .to_directory = kNew};
    const bool failed = !Salvage(log.files, options);
    log.files.ClearFaults();
    if (!failed) break;
    SCOPED_TRACE(n);
    const auto again = Salvage(log.files, options);
    // The file of numbers may be there when only its directory could not be synced.
    if (!again) {
      EXPECT_EQ(again.error().code(), ErrorCode::kAlreadyExists);
      EXPECT_TRUE(log.files.Contents(std::string(kNew) + "/log.numbers"));
    }
  }
}

TEST(Salvage, ThatCrashesAnywhereLeavesTheOldLogAndNoPartOfANewOneThatOpens) {
  uint64_t crashes = 0;
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      TestLog log;
      log.DamageBatch(0, 1);
      auto expected = log.Records(1, 14);
      expected.erase(3);
      expected.erase(4);
      const auto before = log.ReadAll().records;
      log.files.CrashAtOperation(n);
      const bool done = Salvage(log.files, {.from = log.place, .to_directory = kNew}).has_value();
      const bool crashed = log.files.crashed();
      log.files.Reboot(survival);
      SCOPED_TRACE(n);
      EXPECT_EQ(log.ReadAll().records, before);
      if (log.files.Contents(std::string(kNew) + "/log.numbers")) {
        EXPECT_EQ(NewRecords(log), expected);
      } else {
        EXPECT_FALSE(done);
      }
      if (!crashed) break;
      ++crashes;
    }
  }
  EXPECT_GT(crashes, 60U);
}

}  // namespace
}  // namespace larder::log

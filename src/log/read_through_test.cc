#include "log/read_through.h"

#include <atomic>
#include <thread>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/test_directory.h"
#include "log/test_log.h"
#include "log/writer.h"

namespace larder::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ReadThrough, OfAWholeLogReadsAllAndFindsNothing) {
  TestLog log;
  const uint64_t operations = log.files.operations();
  const TestLog::Read read = log.ReadAll();
  EXPECT_EQ(read.records, log.Records(1, 14));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.totals.records, 14U);
  EXPECT_EQ(read.totals.batches, 7U);
  EXPECT_EQ(read.totals.segments, 3U);
  EXPECT_EQ(log.files.operations(), operations);
}

// Record 15, in a segment whose head says that there may be such, or not.
void AppendMarked(TestLog& log, std::string_view record, bool may_be_marked) {
  TestSegment& last = log.segments[2];
  last.head.may_be_marked = may_be_marked;
  last.bytes.replace(0, kSegmentHeadBytes, MakeSegmentHead(last.head));
  BatchEncoder encoder;
  last.bytes += encoder.Encode({&record, 1}, 15, 123, 14, last.end(), RecordKind::kMarked);
  last.index_entries += encoder.index_entries();
  log.PutSegment(2);
}

TEST(ReadThrough, AMarkThatTheHeadExcludesIsDamage) {
  TestLog right;
  AppendMarked(right, "moved", true);
  EXPECT_THAT(right.ReadAll().findings, IsEmpty());
  TestLog wrong;
  AppendMarked(wrong, "moved", false);
  EXPECT_THAT(wrong.ReadAll().Texts(true),
              ElementsAre(HasSubstr("record 15 is marked, and the segment's head says that none")));
}

TEST(ReadThrough, GivesTimesAndMarks) {
  TestLog log;
  const std::string_view record = "moved";
  AppendMarked(log, record, true);
  ReadThroughOptions options{.from = 15};
  int seen = 0;
  options.visit_record = [&](const FoundRecord& found) -> Result<void> {
    EXPECT_EQ(found.number, 15U);
    EXPECT_EQ(found.time_ms, 123);
    EXPECT_TRUE(found.marked);
    EXPECT_EQ(found.data, record);
    ++seen;
    return {};
  };
  ASSERT_TRUE(ReadThrough(log.files, log.place, options));
  EXPECT_EQ(seen, 1);
}

TEST(ReadThrough, ReadsOnlyTheSegmentsOfWhatIsAskedFor) {
  TestLog log;
  log.DamageBatch(0, 1);
  const TestLog::Read read = log.ReadAll({.from = 8, .to = 9});
  EXPECT_EQ(read.records, log.Records(8, 9));
  EXPECT_THAT(read.findings, IsEmpty());
}

TEST(ReadThrough, NamesEachDamagedBatchAndReadsTheOthers) {
  TestLog log;
  log.DamageBatch(0, 0);
  log.DamageBatch(0, 2);
  log.DamageBatch(1, 0);
  const TestLog::Read read = log.ReadAll();
  EXPECT_THAT(read.Texts(true),
              ElementsAre("log-00000000000000000001.seg: byte 4096: records 1 to 2 are not whole "
                          "(160 bytes)",
                          HasSubstr("records 5 to 6 are not whole"),
                          "log-00000000000000000007.seg: byte 4096: records 7 to 8 are not whole "
                          "(176 bytes)"));
  EXPECT_EQ(read.totals.damaged, 3U);
  auto expected = log.Records(3, 14);
  for (uint64_t lost = 5; lost <= 8; ++lost) expected.erase(lost);
  EXPECT_EQ(read.records, expected);
}

TEST(ReadThrough, NoticesEveryChangedByteOfTheRecordsOfASealedSegment) {
  const TestLog whole;
  const std::string bytes = whole.segments[0].bytes;
  for (size_t at = kSegmentHeadBytes; at < bytes.size(); ++at) {
    TestLog log;
    log.segments[0].bytes[at] ^= 4;
    log.PutSegment(0);
    const TestLog::Read read = log.ReadAll();
    EXPECT_EQ(read.totals.damaged, 1U) << "byte " << at;
    EXPECT_EQ(read.totals.records, 12U) << "byte " << at;
  }
}

TEST(ReadThrough, TellsByIndexWhetherASealedSegmentEndsTooEarly) {
  TestLog log;
  TestSegment& first = log.segments[0];
  first.bytes.resize(first.batches[2].offset);
  log.PutSegment(0);
  EXPECT_THAT(log.ReadAll().Texts(true), ElementsAre(HasSubstr("records 5 to 6 should follow")));
  // Its own index says that it ends there: the segment behind it was removed.
  first.index_entries.resize(16);
  log.PutSegment(0);
  EXPECT_THAT(log.ReadAll().findings, IsEmpty());
}

TEST(ReadThrough, TakesARemovedSegmentForNoDamage) {
  TestLog log;
  ASSERT_TRUE(log.files.Remove(log.SegmentPath(1)));
  ASSERT_TRUE(log.files.Remove(log.IndexPath(1)));
  const TestLog::Read read = log.ReadAll();
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_THAT(read.records, SizeIs(10));
}

TEST(ReadThrough, ComparesIndexesWithBatches) {
  TestLog log;
  log.segments[0].index_entries[3 * kIndexEntryBytes] ^= 1;
  log.PutSegment(0);
  ASSERT_TRUE(log.files.Remove(log.IndexPath(1)));
  const TestLog::Read read = log.ReadAll();
  EXPECT_THAT(read.Texts(true), ElementsAre(HasSubstr("1 of its entries do not lead to their "
                                                      "records, the first that of record 4")));
  EXPECT_THAT(read.Texts(false), ElementsAre(HasSubstr("00007.idx: byte 0: missing")));
}

TEST(ReadThrough, TakesATornTailForNoDamageUnlessItWasSafe) {
  TestLog log;
  log.DamageBatch(2, 1);
  TestLog::Read read = log.ReadAll();
  EXPECT_EQ(read.totals.damaged, 0U);
  EXPECT_THAT(read.Texts(false), ElementsAre(HasSubstr("torn tail of 177 bytes")));
  EXPECT_EQ(read.records, log.Records(1, 12));
  log.Close();
  read = log.ReadAll();
  EXPECT_THAT(read.Texts(true), ElementsAre(HasSubstr("records 13 to 14 are not whole")));
}

TEST(ReadThrough, DoesNotTakeWholeBatchesBehindATornOneForRecords) {
  TestLog log;
  TestSegment last({.first_number = 11});
  last.head.last_before = 10;
  last.bytes = MakeSegmentHead(last.head);
  for (uint64_t number = 11; number < 14; ++number) last.Append({TestLog::RecordText(number)}, 10);
  log.segments[2] = last;
  log.DamageBatch(2, 1);
  const TestLog::Read read = log.ReadAll();
  EXPECT_EQ(read.totals.damaged, 0U);
  EXPECT_EQ(read.records, log.Records(1, 11));
  EXPECT_EQ(read.totals.records, 11U);
}

TEST(ReadThrough, OfALogInUseJudgesWhatWasCommittedAndNothingElse) {
  TestLog log;
  log.DamageBatch(2, 1);
  log.PutControl(0, 12, log.files.BootId());
  EXPECT_THAT(log.ReadAll().findings, IsEmpty());
  EXPECT_EQ(log.ReadAll().records, log.Records(1, 12));
  log.PutControl(0, 14, log.files.BootId());
  EXPECT_EQ(log.ReadAll().totals.damaged, 1U);
}

TEST(ReadThrough, OfALogInUseLeavesTheSegmentBeforeOneThatIsJustBeingMade) {
  TestLog log;
  log.DamageBatch(2, 1);
  log.PutControl(0, 12, log.files.BootId());
  log.files.PutFile(log.Path(SegmentName("log", 13)), std::string(kSegmentHeadBytes, '\0'));
  EXPECT_EQ(log.ReadAll().totals.damaged, 0U);
  EXPECT_EQ(log.ReadAll().records, log.Records(1, 12));
  // Nobody gives it up any more: the one before was sealed.
  ASSERT_TRUE(log.files.Remove(log.Path(ControlName("log"))));
  log.files.PutFile(log.Path(SegmentName("log", 15)), std::string(kSegmentHeadBytes, '\0'));
  ASSERT_TRUE(log.files.Remove(log.Path(SegmentName("log", 13))));
  EXPECT_THAT(log.ReadAll().Texts(true), ElementsAre(HasSubstr("records 13 to 14 are not whole")));
}

TEST(ReadThrough, OfALogInUseGivesNothingThatIsNotCommitted) {
  TestLog log;
  log.PutControl(0, 12, log.files.BootId());
  EXPECT_EQ(log.ReadAll().records, log.Records(1, 12));
}

TEST(ReadThrough, ReadsASegmentWhoseHeadIsDamagedAndSaysSo) {
  TestLog log;
  log.segments[0].bytes[100] ^= 1;
  log.PutSegment(0);
  const TestLog::Read read = log.ReadAll();
  EXPECT_EQ(read.records, log.Records(1, 14));
  EXPECT_EQ(read.totals.damaged, 1U);
  EXPECT_EQ(read.findings[0].file, "log-00000000000000000001.seg");
}

TEST(ReadThrough, SaysWhatIsWrongWithTheNumbersFile) {
  TestLog log;
  const std::string path = log.Path(NumbersName("log"));
  log.numbers.reserved = 12;
  log.files.PutFile(path, MakeNumbersFile(log.numbers));
  EXPECT_THAT(log.ReadAll().Texts(true),
              ElementsAre(HasSubstr("reserves numbers to 12, and there is record 14")));
  log.files.PutFile(path, std::string(1000, 'x'));
  EXPECT_THAT(log.ReadAll().Texts(true), SizeIs(1));
  ASSERT_TRUE(log.files.Remove(path));
  EXPECT_THAT(log.ReadAll().Texts(true), ElementsAre(HasSubstr("missing")));
}

TEST(ReadThrough, TakesTheLaterOfTwoSegmentsThatOverlap) {
  TestLog log;
  // What a recovery after a failed sync leaves: 5 and 6 are in doubt in the first segment, and
  // copied.
  TestSegment copy({.first_number = 5});
  copy.head.last_before = 4;
  copy.bytes = MakeSegmentHead(copy.head);
  copy.Append({TestLog::RecordText(5), TestLog::RecordText(6)}, 4);
  log.segments.insert(log.segments.begin() + 1, copy);
  log.PutSegment(1);
  EXPECT_THAT(log.ReadAll().findings, IsEmpty());
  log.DamageBatch(0, 2);
  const TestLog::Read read = log.ReadAll();
  EXPECT_EQ(read.totals.damaged, 0U);
  EXPECT_EQ(read.records, log.Records(1, 14));
  EXPECT_EQ(read.totals.records, 14U);
}

// Appends, syncs, begins segments and removes them, until the file system fails.
void Work(io::FaultyFileSystem& files, uint64_t seed) {
  Options options;
  options.directory = "/log";
  options.sync = SyncPolicy::kNever;
  const auto writer = Writer::Open(files, options);
  for (uint64_t step = 0; writer && step < 8; ++step) {
    const std::string text(300 * ((step + seed) % 7), 'a');
    const std::vector<std::string_view> records(1 + step % 3, text);
    const auto last = (*writer)->Append(records);
    if (!last) return;
    if (step % 4 == 3 && !(*writer)->Sync()) return;
    if (step % 3 == 2 && !(*writer)->Rotate()) return;
    if (step == 6 && !(*writer)->RemoveBefore(*last - 3)) return;
  }
  if (writer) std::ignore = (*writer)->Close();
}

TEST(ReadThrough, FindsNoDamageInALogThatCrashedAnywhereAndReadsWhatOpeningItKeeps) {
  uint64_t crashes = 0;
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      TestLog log;
      log.files.PutFile("/log/other", "");
      for (size_t i = 0; i < log.segments.size(); ++i) {
        ASSERT_TRUE(log.files.Remove(log.SegmentPath(i)));
        ASSERT_TRUE(log.files.Remove(log.IndexPath(i)));
      }
      ASSERT_TRUE(log.files.Remove(log.Path(NumbersName("log"))));
      ASSERT_TRUE(log.files.SyncDirectory("/log"));
      log.files.CrashAtOperation(n);
      Work(log.files, n);
      const bool crashed = log.files.crashed();
      log.files.Reboot(survival);
      SCOPED_TRACE(n);
      const TestLog::Read read = log.ReadAll();
      EXPECT_THAT(read.Texts(true), IsEmpty());
      Options options;
      options.directory = "/log";
      const auto writer = Writer::Open(log.files, options);
      ASSERT_TRUE(writer) << writer.error().message();
      EXPECT_EQ((*writer)->committed(), read.records.empty() ? 0 : read.records.rbegin()->first);
      EXPECT_EQ(log.ReadAll().records, read.records);
      if (!crashed) break;
      ++crashes;
    }
  }
  EXPECT_GT(crashes, 60U);
}

TEST(ReadThrough, OfALogThatIsAppendedToAllTheTimeFindsNoDamage) {
  const io::TestDirectory directory;
  Options options;
  options.directory = directory.path();
  options.sync = SyncPolicy::kNever;
  options.segment_bytes = 20'000;
  const LogPlace place{.directory = options.directory};
  io::FileSystem& files = io::RealFileSystem();
  auto writer = Writer::Open(files, options);
  ASSERT_TRUE(writer) << writer.error().message();
  ASSERT_TRUE((*writer)->Append("the first"));
  std::atomic<bool> done = false;
  std::thread appender([&] {
    const std::string text(700, 'a');
    for (uint64_t i = 0; i < ScaledCount(800); ++i) {
      const std::vector<std::string_view> records(1 + i % 3, text);
      const auto last = (*writer)->Append(records);
      EXPECT_TRUE(last && (i % 100 != 99 || (*writer)->RemoveBefore(*last - 90)));
    }
    done = true;
  });
  for (bool more = true; more;) {
    more = !done;  // at least one look when all is over
    ReadThroughOptions look;
    look.visit_finding = [](const Finding& finding) {
      EXPECT_FALSE(finding.damage) << finding.Text();
    };
    uint64_t previous = 0;
    look.visit_record = [&previous](const FoundRecord& record) -> Result<void> {
      EXPECT_GT(record.number, previous);
      previous = record.number;
      return {};
    };
    const auto read = ReadThrough(files, place, look);
    EXPECT_TRUE(read) << read.error().message();
    const auto facts = InspectLog(files, place);
    EXPECT_TRUE(facts) << facts.error().message();
    if (facts) {
      EXPECT_EQ(facts->missing_number, 0U);
      EXPECT_TRUE(facts->parts.in_use());
    }
  }
  appender.join();
}

TEST(ReadThrough, IsEndedByWhoeverLooks) {
  TestLog log;
  ReadThroughOptions options;
  options.visit_record = [](const FoundRecord& found) -> Result<void> {
    if (found.number == 3) return Fail(ErrorCode::kCancelled, "enough");
    return {};
  };
  const auto ended = ReadThrough(log.files, log.place, options);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message(), "enough");
}

}  // namespace
}  // namespace larder::log

// Writing and reading a log, on the real file system.
#include "log/writer.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/file_system.h"
#include "io/test_directory.h"
#include "log/reader.h"
#include "log/segment_scan.h"
#include "log/small_files.h"

namespace larder::log {
namespace {

using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  LogTest() { options_.directory = directory_.path() + "/log"; }

  std::unique_ptr<Writer> Open() {
    auto writer = Writer::Open(files_, options_);
    EXPECT_TRUE(writer) << writer.error().message();
    return writer ? *std::move(writer) : nullptr;
  }
  std::unique_ptr<Reader> OpenReader() {
    auto reader =
        Reader::Open(files_, {.directory = options_.directory, .prefix = options_.prefix});
    EXPECT_TRUE(reader) << reader.error().message();
    return reader ? *std::move(reader) : nullptr;
  }
  static std::string Data(Reader& reader, uint64_t number) {
    const auto record = reader.Read(number);
    return record ? std::string(record->data) : record.error().message();
  }
  static uint64_t Append(Writer& writer, const std::vector<std::string_view>& records) {
    const auto last = writer.Append(records);
    EXPECT_TRUE(last) << last.error().message();
    return last.value_or(0);
  }
  std::vector<uint64_t> Segments() {
    return FindLogFiles(options_.prefix, *files_.List(options_.directory)).segments;
  }

  io::TestDirectory directory_;
  io::FileSystem& files_ = io::RealFileSystem();
  Options options_;
};

TEST_F(LogTest, NumbersRecordsFromOneAndReadsThemBack) {
  const auto writer = Open();
  EXPECT_EQ(writer->committed(), 0U);
  EXPECT_EQ(Append(*writer, {"one"}), 1U);
  EXPECT_EQ(Append(*writer, {"two", "", "four"}), 4U);
  const auto reader = OpenReader();
  EXPECT_EQ(reader->oldest(), 1U);
  EXPECT_EQ(reader->committed(), 4U);
  EXPECT_EQ(Data(*reader, 1), "one");
  EXPECT_EQ(Data(*reader, 3), "");
  EXPECT_EQ(Data(*reader, 4), "four");
  EXPECT_THAT(Data(*reader, 5), HasSubstr("there is no record 5"));
  EXPECT_THAT(Data(*reader, 0), HasSubstr("there is no record 0"));
}

TEST_F(LogTest, AReaderSeesWhatIsAppendedAfterItWasOpened) {
  options_.segment_bytes = 200'000;
  const auto writer = Open();
  Append(*writer, {"first"});
  const auto reader = OpenReader();
  const std::string large(50'000, 'x');
  for (int i = 0; i < 20; ++i) {
    const uint64_t number = Append(*writer, {large, std::to_string(i)});
    EXPECT_EQ(Data(*reader, number), std::to_string(i));
  }
  EXPECT_GT(Segments().size(), 4U);
  EXPECT_EQ(Data(*reader, 1), "first");
}

TEST_F(LogTest, GoesOnWhereItWasClosed) {
  EXPECT_EQ(Append(*Open(), {"a", "b"}), 2U);
  const auto writer = Open();
  EXPECT_EQ(writer->committed(), 2U);
  EXPECT_EQ(writer->synced(), 2U);
  EXPECT_EQ(writer->recovery().cut_bytes, 0U);
  EXPECT_EQ(Append(*writer, {"c"}), 3U);
  const auto reader = OpenReader();
  EXPECT_EQ(Data(*reader, 1), "a");
  EXPECT_EQ(Data(*reader, 3), "c");
}

TEST_F(LogTest, AClosedLogCanBeReadWithoutAWriter) {
  EXPECT_EQ(Append(*Open(), {"a", "b"}), 2U);
  ASSERT_TRUE(files_.Remove(options_.directory + "/" + ControlName(options_.prefix)));
  const auto reader = OpenReader();
  EXPECT_EQ(reader->committed(), 2U);
  EXPECT_EQ(Data(*reader, 2), "b");
}

TEST_F(LogTest, OneWriterAtATime) {
  const auto writer = Open();
  const auto second = Writer::Open(files_, options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
}

TEST_F(LogTest, ASegmentEndsByItsRecords) {
  options_.segment_records = 2;
  const auto writer = Open();
  for (int i = 0; i < 5; ++i) Append(*writer, {"x"});
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 3, 5));
}

class MarkTest : public LogTest {
 protected:
  static uint64_t AppendMarked(Writer& writer, std::string_view record) {
    const auto last = writer.Append({&record, 1}, RecordKind::kMarked);
    EXPECT_TRUE(last) << last.error().message();
    return last.value_or(0);
  }
  // Of the segments, in order.
  std::vector<bool> MayBeMarked() {
    std::vector<bool> marks;
    for (const uint64_t number : Segments()) {
      const std::string name = SegmentName(options_.prefix, number);
      const auto mapping = files_.Map(options_.directory + "/" + name);
      EXPECT_TRUE(mapping) << name;
      marks.push_back(ReadSegmentHead((*mapping)->bytes(), name)->may_be_marked);
    }
    return marks;
  }
};

TEST_F(MarkTest, TheFirstMarkedRecordBeginsASegmentThatSaysSoAndSoDoAllBehindIt) {
  options_.segment_records = 3;
  {
    const auto writer = Open();
    for (int i = 0; i < 4; ++i) Append(*writer, {"plain"});
    EXPECT_EQ(AppendMarked(*writer, "marked"), 5U);
    EXPECT_EQ(AppendMarked(*writer, "marked"), 6U);
    EXPECT_EQ(Append(*writer, {"plain"}), 7U);
    EXPECT_EQ(Append(*writer, {"plain"}), 8U);
  }
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 4, 5, 8));
  EXPECT_THAT(MayBeMarked(), testing::ElementsAre(false, false, true, true));
  const auto writer = Open();
  ASSERT_TRUE(writer->Rotate());
  EXPECT_EQ(AppendMarked(*writer, "marked"), 9U);
  EXPECT_THAT(MayBeMarked(), testing::ElementsAre(false, false, true, true, true));
}

TEST_F(MarkTest, AMarkedRecordPassesOverTheNumberOfASegmentThatWasBegunForPlainOnes) {
  const auto writer = Open();
  Append(*writer, {"plain"});
  ASSERT_TRUE(writer->Rotate());
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 2));
  EXPECT_EQ(AppendMarked(*writer, "marked"), 3U);
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 3));
  EXPECT_THAT(MayBeMarked(), testing::ElementsAre(false, true));
  const auto reader = OpenReader();
  EXPECT_EQ(Data(*reader, 1), "plain");
  EXPECT_EQ(reader->Read(2).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(Data(*reader, 3), "marked");
}

TEST_F(MarkTest, WritersThatTakeTurnsAgreeOnIt) {
  options_.writers = Writers::kShared;
  const auto one = Open();
  const auto other = Open();
  Append(*one, {"plain"});
  EXPECT_EQ(AppendMarked(*other, "marked"), 2U);
  EXPECT_EQ(AppendMarked(*one, "marked"), 3U);
  EXPECT_EQ(Append(*one, {"plain"}), 4U);
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 2));
  EXPECT_THAT(MayBeMarked(), testing::ElementsAre(false, true));
}

TEST_F(LogTest, RemovesOnlyWholeSegmentsAndNeverTheLast) {
  options_.segment_records = 2;
  const auto writer = Open();
  for (int i = 1; i <= 6; ++i) Append(*writer, {std::to_string(i)});
  const auto reader = OpenReader();
  const auto held = reader->Read(1);
  ASSERT_TRUE(writer->RemoveBefore(4));
  EXPECT_THAT(Segments(), testing::ElementsAre(3, 5));
  EXPECT_EQ(reader->oldest(), 3U);
  EXPECT_THAT(Data(*reader, 1), HasSubstr("there is no record 1"));
  EXPECT_EQ(held->data, "1");
  EXPECT_EQ(reader->ReadFrom(1)->number, 3U);
  ASSERT_TRUE(writer->RemoveBefore(1000));
  EXPECT_THAT(Segments(), testing::ElementsAre(5));
  EXPECT_EQ(Data(*reader, 6), "6");
}

TEST_F(LogTest, AMissingIndexIsReadFromTheSegment) {
  options_.segment_records = 3;
  auto writer = Open();
  for (int i = 1; i <= 7; ++i) Append(*writer, {std::to_string(i)});
  for (const uint64_t first : {1U, 4U}) {
    ASSERT_TRUE(files_.Remove(options_.directory + "/" + IndexName(options_.prefix, first)));
  }
  const auto reader = OpenReader();
  for (uint64_t i = 1; i <= 7; ++i) EXPECT_EQ(Data(*reader, i), std::to_string(i));
}

TEST_F(LogTest, ARecordLargerThanASegmentHasOneOfItsOwn) {
  options_.segment_bytes = 10'000;
  const auto writer = Open();
  Append(*writer, {"small"});
  const std::string large(100'000, 'y');
  Append(*writer, {large});
  Append(*writer, {"small again"});
  EXPECT_THAT(Segments(), testing::ElementsAre(1, 2, 3));
  const auto reader = OpenReader();
  EXPECT_EQ(Data(*reader, 2), large);
  EXPECT_EQ(Data(*reader, 3), "small again");
}

TEST_F(LogTest, AnEmptyBatchIsRefused) {
  const auto writer = Open();
  const auto appended = writer->Append(std::span<const std::string_view>());
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(LogTest, ManyThreadsAppendAndShareTheirSyncs) {
  options_.sync = SyncPolicy::kAlways;
  const auto writer = Open();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&writer] {
      for (int i = 0; i < 50; ++i) {
        const auto number = writer->Append("from a thread");
        ASSERT_TRUE(number);
        ASSERT_GE(writer->synced(), *number);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(writer->committed(), 200U);
  const auto reader = OpenReader();
  for (uint64_t i = 1; i <= 200; ++i) EXPECT_EQ(Data(*reader, i), "from a thread");
}

TEST_F(LogTest, EnoughBytesAreSyncedWithoutBeingAsked) {
  options_.sync_interval = std::chrono::hours(1);
  options_.sync_bytes = 1;
  const auto writer = Open();
  Append(*writer, {"x"});
  while (writer->synced() < 1) std::this_thread::yield();
}

TEST_F(LogTest, DamageToWhatWasSafeIsAnErrorThatChangesNothing) {
  {
    const auto writer = Open();
    Append(*writer, {"one"});
    Append(*writer, {"two"});
  }
  const std::string path = options_.directory + "/" + SegmentName(options_.prefix, 1);
  std::string bytes = *io::ReadWholeFile(files_, path, 1 << 20);
  bytes[bytes.find("two")] = 'T';
  auto file = files_.Create(path);
  ASSERT_TRUE((*file)->Write(bytes));
  ASSERT_TRUE((*file)->Close());
  const auto writer = Writer::Open(files_, options_);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(writer.error().message(), HasSubstr("record 2 was on the disk"));
  EXPECT_EQ(*io::ReadWholeFile(files_, path, 1 << 20), bytes);
}

TEST_F(LogTest, SegmentsWithoutTheNumbersFileAreDamage) {
  Append(*Open(), {"one"});
  ASSERT_TRUE(files_.Remove(options_.directory + "/" + NumbersName(options_.prefix)));
  const auto writer = Writer::Open(files_, options_);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(writer.error().message(), HasSubstr("log.numbers is missing"));
}

}  // namespace
}  // namespace larder::log

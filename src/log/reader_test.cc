// Reading a log: before it is there, while others append and remove, and when the files fail.
#include "log/reader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/file_system.h"
#include "io/test_directory.h"
#include "log/control.h"
#include "log/segment_scan.h"
#include "log/small_files.h"
#include "log/touched_windows.h"
#include "log/writer.h"

namespace larder::log {
namespace {

using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kNoDeadline = steady_clock::time_point::max();

template <typename T>
T Must(Result<T> result) {
  EXPECT_TRUE(result) << result.error().message();
  return *std::move(result);
}

ErrorCode CodeOf(const auto& result) {
  EXPECT_FALSE(result);
  return result ? ErrorCode::kInternal : result.error().code();
}

// The real files, of which a test may make a call fail, or do something before it.
class HookedFiles final : public io::FileSystem {
 public:
  // Asked before Map and List; an error is the call's.
  std::function<std::optional<Error>(const std::string& path)> before;

  Result<std::unique_ptr<io::ReadableFile>> OpenForRead(const std::string& path) override {
    return real_.OpenForRead(path);
  }
  Result<std::unique_ptr<io::WritableFile>> Create(const std::string& path) override {
    return real_.Create(path);
  }
  Result<std::unique_ptr<io::AllocatedFile>> CreateAllocated(const std::string& path) override {
    return real_.CreateAllocated(path);
  }
  Result<std::unique_ptr<io::AllocatedFile>> OpenAllocated(const std::string& path) override {
    return real_.OpenAllocated(path);
  }
  Result<std::unique_ptr<io::SharedMemory>> OpenShared(const std::string& path,
                                                       uint64_t bytes) override {
    return real_.OpenShared(path, bytes);
  }
  Result<std::unique_ptr<io::Mapping>> Map(const std::string& path) override {
    LARDER_TRY(Ask(path));
    return real_.Map(path);
  }
  Result<io::FileInfo> Stat(const std::string& path) override { return real_.Stat(path); }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    LARDER_TRY(Ask(directory));
    return real_.List(directory);
  }
  Result<void> MakeDirectories(const std::string& path) override {
    return real_.MakeDirectories(path);
  }
  Result<void> Remove(const std::string& path) override { return real_.Remove(path); }
  Result<void> SyncDirectory(const std::string& directory) override {
    return real_.SyncDirectory(directory);
  }
  std::string BootId() const override { return real_.BootId(); }
  Result<std::unique_ptr<io::FileLock>> Lock(const std::string& path) override {
    return real_.Lock(path);
  }
  Result<std::unique_ptr<io::FileLock>> LockShared(const std::string& path) override {
    return real_.LockShared(path);
  }
  Result<std::unique_ptr<io::TurnLock>> OpenTurnLock(const std::string& path) override {
    return real_.OpenTurnLock(path);
  }

 private:
  Result<void> Ask(const std::string& path) const {
    if (!before) return {};
    const auto error = before(path);
    return error ? Result<void>(std::unexpected(*error)) : Result<void>();
  }
  Result<void> Rename(const std::string& from, const std::string& /*to*/) override {
    return Fail(ErrorCode::kUnsupported, "a reader does not rename " + from);
  }

  io::FileSystem& real_ = io::RealFileSystem();
};

class LogReader : public testing::Test {
 protected:
  LogReader() {
    options_.directory = directory_ / "log";
    options_.sync = SyncPolicy::kNever;
    options_.segment_records = 2;
  }

  std::unique_ptr<Writer> OpenWriter() { return Must(Writer::Open(files_, options_)); }
  std::unique_ptr<Reader> OpenReader(uint64_t max_resident_bytes = 0) {
    return Must(Reader::Open(reader_files_, {.directory = options_.directory,
                                             .max_resident_bytes = max_resident_bytes}));
  }
  // Records that tell their numbers.
  static void Append(Writer& writer, uint64_t records) {
    for (uint64_t i = 0; i < records; ++i)
      Must(writer.Append(std::to_string(writer.committed() + 1)));
  }
  static std::string Data(Reader& reader, uint64_t number) {
    const auto record = reader.Read(number);
    return record ? std::string(record->data) : record.error().message();
  }
  std::string Path(const std::string& name) const { return options_.directory + "/" + name; }
  std::string SegmentPath(uint64_t first) const { return Path(SegmentName("log", first)); }
  std::string IndexPath(uint64_t first) const { return Path(IndexName("log", first)); }

  // Returns when a thread is about to sleep, or sleeps.
  void AwaitSleeper() {
    const auto memory = Must(files_.OpenShared(Path(ControlName("log")), kControlBytes));
    const std::atomic_ref<uint32_t> sleepers(
        *reinterpret_cast<uint32_t*>(memory->data() + control_at::kSleepers));
    while (sleepers.load() == 0) std::this_thread::yield();
  }

  io::TestDirectory directory_;
  io::FileSystem& files_ = io::RealFileSystem();
  HookedFiles reader_files_;
  Options options_;
};

TEST_F(LogReader, ALogThatIsNotThereIsEmptyUntilItIs) {
  const auto reader = OpenReader();
  EXPECT_EQ(reader->committed(), 0U);
  EXPECT_EQ(reader->oldest(), 1U);
  EXPECT_EQ(CodeOf(reader->Read(1)), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(reader->ReadFrom(1)), ErrorCode::kNotFound);
  EXPECT_TRUE(Must(reader->Segments()).empty());
  EXPECT_FALSE(Must(reader->WaitAbove(0, steady_clock::now())));
  const auto writer = OpenWriter();
  EXPECT_EQ(reader->committed(), 0U);
  Append(*writer, 3);
  EXPECT_EQ(reader->committed(), 3U);
  EXPECT_EQ(Data(*reader, 3), "3");
  EXPECT_TRUE(Must(reader->WaitAbove(2, steady_clock::now())));
}

TEST_F(LogReader, AnEmptyLogHasNoSegments) {
  const auto writer = OpenWriter();
  const auto reader = OpenReader();
  EXPECT_EQ(reader->committed(), 0U);
  EXPECT_EQ(reader->oldest(), 1U);
  EXPECT_TRUE(Must(reader->Segments()).empty());
}

TEST_F(LogReader, ASleepingReaderIsWokenByTheFirstRecordOfANewLog) {
  const auto reader = OpenReader();
  std::thread sleeper([&] { EXPECT_TRUE(Must(reader->WaitAbove(0, kNoDeadline))); });
  AwaitSleeper();
  const auto writer = OpenWriter();
  AwaitSleeper();
  Append(*writer, 1);
  sleeper.join();
  EXPECT_EQ(Data(*reader, 1), "1");
}

TEST_F(LogReader, ManySleepersAreWokenEachByItsRecord) {
  const auto writer = OpenWriter();
  const auto reader = OpenReader();
  std::vector<std::thread> sleepers;
  sleepers.reserve(4);
  for (uint64_t number = 0; number < 4; ++number) {
    sleepers.emplace_back(
        [&, number] { EXPECT_TRUE(Must(reader->WaitAbove(number, kNoDeadline))); });
  }
  for (int i = 0; i < 4; ++i) {
    AwaitSleeper();
    // Nobody waits for the mutex of who sleeps.
    EXPECT_EQ(reader->committed(), writer->committed());
    Append(*writer, 1);
    sleepers[static_cast<size_t>(i)].join();
  }
}

TEST_F(LogReader, ASpinningReaderSeesARecordWithoutSleeping) {
  const auto writer = OpenWriter();
  const auto reader = OpenReader();
  std::thread appender([&] { Append(*writer, 1); });
  EXPECT_TRUE(Must(reader->WaitAbove(0, kNoDeadline, std::chrono::hours(1))));
  appender.join();
  const auto memory = Must(files_.OpenShared(Path(ControlName("log")), kControlBytes));
  EXPECT_EQ(LoadLe<uint32_t>(memory->data() + control_at::kSleepers), 0U);
}

TEST_F(LogReader, ASpinningReaderSeesANewLog) {
  const auto reader = OpenReader();
  std::thread appender([&] { Append(*OpenWriter(), 1); });
  EXPECT_TRUE(Must(reader->WaitAbove(0, kNoDeadline, std::chrono::hours(1))));
  appender.join();
}

TEST_F(LogReader, AWaitEndsAtItsDeadline) {
  const auto writer = OpenWriter();
  const auto reader = OpenReader();
  const auto deadline = steady_clock::now() + std::chrono::milliseconds(2);
  EXPECT_FALSE(Must(reader->WaitAbove(0, deadline)));
  EXPECT_GE(steady_clock::now(), deadline);
  EXPECT_FALSE(Must(reader->WaitAbove(0, steady_clock::now() + std::chrono::milliseconds(1),
                                      std::chrono::hours(1))));
}

TEST_F(LogReader, AnInterruptEndsTheWaitsOfItsReader) {
  const auto writer = OpenWriter();
  const auto reader = OpenReader();
  std::thread sleeper([&] { EXPECT_FALSE(Must(reader->WaitAbove(0, kNoDeadline))); });
  AwaitSleeper();
  reader->Interrupt();
  sleeper.join();
  EXPECT_FALSE(Must(reader->WaitAbove(0, kNoDeadline)));
  EXPECT_FALSE(Must(reader->WaitAbove(0, kNoDeadline, std::chrono::hours(1))));
  Append(*writer, 1);
  EXPECT_TRUE(Must(reader->WaitAbove(0, kNoDeadline)));
}

TEST_F(LogReader, ANudgeWakesWhoHasPrepared) {
  const auto writer = OpenWriter();
  const auto waiting = OpenReader();
  const auto other = OpenReader();
  const uint32_t early = Must(waiting->PrepareToWait());
  ASSERT_TRUE(other->Nudge());
  ASSERT_TRUE(waiting->Wait(early, kNoDeadline));
  std::thread sleeper([&] {
    const uint32_t prepared = Must(waiting->PrepareToWait());
    ASSERT_TRUE(waiting->Wait(prepared, kNoDeadline));
  });
  AwaitSleeper();
  ASSERT_TRUE(other->Nudge());
  sleeper.join();
}

TEST_F(LogReader, DoesNotWaitForRecordsThatAreRemoved) {
  const auto writer = OpenWriter();
  Append(*writer, 1);
  ASSERT_TRUE(writer->Rotate());
  const auto reader = OpenReader();
  EXPECT_TRUE(Must(reader->WaitAbove(0, steady_clock::now())));
  ASSERT_TRUE(reader->RemoveSegment(1));
  EXPECT_EQ(reader->committed(), 1U);
  EXPECT_EQ(reader->oldest(), 2U);
  EXPECT_FALSE(Must(reader->WaitAbove(0, steady_clock::now())));
  Append(*writer, 1);
  EXPECT_TRUE(Must(reader->WaitAbove(0, steady_clock::now())));
}

TEST_F(LogReader, TellsOfEachSegmentWithoutItsData) {
  const auto writer = OpenWriter();
  Append(*writer, 5);
  reader_files_.before = [](const std::string& path) -> std::optional<Error> {
    if (!path.ends_with(kSegmentSuffix)) return std::nullopt;
    return Error(ErrorCode::kIoError, "data were read");
  };
  const auto reader = OpenReader();
  const auto segments = Must(reader->Segments());
  ASSERT_EQ(segments.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    const uint64_t first = 2 * i + 1;
    EXPECT_EQ(segments[i].first_number, first);
    EXPECT_EQ(segments[i].records, i < 2 ? 2U : 1U);
    EXPECT_EQ(segments[i].last_number(), i < 2 ? first + 1 : 5);
    EXPECT_EQ(segments[i].bytes,
              files_.Stat(SegmentPath(first))->bytes + files_.Stat(IndexPath(first))->bytes);
    const std::string bytes = Must(io::ReadWholeFile(files_, SegmentPath(first), 1 << 20));
    EXPECT_EQ(segments[i].made_at_ms, ReadSegmentHead(bytes, "")->made_at_ms);
  }
  // The last one goes on, and is sealed.
  Append(*writer, 2);
  const auto later = Must(reader->Segments());
  ASSERT_EQ(later.size(), 4U);
  EXPECT_EQ(later[2].records, 2U);
  EXPECT_EQ(later[2].bytes, files_.Stat(SegmentPath(5))->bytes + files_.Stat(IndexPath(5))->bytes);
  EXPECT_EQ(later[3].records, 1U);
}

TEST_F(LogReader, SharesWhatIsSealedUntilTheSegmentsChange) {
  const auto writer = OpenWriter();
  Append(*writer, 5);
  const auto reader = OpenReader();
  const SegmentList before = Must(reader->ListSegments());
  EXPECT_EQ(before.sealed->size(), 2U);
  EXPECT_EQ(before.last->records, 1U);
  Append(*writer, 1);
  const SegmentList grown = Must(reader->ListSegments());
  EXPECT_EQ(grown.sealed, before.sealed);
  EXPECT_EQ(Must(reader->SealedSegments()), before.sealed);
  EXPECT_EQ(grown.last->records, 2U);
  Append(*writer, 1);
  EXPECT_EQ(Must(reader->SealedSegments())->size(), 3U);
  ASSERT_TRUE(OpenReader()->RemoveSegment(1));
  EXPECT_EQ(Must(reader->SealedSegments())->size(), 2U);
  EXPECT_EQ(Must(reader->Segments()).front().first_number, 3U);
  EXPECT_EQ(before.sealed->size(), 2U);
}

TEST_F(LogReader, CountsTheRecordsOfASegmentWithoutAnIndexThatCanBe) {
  const auto writer = OpenWriter();
  Append(*writer, 7);
  ASSERT_TRUE(files_.Remove(IndexPath(1)));
  std::filesystem::resize_file(IndexPath(3), 64 + 7);
  std::filesystem::resize_file(IndexPath(5), 64 + 4 * 100);
  const auto reader = OpenReader();
  std::vector<uint64_t> records;
  for (const SegmentInfo& segment : Must(reader->Segments())) records.push_back(segment.records);
  EXPECT_THAT(records, ElementsAre(2, 2, 2, 1));
  for (uint64_t number = 1; number <= 7; ++number)
    EXPECT_EQ(Data(*reader, number), std::to_string(number));
}

TEST_F(LogReader, AnIndexThatEndsEarlyHidesNothing) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  std::filesystem::resize_file(IndexPath(1), 64 + 4);
  const auto reader = OpenReader();
  EXPECT_EQ(Data(*reader, 2), "2");
}

TEST_F(LogReader, CountsBesideAGapToo) {
  const auto writer = OpenWriter();
  Append(*writer, 7);
  const auto reader = OpenReader();
  ASSERT_TRUE(reader->RemoveSegment(3));
  std::vector<uint64_t> firsts;
  for (const SegmentInfo& segment : Must(reader->Segments())) {
    firsts.push_back(segment.first_number);
    EXPECT_EQ(segment.records, segment.first_number == 7 ? 1U : 2U);
  }
  EXPECT_THAT(firsts, ElementsAre(1, 5, 7));
}

TEST_F(LogReader, ARemovedSegmentIsGoneForEveryReader) {
  const auto writer = OpenWriter();
  Append(*writer, 7);
  const auto remover = OpenReader();
  const auto other = OpenReader();
  const auto held = Must(other->Read(3));
  ASSERT_TRUE(remover->RemoveSegment(3));
  EXPECT_THAT(Data(*other, 3), HasSubstr("there is no record 3"));
  EXPECT_THAT(Data(*remover, 4), HasSubstr("there is no record 4"));
  EXPECT_EQ(held.data, "3");
  EXPECT_EQ(Must(other->ReadFrom(3)).number, 5U);
  EXPECT_EQ(other->oldest(), 1U);
  ASSERT_TRUE(remover->RemoveSegment(1));
  EXPECT_EQ(other->oldest(), 5U);
  EXPECT_FALSE(files_.Stat(SegmentPath(1)));
  EXPECT_FALSE(files_.Stat(IndexPath(1)));
}

TEST_F(LogReader, WhatIsGoneAlreadyCanBeRemoved) {
  const auto writer = OpenWriter();
  Append(*writer, 5);
  const auto reader = OpenReader();
  ASSERT_TRUE(files_.Remove(IndexPath(1)));
  EXPECT_TRUE(reader->RemoveSegment(1));
  EXPECT_FALSE(files_.Stat(SegmentPath(1)));
  EXPECT_TRUE(reader->RemoveSegment(1));
}

TEST_F(LogReader, TheLastSegmentCannotBeRemoved) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  const auto reader = OpenReader();
  EXPECT_EQ(CodeOf(reader->RemoveSegment(3)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(reader->RemoveSegment(4)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Data(*reader, 3), "3");
}

TEST_F(LogReader, TheLastSegmentStaysAlsoBesideOneThatWasNeverBegun) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  // As a crash in the middle of a rotation leaves it.
  std::ofstream(SegmentPath(5)) << std::string(100, '\0');
  const auto reader = OpenReader();
  EXPECT_EQ(CodeOf(reader->RemoveSegment(3)), ErrorCode::kInvalidArgument);
  EXPECT_EQ(Must(reader->Segments()).size(), 2U);
}

TEST_F(LogReader, ARemovalWakesWhoWaitsForRoom) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  const auto reader = OpenReader();
  const uint32_t prepared = Must(reader->PrepareToWait());
  ASSERT_TRUE(OpenReader()->RemoveSegment(1));
  ASSERT_TRUE(reader->Wait(prepared, kNoDeadline));
}

TEST_F(LogReader, ASegmentThatGoesBetweenListingAndMappingIsNotFound) {
  const auto writer = OpenWriter();
  Append(*writer, 5);
  const auto reader = OpenReader();
  reader_files_.before = [this](const std::string& path) -> std::optional<Error> {
    if (path == SegmentPath(3)) {
      // It is asked for more than once.
      [[maybe_unused]] const auto removed = files_.Remove(path);
    }
    return std::nullopt;
  };
  const auto gone = reader->Read(3);
  EXPECT_EQ(CodeOf(gone), ErrorCode::kNotFound);
  EXPECT_THAT(gone.error().message(), HasSubstr("there is no record 3"));
  EXPECT_EQ(Must(reader->ReadFrom(3)).number, 5U);
}

TEST_F(LogReader, AFailedMapIsAnErrorAndTheNextCallWorks) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  const auto reader = OpenReader();
  for (const std::string& failing : {SegmentPath(1), IndexPath(1)}) {
    reader_files_.before = [&](const std::string& path) -> std::optional<Error> {
      if (path != failing) return std::nullopt;
      return Error(ErrorCode::kIoError, "simulated");
    };
    EXPECT_EQ(CodeOf(reader->Read(1)), ErrorCode::kIoError) << failing;
    EXPECT_EQ(Data(*reader, 3), "3");
  }
  reader_files_.before = nullptr;
  EXPECT_EQ(Data(*reader, 1), "1");
}

TEST_F(LogReader, AFailedListIsAnErrorAndTheNextCallWorks) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  const auto reader = OpenReader();
  Append(*writer, 3);
  reader_files_.before = [this](const std::string& path) -> std::optional<Error> {
    if (path != options_.directory) return std::nullopt;
    return Error(ErrorCode::kIoError, "simulated");
  };
  EXPECT_EQ(CodeOf(reader->Read(1)), ErrorCode::kIoError);
  EXPECT_EQ(CodeOf(reader->Read(6)), ErrorCode::kIoError);
  EXPECT_EQ(CodeOf(reader->Segments()), ErrorCode::kIoError);
  EXPECT_EQ(CodeOf(reader->WaitAbove(9, kNoDeadline)), ErrorCode::kIoError);
  reader_files_.before = nullptr;
  EXPECT_EQ(Data(*reader, 6), "6");
  EXPECT_EQ(Data(*reader, 1), "1");
}

TEST_F(LogReader, GivesItsMappingsBackWhenTheProcessHasTooMany) {
  const auto writer = OpenWriter();
  Append(*writer, 5);
  const auto reader = OpenReader();
  EXPECT_EQ(Data(*reader, 1), "1");
  const auto held = Must(reader->Read(2));
  int refused = 0;
  reader_files_.before = [&](const std::string& path) -> std::optional<Error> {
    if (path != IndexPath(3) || ++refused != 1) return std::nullopt;
    return Error(ErrorCode::kLimit, "too many mappings");
  };
  EXPECT_EQ(Data(*reader, 3), "3");
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(held.data, "2");
  EXPECT_EQ(Data(*reader, 1), "1");
}

TEST_F(LogReader, TellsWhichRecordsAreMarked) {
  const auto writer = OpenWriter();
  const std::string_view record = "marked";
  Must(writer->Append("plain"));
  Must(writer->Append({&record, 1}, RecordKind::kMarked));
  const auto reader = OpenReader();
  EXPECT_EQ(Must(reader->Read(1)).kind, RecordKind::kPlain);
  EXPECT_EQ(Must(reader->Read(2)).kind, RecordKind::kMarked);
  EXPECT_EQ(Must(reader->Read(2)).data, "marked");
}

TEST_F(LogReader, ASegmentOfAnotherLogIsDamage) {
  const auto writer = OpenWriter();
  Append(*writer, 3);
  Options other = options_;
  other.directory = directory_ / "other";
  Append(*Must(Writer::Open(files_, other)), 3);
  std::filesystem::copy_file(other.directory + "/" + SegmentName("log", 1), SegmentPath(1),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(CodeOf(OpenReader()->Read(1)), ErrorCode::kCorrupt);
}

TEST_F(LogReader, SegmentsWithoutTheNumbersFileAreDamage) {
  Append(*OpenWriter(), 1);
  ASSERT_TRUE(files_.Remove(Path(NumbersName("log"))));
  EXPECT_EQ(CodeOf(Reader::Open(files_, {.directory = options_.directory})), ErrorCode::kCorrupt);
}

TEST_F(LogReader, ADamagedRecordIsNamed) {
  const auto writer = OpenWriter();
  Append(*writer, 1);
  {
    std::fstream file(SegmentPath(1), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kSegmentHeadBytes + kBatchHeadBytes + kRecordHeadBytes);
    file << 'X';
  }
  const auto read = OpenReader()->Read(1);
  EXPECT_EQ(CodeOf(read), ErrorCode::kCorrupt);
  EXPECT_THAT(read.error().message(), HasSubstr("record 1 at byte 4144"));
}

// A machine that has lost its control file: nobody tells what is committed.
TEST(LogReaderAlone, FindsWhatAPowerCutLeftAndChangesNothing) {
  io::FaultyFileSystem files(1);
  Options options{.directory = "/log", .sync = SyncPolicy::kNever, .segment_records = 2};
  {
    const auto writer = Must(Writer::Open(files, options));
    for (int i = 1; i <= 6; ++i) Must(writer->Append(std::to_string(i)));
    ASSERT_TRUE(writer->Sync());
    files.Crash();
  }
  files.Reboot(io::Survival::kSyncedOnly);
  const std::string last = "/log/" + SegmentName("log", 5);
  const auto before = files.Contents(last);
  const auto reader = Must(Reader::Open(files, {.directory = "/log"}));
  const auto other = Must(Reader::Open(files, {.directory = "/log"}));
  EXPECT_EQ(reader->committed(), 6U);
  EXPECT_EQ(Must(reader->Read(6)).data, "6");
  EXPECT_EQ(files.Contents(last), before);
  // Removals are told of without a writer, too.
  EXPECT_EQ(Must(other->Read(1)).data, "1");
  ASSERT_TRUE(reader->RemoveSegment(1));
  EXPECT_EQ(CodeOf(other->Read(1)), ErrorCode::kNotFound);
  EXPECT_EQ(other->committed(), 6U);
  const auto writer = Must(Writer::Open(files, options));
  const uint64_t next = Must(writer->Append("next"));
  EXPECT_EQ(Must(reader->Read(next)).data, "next");
  EXPECT_EQ(reader->committed(), next);
}

TEST(LogReaderAlone, AReadThatFailsAtAnyPointIsAnErrorAndTheNextCallWorks) {
  io::FaultyFileSystem files(1);
  const Options options{.directory = "/log", .sync = SyncPolicy::kNever, .segment_records = 2};
  {
    const auto writer = Must(Writer::Open(files, options));
    for (int i = 1; i <= 6; ++i) Must(writer->Append(std::to_string(i)));
    files.Crash();
  }
  files.Reboot(io::Survival::kEverything);
  ASSERT_TRUE(files.Remove("/log/" + ControlName("log")));
  uint64_t failed = 0;
  for (uint64_t n = 1; n <= 8; ++n) {
    files.FailRead(n);
    auto reader = Reader::Open(files, {.directory = "/log"});
    if (!reader) {
      ++failed;
      EXPECT_EQ(CodeOf(reader), ErrorCode::kIoError);
      reader = Reader::Open(files, {.directory = "/log"});
    }
    for (uint64_t number = 1; number <= 6; ++number) {
      auto record = (*reader)->Read(number);
      if (!record) {
        ++failed;
        EXPECT_EQ(CodeOf(record), ErrorCode::kIoError);
        record = (*reader)->Read(number);
      }
      EXPECT_EQ(Must(std::move(record)).data, std::to_string(number));
    }
    files.ClearFaults();
  }
  EXPECT_EQ(failed, 8U);
}

// What of the files in `directory` is in this process's memory.
uint64_t ResidentBytes(const std::string& directory) {
  std::ifstream maps("/proc/self/smaps");
  uint64_t kilobytes = 0;
  bool counts = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with("Rss:")) {
      if (counts) kilobytes += std::stoull(line.substr(4));
    } else if (line.find('-') < line.find(' ')) {
      counts = line.find(directory) != std::string::npos;
    }
  }
  return kilobytes << 10;
}

TEST_F(LogReader, KeepsLittleOfALargeLogInMemory) {
  constexpr uint64_t kRecords = 8192;
  constexpr uint64_t kBound = uint64_t{2} << 20;
  options_.segment_records = 1024;
  const std::string data(4000, 'd');
  {
    const auto writer = OpenWriter();
    const std::vector<std::string_view> batch(64, data);
    while (writer->committed() < kRecords) Must(writer->Append(batch));
  }
  const auto reader = OpenReader(kBound);
  std::vector<Record> held;  // of every segment
  uint64_t most = 0;
  for (uint64_t i = 1; i <= 2 * kRecords; ++i) {
    // First in order, then here and there.
    const uint64_t number = i <= kRecords ? i : 1 + i * 2654435761 % kRecords;
    auto record = Must(reader->Read(number));
    ASSERT_EQ(record.data.size(), data.size());
    if (i <= kRecords && i % 1024 == 500) held.push_back(std::move(record));
    if (i % 509 == 0) most = std::max(most, ResidentBytes(options_.directory));
  }
  EXPECT_LE(most, kBound + (uint64_t{512} << 10));
  EXPECT_GT(most, 0U);
  for (const Record& record : held) EXPECT_EQ(record.data, data);
  EXPECT_EQ(reader->Read(1)->data, data);
  // Without a bound all of it stays.
  const auto unbounded = OpenReader(0);
  for (uint64_t number = 1; number <= kRecords; ++number) Must(unbounded->Read(number));
  EXPECT_GT(ResidentBytes(options_.directory), kRecords * data.size());
}

TEST_F(LogReader, LooksThroughASegmentWithoutAnIndexWithLittleMemory) {
  constexpr uint64_t kBound = uint64_t{1} << 20;
  options_.segment_records = 0;
  const std::string data(4000, 'd');
  {
    const auto writer = OpenWriter();
    const std::vector<std::string_view> batch(64, data);
    while (writer->committed() < 4096) Must(writer->Append(batch));
  }
  ASSERT_TRUE(files_.Remove(IndexPath(1)));
  const auto reader = OpenReader(kBound);
  EXPECT_EQ(Must(reader->Read(4096)).data, data);
  EXPECT_LE(ResidentBytes(options_.directory), kBound);
}

TEST_F(LogReader, ReadsWaitsAndRemovesInManyThreads) {
  constexpr uint64_t kRecords = 600;
  options_.segment_records = 10;
  const auto writer = OpenWriter();
  const auto shared = OpenReader(uint64_t{64} << 10);
  const auto own = OpenReader();
  std::atomic<uint64_t> done = 0;  // what both have read
  std::atomic<int> following = 2;
  const auto follow_all = [&](Reader& reader) {
    for (uint64_t number = 1; number <= kRecords; ++number) {
      ASSERT_TRUE(Must(reader.WaitAbove(number - 1, kNoDeadline)));
      ASSERT_EQ(Data(reader, number), std::to_string(number));
      ++done;
    }
  };
  const auto follow = [&](Reader& reader) {
    follow_all(reader);
    --following;
  };
  std::thread first([&] { follow(*shared); });
  std::thread second([&] { follow(*own); });
  // Removes what both have read for certain.
  std::thread remover([&] {
    for (uint64_t segment = 1; segment + 20 < kRecords; segment += 10) {
      while (done < kRecords + segment + 9 && following != 0) std::this_thread::yield();
      ASSERT_TRUE(shared->RemoveSegment(segment));
      ASSERT_FALSE(own->Read(segment));
    }
  });
  Append(*writer, kRecords);
  first.join();
  second.join();
  remover.join();
  EXPECT_EQ(own->oldest(), 581U);
}

TEST(TouchedWindows, CountsEachWindowOnce) {
  const std::string buffer(10 * kWindowBytes, 'x');
  const std::string_view bytes = buffer;
  TouchedWindows touched(bytes);
  // To the end of the window that the bytes begin in.
  const uint64_t rest = kWindowBytes - reinterpret_cast<uintptr_t>(bytes.data()) % kWindowBytes;
  EXPECT_EQ(touched.Touch(bytes.substr(0, rest)), 1U);
  EXPECT_EQ(touched.Touch(bytes.substr(5, 0)), 0U);
  EXPECT_EQ(touched.Touch(bytes.substr(rest, 1)), 1U);
  EXPECT_EQ(touched.Touch(bytes.substr(rest - 1, kWindowBytes + 2)), 1U);
  EXPECT_EQ(touched.count(), 3U);
  const uint64_t added = touched.Touch(bytes);
  EXPECT_EQ(touched.count(), 3 + added);
  EXPECT_THAT(touched.count(), testing::AnyOf(10U, 11U));
  touched.Clear();
  EXPECT_EQ(touched.count(), 0U);
  EXPECT_EQ(touched.Touch(bytes.substr(bytes.size() - 1)), 1U);
}

}  // namespace
}  // namespace larder::log

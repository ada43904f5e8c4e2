// A Dataset under readers, in the background, and on the kernel's files.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread_priority.h"
#include "dataset/source_taker.h"
#include "dataset/test_dataset.h"
#include "io/test_directory.h"

namespace larder::dataset {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Far longer than anything takes: a wait that ends by it has failed.
constexpr std::chrono::seconds kLong{120};

// Reads in a thread of its own until stopped, and counts what must not be seen: words that are not
// those of the version's number, and numbers that go back.
class ReaderThread {
 public:
  explicit ReaderThread(TestDataset& test) : test_(test), thread_([this] { Run(); }) {}
  ~ReaderThread() { Stop(); }

  void Stop() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
  }
  uint64_t reads() const { return reads_.load(); }
  uint64_t faults() const { return faults_.load(); }

 private:
  void Run() {
    auto reader = test_.epochs().Register();
    uint64_t last = 0;
    while (!stop_.load()) {
      reader.Enter();
      const Version* const version = test_->Current();
      const bool good = WordOf(version) == fmt::format("word{}", version->number);
      if (!good || version->number < last) ++faults_;
      last = version->number;
      reader.Leave();
      ++reads_;
    }
  }

  TestDataset& test_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> reads_{0};
  std::atomic<uint64_t> faults_{0};
  std::thread thread_;
};

TEST(DatasetReaders, SeeOneVersionAtATimeAndNeverGoBack) {
  TestDataset test;
  test.Open();
  test.Load("word1");
  ReaderThread first(test);
  ReaderThread second(test);
  for (int i = 2; i <= 200; ++i) test.Load(fmt::format("word{}", i));
  first.Stop();
  second.Stop();
  EXPECT_EQ(test.Number(), 200U);
  EXPECT_GT(first.reads(), 0U);
  EXPECT_GT(second.reads(), 0U);
  EXPECT_EQ(first.faults() + second.faults(), 0U);
}

TEST(DatasetReaders, OneInTheMiddleOfABatchKeepsItsVersionUntilItLeaves) {
  TestDataset test;
  test.Open();
  test.Load("one");
  auto reader = test.epochs().Register();
  reader.Enter();
  const Version* const seen = test->Current();
  std::atomic<bool> switched{false};
  std::thread switching([&] {
    test.Load("two");
    switched.store(true);
  });
  // Once the pointer is replaced, the switch waits for this reader.
  while (test->Current() == seen) std::this_thread::yield();
  EXPECT_EQ(WordOf(seen), "one");
  EXPECT_FALSE(switched.load());
  reader.Leave();
  switching.join();
  EXPECT_TRUE(switched.load());
}

TEST(DatasetReaders, WhoIsInTheMiddleOfABatchCanAskForTheStatus) {
  TestDataset test;
  test.Open();
  test.Load("one");
  auto reader = test.epochs().Register();
  reader.Enter();
  std::thread switching([&] { test.Load("two"); });
  while (test.Number() != 2) std::this_thread::yield();
  EXPECT_EQ(test->Versions().size(), 2U);
  EXPECT_EQ(WordOf(test->PinCurrent().get()), "two");
  reader.Leave();
  switching.join();
}

TEST(DatasetWatching, TheFirstLookIsAtOnce) {
  TestDataset test;
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
  test->StopWatching();
  EXPECT_EQ(test.Word(), "one");
}

TEST(DatasetWatching, AChangedSourceIsTakenWithoutBeingTold) {
  TestDataset test;
  test.options().watch = std::chrono::milliseconds(1);
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  ASSERT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
  test.PutSource("two");
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 2; }, kLong));
  test->StopWatching();
  EXPECT_EQ(test.Word(), "two");
}

TEST(DatasetWatching, DamageIsNoticedWithoutReadersAndCompiledAnew) {
  TestDataset test;
  test.options().watch = std::chrono::milliseconds(1);
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  ASSERT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
  test.files().DamageMappings(test.PathOf(1));
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 2; }, kLong));
  test->StopWatching();
  EXPECT_EQ(test.Word(), "one");
  EXPECT_EQ(test->status().damaged, 1U);
}

TEST(DatasetWatching, ReportedDamageIsCompiledAnewBeforeTheNextLookIsDue) {
  TestDataset test;  // looks once an hour
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  ASSERT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
  test.files().DamageMappings(test.PathOf(1));
  ASSERT_TRUE(test->LeaveDamaged(1));
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 2; }, kLong));
}

TEST(DatasetWatching, ABitThatFlippedWhileDownIsFoundAndCompiledAnew) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.Load("two");
  test.Close();
  std::string bytes = test.files().Contents(test.PathOf(2)).value_or("");
  const size_t at = bytes.find("two");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  test.files().PutFile(test.PathOf(2), bytes);
  test.Open();
  ASSERT_EQ(test.Number(), 2U) << "opening reads no records";
  test->StartWatching();
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 3; }, kLong));
  test->StopWatching();
  EXPECT_EQ(test.Word(), "two");
  EXPECT_EQ(test->status().damaged, 1U);
}

TEST(DatasetWatching, StopDuringACompileEnds) {
  TestDataset test;
  std::atomic<bool> compiling{false};
  test.options().progress = [&](std::string_view, double) {
    compiling.store(true);
    compiling.notify_all();
  };
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  compiling.wait(false);
  test->StopWatching();
  EXPECT_FALSE(test->status().compiling);
  // Whether it was cancelled or just done: it can be taken up again.
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "one");
}

TEST(DatasetPriority, OnlyACompileBesideReadersIsLowered) {
  TestDataset test;
  std::vector<int> priorities;
  test.options().progress = [&](std::string_view, double) {
    priorities.push_back(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())));
  };
  test.Open();
  const int normal = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  test.Load("one");
  EXPECT_THAT(priorities, AllOf(Not(IsEmpty()), Each(normal))) << "nobody is served yet";
  priorities.clear();
  test.Load("two");
  EXPECT_THAT(priorities, AllOf(Not(IsEmpty()), Each(kLowPriorityNice)));
}

TEST(SourceTaker, ACancelledChecksumIsTakenUpAgainToo) {
  TestDataset test;
  test.PutSource("one");
  CurrentOptions options(TestOptions());
  StatusBoard board(*options.Get());
  std::atomic<const Version*> served{nullptr};
  auto directory = VersionDirectory::Open(test.files(), options.Get()->directory);
  ASSERT_TRUE(directory) << directory.error().message();
  VersionSwitch versions(options, test.epochs(), board, *std::move(directory));
  versions.Begin(served);
  SourceTaker source(test.files(), options, versions, board);
  source.Cancel();
  const auto report = source.Look(false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
  EXPECT_THAT(report.error().message(), HasSubstr("checksum"));
  source.Resume();
  ASSERT_TRUE(source.Look(false));
  EXPECT_EQ(WordOf(served.load()), "one");
}

TEST(SourceTaker, ACancelledCompileLeavesNothingAndIsTakenUpAgain) {
  TestDataset test;
  test.PutSource("one");
  SourceTaker* taker = nullptr;
  Options cancelling = TestOptions();
  cancelling.progress = [&](std::string_view, double) {
    if (taker != nullptr) std::exchange(taker, nullptr)->Cancel();
  };
  CurrentOptions options(cancelling);
  StatusBoard board(*options.Get());
  std::atomic<const Version*> served{nullptr};
  auto directory = VersionDirectory::Open(test.files(), options.Get()->directory);
  ASSERT_TRUE(directory) << directory.error().message();
  VersionSwitch versions(options, test.epochs(), board, *std::move(directory));
  versions.Begin(served);
  SourceTaker source(test.files(), options, versions, board);
  taker = &source;

  const auto report = source.Look(false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(served.load(), nullptr);
  EXPECT_EQ(board.status().last_error, "") << "nobody has to do anything about it";
  EXPECT_FALSE(test.HasVersionFile(1));

  options.Set(TestOptions());
  source.Resume();
  ASSERT_TRUE(source.Look(false));
  EXPECT_EQ(WordOf(served.load()), "one");
}

// The same on the kernel's files.
class RealDataset : public ::testing::Test {
 protected:
  RealDataset() {
    SetLogLevel(LogLevel::kOff);
    options_ = TestOptions();
    options_.source = directory_ / "features.jsonl";
    options_.directory = directory_ / "var/features";
  }

  void Open() {
    dataset_.reset();
    auto opened = Dataset::Open(files_, epochs_, options_);
    ASSERT_TRUE(opened) << opened.error().message();
    dataset_ = *std::move(opened);
  }
  void Load(const std::string& word) {
    ASSERT_TRUE(io::PublishFile(files_, SourceOf(word), options_.source));
    const auto report = dataset_->Refresh(true);
    ASSERT_TRUE(report) << report.error().message();
  }
  std::string PathOf(uint64_t number) const {
    return options_.directory + "/" + VersionFileName(number);
  }

  static size_t OpenDescriptors() {
    const std::filesystem::directory_iterator descriptors("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors)));
  }
  // Mappings of files in this test's directory.
  size_t Mappings() const {
    std::ifstream maps("/proc/self/maps");
    size_t count = 0;
    for (std::string line; std::getline(maps, line);) {
      count += line.find(directory_.path()) == std::string::npos ? 0 : 1;
    }
    return count;
  }

  // In memory where there is such a place: hundreds of syncs of a disk take seconds.
  static std::string Parent() {
    return std::filesystem::is_directory("/dev/shm") ? "/dev/shm/" : ::testing::TempDir();
  }

  io::TestDirectory directory_{Parent()};
  io::FileSystem& files_ = io::RealFileSystem();
  EpochDomain epochs_;
  Options options_;
  std::unique_ptr<Dataset> dataset_;
};

TEST_F(RealDataset, TwoHundredRefreshesLeakNothing) {
  Open();
  Load("word0");
  const size_t descriptors = OpenDescriptors();
  ASSERT_EQ(Mappings(), 1U);
  for (int i = 1; i <= 200; ++i) Load(fmt::format("word{}", i));
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_EQ(Mappings(), 1U);
  EXPECT_EQ(WordOf(dataset_->Current()), "word200");
  // The lock, STATE, and the versions that are kept.
  const std::filesystem::directory_iterator files(options_.directory);
  EXPECT_EQ(std::distance(begin(files), end(files)), 2 + options_.keep);
}

TEST_F(RealDataset, AVersionTruncatedBehindItsBackIsLeft) {
  Open();
  Load("one");
  Load("two");
  std::filesystem::resize_file(PathOf(2), 0);
  EXPECT_NE(WordOf(dataset_->Current()), "two") << "its pages are gone";
  ASSERT_TRUE(dataset_->Current()->snapshot->damaged());
  const auto report = dataset_->LeaveDamaged(2);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(WordOf(dataset_->Current()), "one");
  ASSERT_TRUE(dataset_->Refresh(false));
  EXPECT_EQ(WordOf(dataset_->Current()), "two");
  EXPECT_EQ(dataset_->status().current, 3U);
}

TEST_F(RealDataset, AFileCutInsideAPageIsNoticedThoughNoSignalTells) {
  Open();
  Load("one");
  dataset_->StartWatching();
  ASSERT_TRUE(dataset_->WaitFor([](const Status& now) { return now.last_check_ms > 0; }, kLong));
  std::filesystem::resize_file(PathOf(1), std::filesystem::file_size(PathOf(1)) - 1);
  EXPECT_TRUE(dataset_->WaitFor([](const Status& now) { return now.current == 2; }, kLong))
      << "left, and compiled anew from its source";
  dataset_->StopWatching();
  EXPECT_EQ(dataset_->status().damaged, 1U);
  EXPECT_EQ(WordOf(dataset_->Current()), "one");
}

TEST_F(RealDataset, ARestartServesWhatWasServed) {
  Open();
  Load("one");
  Load("two");
  ASSERT_TRUE(dataset_->Rollback(std::nullopt));
  Open();
  EXPECT_EQ(WordOf(dataset_->Current()), "one");
  EXPECT_TRUE(dataset_->status().pinned);
}

TEST_F(RealDataset, ADirectoryInAReadOnlyPlaceIsAClearError) {
  options_.directory = "/proc/larder/features";
  const auto opened = Dataset::Open(files_, epochs_, options_);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("/proc/larder"));
}

}  // namespace
}  // namespace larder::dataset

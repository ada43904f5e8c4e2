// Options that change while a Dataset serves.
#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

using ::testing::HasSubstr;

// Far longer than anything takes: a wait that ends by it has failed.
constexpr std::chrono::seconds kLong{120};
constexpr const char* kOtherSource = "/in/other.jsonl";

Options WithSource(Options options, const std::string& source) {
  options.source = source;
  return options;
}

TEST(DatasetReconfigure, AnotherSourceIsTakenAtTheNextLook) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.files().PutFile(kOtherSource, SourceOf("other"));
  test->Reconfigure(WithSource(test.options(), kOtherSource));
  EXPECT_EQ(test.Word(), "one") << "what is served is served on";
  EXPECT_EQ(test->status().source, kOtherSource);
  EXPECT_EQ(test->options()->source, kOtherSource);
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(test.Word(), "other");
}

TEST(DatasetReconfigure, TheDirectoryStays) {
  TestDataset test;
  test.Open();
  Options options = test.options();
  options.directory = "/elsewhere";
  options.keep = 1;
  test->Reconfigure(options);
  EXPECT_EQ(test->options()->directory, test.options().directory);
  EXPECT_EQ(test->options()->keep, 1U);
  test.Load("one");
  EXPECT_TRUE(test.HasVersionFile(1));
  test.Load("two");
  EXPECT_FALSE(test.HasVersionFile(1)) << "only one is kept now";
}

TEST(DatasetReconfigure, WhoHasReadTheOldOptionsKeepsThem) {
  TestDataset test;
  test.Open();
  const auto before = test->options();
  test->Reconfigure(WithSource(test.options(), kOtherSource));
  EXPECT_EQ(before->source, test.options().source);
}

TEST(DatasetReconfigure, WhatWasWrongWithTheOldSourceIsForgotten) {
  TestDataset test;
  test.Open();
  test.files().PutFile(test.options().source, "{");
  EXPECT_FALSE(test->Refresh(false));
  EXPECT_THAT(test->status().last_error, HasSubstr(test.options().source));
  test->Reconfigure(WithSource(test.options(), ""));
  EXPECT_EQ(test->status().last_error, "");
  EXPECT_TRUE(test->Refresh(false));
  EXPECT_EQ(test->status().last_error, "");
}

TEST(DatasetReconfigure, OtherImportOptionsCompileTheSourceAnew) {
  TestDataset test;
  test.Open();
  test.Load("one");
  Options options = test.options();
  options.separator = std::nullopt;
  test->Reconfigure(options);
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(report->current, 2U);
}

TEST(DatasetReconfigure, ALookUnderWayEndsFirst) {
  TestDataset test;
  std::atomic<bool> compiling{false};
  test.options().progress = [&](std::string_view, double) {
    compiling.store(true);
    compiling.notify_all();
  };
  test.PutSource("one");
  test.files().PutFile(kOtherSource, SourceOf("other"));
  test.Open();
  std::thread looking([&] {
    const auto report = test->Refresh(true);
    EXPECT_TRUE(report || report.error().code() == ErrorCode::kCancelled);
  });
  compiling.wait(false);
  Options options = WithSource(test.options(), kOtherSource);
  options.progress = {};
  test->Reconfigure(options);
  EXPECT_FALSE(test->status().compiling);
  looking.join();
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "other");
}

TEST(DatasetReconfigure, AnotherIntervalIsInForceAtOnce) {
  TestDataset test;  // looks once an hour
  test.PutSource("one");
  test.Open();
  test->StartWatching();
  ASSERT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
  Options options = test.options();
  options.watch = std::chrono::milliseconds(1);
  test->Reconfigure(options);
  for (const auto& [word, number] : {std::pair{"two", 2U}, std::pair{"three", 3U}}) {
    test.PutSource(word);
    EXPECT_TRUE(test->WaitFor(
        [expected = number](const Status& status) { return status.current == expected; }, kLong));
  }
  test->StopWatching();
  EXPECT_EQ(test.Word(), "three");
}

TEST(DatasetReconfigure, OneThatDoesNotWatchDoesNotBeginTo) {
  TestDataset test;
  test.PutSource("one");
  test.Open();
  test->Reconfigure(test.options());
  EXPECT_EQ(test->status().last_check_ms, 0);
  test->StartWatching();
  EXPECT_TRUE(test->WaitFor([](const Status& status) { return status.current == 1; }, kLong));
}

TEST(DatasetReconfigure, ManyTimesWhileItWatchesAndIsRead) {
  TestDataset test;
  test.options().watch = std::chrono::milliseconds(1);
  test.PutSource("one");
  test.files().PutFile(kOtherSource, SourceOf("other"));
  test.Open();
  ASSERT_TRUE(test->Refresh(false));
  test->StartWatching();
  std::atomic<bool> done{false};
  std::atomic<uint64_t> faults{0};
  std::thread reading([&] {
    auto reader = test.epochs().Register();
    while (!done.load()) {
      reader.Enter();
      const std::string word = WordOf(test->Current());
      if (word != "one" && word != "other") ++faults;
      reader.Leave();
    }
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        test->Reconfigure(WithSource(test.options(), i % 2 == 0 ? kOtherSource : "/in/none"));
        std::ignore = test->Refresh(i % 3 == 0);
        if (test->options()->name != "features") ++faults;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  test->Reconfigure(WithSource(test.options(), kOtherSource));
  EXPECT_TRUE(test->Refresh(true));
  test->StopWatching();
  done.store(true);
  reading.join();
  EXPECT_EQ(faults.load(), 0U);
  EXPECT_EQ(test.Word(), "other");
}

TEST(DatasetReconfigure, StopEndsACompileWhateverIsReconfigured) {
  for (int round = 0; round < 20; ++round) {
    TestDataset test;
    test.options().watch = std::chrono::milliseconds(1);
    test.PutSource("one");
    test.Open();
    test->StartWatching();
    std::thread changing([&] { test->Reconfigure(test.options()); });
    test->StopWatching();
    changing.join();
    ASSERT_TRUE(test->Refresh(true));
    EXPECT_EQ(test.Word(), "one");
  }
}

TEST(SameSettings, EverySettingCountsAndNoCallback) {
  const std::vector<std::function<void(Options&)>> changes = {
      [](Options& options) { options.name = "x"; },
      [](Options& options) { options.source = "x"; },
      [](Options& options) { options.directory = "x"; },
      [](Options& options) { options.keep = 9; },
      [](Options& options) { options.watch = std::chrono::milliseconds(9); },
      [](Options& options) { options.residency = Residency::kLocked; },
      [](Options& options) { options.import.key_field = "x"; },
      [](Options& options) { options.gate.min_records = 9; },
      [](Options& options) { options.probation.window = std::chrono::milliseconds(9); },
      [](Options& options) { options.duplicates = snapshot::Duplicates::kError; },
      [](Options& options) { options.separator = std::nullopt; },
      [](Options& options) { options.build_memory_bytes = 9; },
      [](Options& options) { options.threads = 9; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Options other = TestOptions();
    changes[i](other);
    EXPECT_FALSE(SameSettings(TestOptions(), other)) << "change " << i;
    EXPECT_TRUE(SameSettings(other, other));
  }
  Options other = TestOptions();
  other.progress = [](std::string_view, double) {};
  other.on_event = [](const Event&) {};
  EXPECT_TRUE(SameSettings(TestOptions(), other));
}

}  // namespace
}  // namespace larder::dataset

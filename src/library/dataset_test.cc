#include "larder/dataset.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/test_program.h"

namespace larder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(LibraryDatasetTest, ServesItsSourceOnceItIsCompiled) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  EXPECT_EQ(WordIn(dataset), "one");
  EXPECT_EQ(WordIn(dataset.Current()), "one");
  EXPECT_EQ(dataset.Current().version_number(), 1);
  EXPECT_EQ(dataset.Find(KeyOf(0))->snapshot().version_number(), 1);
  EXPECT_FALSE(dataset.Find("nobody"));
  EXPECT_EQ(dataset.status().records, kSourceRecords);
  EXPECT_EQ(dataset.options().source, program / "words.jsonl");
}

TEST(LibraryDatasetTest, WithoutAVersionEverythingIsMissing) {
  TestProgram program;
  const auto dataset = Dataset::Open(program.Options());
  ASSERT_TRUE(dataset) << dataset.error().message();
  EXPECT_FALSE(dataset->Current());
  EXPECT_FALSE(dataset->Find("a"));
  auto reader = dataset->NewReader();
  ASSERT_TRUE(reader);
  const auto guard = reader->Enter();
  EXPECT_EQ(guard.version_number(), 0);
  EXPECT_FALSE(guard.Find("a"));
  const std::vector<std::string_view> keys = {"a"};
  std::vector<std::optional<Value>> values(1, Value{});
  guard.FindMany(keys, values);
  EXPECT_FALSE(values[0]);
}

TEST(LibraryDatasetTest, WaitingForAVersionThatDoesNotComeSaysWhy) {
  TestProgram program;
  const auto dataset = Dataset::Open(program.Options());
  ASSERT_TRUE(dataset);
  ASSERT_TRUE(
      dataset->WaitFor([](const auto& status) { return !status.last_error.empty(); }, kLongEnough));
  const auto version = dataset->WaitForVersion(std::chrono::milliseconds(0));
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(version.error().message(), HasSubstr("words.jsonl"));
}

TEST(LibraryDatasetTest, DirectoryThatIsHeldIsBusy) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  const auto second = Dataset::Open(program.Options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
}

TEST(LibraryDatasetTest, LastHandleGivesTheDirectoryBack) {
  TestProgram program;
  program.PublishWord("one");
  std::optional<Dataset> first = program.Open();
  std::optional<Dataset> copy = *first;
  first.reset();
  EXPECT_FALSE(Dataset::Open(program.Options()));
  copy.reset();
  const auto again = Dataset::Open(program.Options());
  ASSERT_TRUE(again) << again.error().message();
  // What is on disk is served at once.
  EXPECT_EQ(WordIn(again->Current()), "one");
}

TEST(LibraryDatasetTest, RefreshTakesANewSource) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  const SwitchReport report = program.Load(dataset, "two");
  EXPECT_EQ(report.previous, 1);
  EXPECT_EQ(report.current, 2);
  EXPECT_TRUE(report.compiled);
  EXPECT_EQ(WordIn(dataset), "two");
  EXPECT_THAT(dataset.versions(), SizeIs(2));
}

TEST(LibraryDatasetTest, WatchingTakesANewSourceByItself) {
  TestProgram program;
  program.PublishWord("one");
  DatasetOptions options = program.Options();
  options.watch = std::chrono::milliseconds(1);
  const auto dataset = Dataset::Open(options);
  ASSERT_TRUE(dataset);
  ASSERT_TRUE(dataset->WaitForVersion(kLongEnough));
  program.PublishWord("two");
  ASSERT_TRUE(
      dataset->WaitFor([](const auto& status) { return status.current == 2; }, kLongEnough));
  EXPECT_EQ(WordIn(dataset->Current()), "two");
}

TEST(LibraryDatasetTest, SourceThatFailsLeavesTheVersionThatIsServed) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  program.Publish("words.jsonl", "{\"key\":\n");
  const auto refreshed = dataset.Refresh();
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(WordIn(dataset), "one");
  EXPECT_THAT(dataset.status().last_error, HasSubstr("words.jsonl:1"));
}

TEST(LibraryDatasetTest, SnapshotsAndValuesOutliveSwitchesAndTheDataset) {
  TestProgram program;
  program.PublishWord("one");
  std::optional<Dataset> dataset = program.Open();
  const Snapshot first = dataset->Current();
  const PinnedValue value = *dataset->Find(KeyOf(3));
  std::vector<std::string_view> keys = {"key/1", "key/2", "nobody"};
  std::vector<std::optional<Value>> values(3);
  const Snapshot many = dataset->FindMany(keys, values);
  // More versions than are kept on disk.
  for (const char* word : {"two", "three", "four", "five", "six"}) program.Load(*dataset, word);
  EXPECT_EQ(WordIn(*dataset), "six");
  dataset.reset();
  EXPECT_EQ(WordIn(first), "one");
  EXPECT_EQ(value.text(), "one");
  EXPECT_EQ(values[0]->text(), "one");
  EXPECT_EQ(values[1]->text(), "one");
  EXPECT_FALSE(values[2]);
  EXPECT_EQ(many.version_number(), 1);
}

TEST(LibraryDatasetTest, RollbackHoldsUntilUnpin) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  program.Load(dataset, "two");
  const auto back = dataset.Rollback();
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->current, 1);
  EXPECT_TRUE(back->pinned);
  EXPECT_EQ(WordIn(dataset), "one");
  program.Load(dataset, "three");
  EXPECT_EQ(WordIn(dataset), "one");
  ASSERT_TRUE(dataset.Unpin());
  EXPECT_EQ(WordIn(dataset), "three");
  ASSERT_TRUE(dataset.Pin(2));
  EXPECT_EQ(WordIn(dataset), "two");
  EXPECT_TRUE(dataset.status().pinned);
  const auto nowhere = dataset.Rollback(99);
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code(), ErrorCode::kNotFound);
}

TEST(LibraryDatasetTest, ReaderSeesOneVersionAsLongAsItsGuard) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  auto reader = dataset.NewReader();
  ASSERT_TRUE(reader);
  {
    const auto guard = reader->Enter();
    EXPECT_EQ(guard.version_number(), 1);
    EXPECT_EQ(WordIn(guard), "one");
    const auto nested = reader->Enter();
    EXPECT_EQ(WordIn(nested), "one");
    const std::vector<std::string_view> keys = {"key/0", "nobody"};
    std::vector<std::optional<Value>> values(2);
    guard.FindMany(keys, values);
    EXPECT_EQ(values[0]->text(), "one");
    EXPECT_FALSE(values[1]);
  }
  program.Load(dataset, "two");
  EXPECT_EQ(WordIn(reader->Enter()), "two");
}

TEST(LibraryDatasetTest, ReaderKeepsTheDatasetOpen) {
  TestProgram program;
  program.PublishWord("one");
  std::optional<Dataset> dataset = program.Open();
  std::optional<Reader> reader = *dataset->NewReader();
  dataset.reset();
  EXPECT_EQ(WordIn(reader->Enter()), "one");
  EXPECT_FALSE(Dataset::Open(program.Options()));
  reader.reset();
  EXPECT_TRUE(Dataset::Open(program.Options()));
}

TEST(LibraryDatasetTest, TooManyReadersAreRefusedAndGivenBack) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  std::vector<Reader> readers;
  for (int i = 0; i < 1024; ++i) {
    auto reader = dataset.NewReader();
    ASSERT_TRUE(reader) << i;
    readers.push_back(*std::move(reader));
  }
  const auto refused = dataset.NewReader();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kLimit);
  readers.pop_back();
  EXPECT_TRUE(dataset.NewReader());
}

TEST(LibraryDatasetTest, SwitchesAreTold) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  std::vector<std::string> told;
  const Subscription subscription = dataset.OnSwitch([&](const SwitchEvent& event) {
    // It may look around: readers have moved, and what it is told is current.
    told.push_back(std::to_string(event.previous) + ">" + std::to_string(event.current) + " " +
                   WordIn(event.snapshot) + " " + WordIn(dataset) + " " +
                   (event.cause == SwitchEvent::Cause::kRolledBack ? "back" : "on"));
  });
  EXPECT_THAT(told, IsEmpty());
  program.Load(dataset, "two");
  ASSERT_TRUE(dataset.Rollback());
  ASSERT_TRUE(dataset.Unpin());
  EXPECT_THAT(told, ElementsAre("1>2 two two on", "2>1 one one back", "1>2 two two on"));
}

TEST(LibraryDatasetTest, RefusedSourceIsNoSwitch) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  int told = 0;
  const Subscription subscription = dataset.OnSwitch([&](const SwitchEvent&) { ++told; });
  program.Publish("words.jsonl", "broken\n");
  EXPECT_FALSE(dataset.Refresh());
  EXPECT_TRUE(dataset.Pin(1));
  EXPECT_EQ(told, 0);
}

TEST(LibraryDatasetTest, EndedSubscriptionIsToldNothing) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  int first = 0;
  int second = 0;
  Subscription one = dataset.OnSwitch([&](const SwitchEvent&) { ++first; });
  Subscription other = dataset.OnSwitch([&](const SwitchEvent&) {
    ++second;
    other.End();  // from inside
  });
  program.Load(dataset, "two");
  program.Load(dataset, "three");
  EXPECT_EQ(first, 2);
  EXPECT_EQ(second, 1);
  one = Subscription();
  program.Load(dataset, "four");
  EXPECT_EQ(first, 2);
}

TEST(LibraryDatasetTest, CallbackThatAsksForAChangeIsRefused) {
  TestProgram program;
  program.PublishWord("one");
  const Dataset dataset = program.Open();
  std::vector<ErrorCode> codes;
  const auto note = [&codes](const Result<SwitchReport>& report) {
    if (!report) codes.push_back(report.error().code());
  };
  const Subscription subscription = dataset.OnSwitch([&](const SwitchEvent&) {
    note(dataset.Rollback());
    note(dataset.Pin(1));
    note(dataset.Unpin());
    note(dataset.Refresh());
    note(dataset.Accept());
  });
  program.Load(dataset, "two");
  EXPECT_THAT(codes, ElementsAre(ErrorCode::kBusy, ErrorCode::kBusy, ErrorCode::kBusy,
                                 ErrorCode::kBusy, ErrorCode::kBusy));
  EXPECT_EQ(WordIn(dataset), "two");
}

TEST(LibraryDatasetTest, OptionsThatMeanNothingAreRefused) {
  TestProgram program;
  DatasetOptions options = program.Options();
  options.watch = std::chrono::milliseconds(0);  // would look at its source without a pause
  const auto restless = Dataset::Open(options);
  ASSERT_FALSE(restless);
  EXPECT_EQ(restless.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(restless.error().message(), HasSubstr("watch is 0 ms"));
  for (const double share : {-0.1, std::nan("")}) {
    options = program.Options();
    options.gate.max_byte_shrink = share;
    const auto refused = Dataset::Open(options);
    ASSERT_FALSE(refused) << share;
    EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(refused.error().message(), HasSubstr("gate.max_byte_shrink"));
  }
}

TEST(LibraryDatasetTest, SubscriptionMayOutliveTheDataset) {
  TestProgram program;
  program.PublishWord("one");
  std::optional<Dataset> dataset = program.Open();
  const Subscription subscription = dataset->OnSwitch([](const SwitchEvent&) {});
  dataset.reset();
  EXPECT_TRUE(Dataset::Open(program.Options()));
}

TEST(LibraryDatasetTest, RefusedVersionIsTakenWhenAccepted) {
  TestProgram program;
  DatasetOptions options = program.Options();
  options.gate.required_keys = {{.key = "key/0", .type = std::nullopt}};
  program.PublishWord("one");
  const auto dataset = Dataset::Open(options);
  ASSERT_TRUE(dataset);
  ASSERT_TRUE(dataset->WaitForVersion(kLongEnough));
  EXPECT_EQ(dataset->Accept().error().code(), ErrorCode::kNotFound);
  program.Publish("words.jsonl", R"({"key":"other","type":"string","string_record":{"value":"v"}})"
                                 "\n");
  const auto refused = dataset->Refresh();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kRefused);
  EXPECT_THAT(dataset->status().verdict, HasSubstr("key/0"));
  EXPECT_EQ(WordIn(*dataset), "one");
  const auto accepted = dataset->Accept();
  ASSERT_TRUE(accepted) << accepted.error().message();
  EXPECT_TRUE(dataset->Find("other"));
}

}  // namespace
}  // namespace larder

#include "larder/build.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/test_program.h"

namespace larder {
namespace {

using ::testing::HasSubstr;

TEST(LibraryBuildTest, BuildsWhatASnapshotOpens) {
  TestProgram program;
  program.PublishWord("one");
  double last = -1;
  BuildOptions options;
  options.threads = 1;
  options.progress = [&last](std::string_view, double share) {
    last = share;
    return true;
  };
  const auto built = BuildSnapshot(program / "words.jsonl", program / "words.snap", options);
  ASSERT_TRUE(built) << built.error().message();
  EXPECT_EQ(built->records, kSourceRecords);
  EXPECT_GE(last, 0);
  const auto snapshot = Snapshot::Open(program / "words.snap");
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ(WordIn(*snapshot), "one");
}

TEST(LibraryBuildTest, ProgressCancels) {
  TestProgram program;
  program.PublishWord("one");
  BuildOptions options;
  options.progress = [](std::string_view, double) { return false; };
  const auto built = BuildSnapshot(program / "words.jsonl", program / "words.snap", options);
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), ErrorCode::kCancelled);
  EXPECT_FALSE(Snapshot::Open(program / "words.snap"));
}

TEST(LibraryBuildTest, ChecksumFileMustMatch) {
  TestProgram program;
  program.PublishWord("one");
  program.Publish("words.jsonl.sha256", std::string(64, 'a') + "\n");
  const auto built = BuildSnapshot(program / "words.jsonl", program / "words.snap");
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().code(), ErrorCode::kRefused);
  EXPECT_THAT(built.error().message(), HasSubstr(std::string(64, 'a')));
}

TEST(LibraryBuildTest, FailureLeavesTheOutputAsItWas) {
  TestProgram program;
  program.PublishWord("one");
  ASSERT_TRUE(BuildSnapshot(program / "words.jsonl", program / "words.snap"));
  program.Publish("words.jsonl", "broken\n");
  EXPECT_FALSE(BuildSnapshot(program / "words.jsonl", program / "words.snap"));
  EXPECT_EQ(WordIn(*Snapshot::Open(program / "words.snap")), "one");
}

TEST(LibraryBuildTest, DuplicatesFollowTheRule) {
  TestProgram program;
  const std::string line = R"({"key":"a","type":"string","string_record":{"value":")";
  program.Publish("twice.jsonl", line + "1\"}}\n" + line + "2\"}}\n");
  BuildOptions options;
  options.duplicates = Duplicates::kFirst;
  ASSERT_TRUE(BuildSnapshot(program / "twice.jsonl", program / "first.snap", options));
  EXPECT_EQ(Snapshot::Open(program / "first.snap")->record_count(), 1);
  const Snapshot first = *Snapshot::Open(program / "first.snap");
  EXPECT_EQ(first.Find("a")->text(), "1");
  options.duplicates = Duplicates::kError;
  const auto refused = BuildSnapshot(program / "twice.jsonl", program / "refused.snap", options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kRefused);
}

}  // namespace
}  // namespace larder

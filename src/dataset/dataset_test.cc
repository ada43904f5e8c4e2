// Taking sources: when, which, and what of a refused one is seen. Switches are in
// version_switch_test.cc, crashes in dataset_crash_test.cc.
#include "dataset/dataset.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string Md5Of(const std::string& bytes) {
  DigestHasher hasher(DigestKind::kMd5);
  hasher.Update(bytes);
  return hasher.HexDigest();
}

std::string Sha256Of(const std::string& bytes) {
  DigestHasher hasher(DigestKind::kSha256);
  hasher.Update(bytes);
  return hasher.HexDigest();
}

TEST(DatasetLoad, AnEmptyDirectoryHasNothingToServe) {
  TestDataset test;
  test.Open();
  EXPECT_EQ(test->Current(), nullptr);
  EXPECT_EQ(test->PinCurrent(), nullptr);
  EXPECT_EQ(test->status().current, 0U);
  EXPECT_THAT(test->Versions(), IsEmpty());
}

TEST(DatasetLoad, TheFirstLookTakesTheSourceAtOnce) {
  TestDataset test;
  test.PutSource("one");
  test.Open();
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(report->previous, 0U);
  EXPECT_EQ(report->current, 1U);
  EXPECT_EQ(test.Word(), "one");
}

TEST(DatasetLoad, AVersionTellsWhereItCameFrom) {
  TestDataset test;
  test.Open();
  test.Load("one");
  const auto versions = test->Versions();
  ASSERT_EQ(versions.size(), 1U);
  ContentHasher hasher;
  hasher.Update(SourceOf("one"));
  EXPECT_EQ(versions[0].number, 1U);
  EXPECT_TRUE(versions[0].current);
  EXPECT_FALSE(versions[0].damaged);
  EXPECT_EQ(versions[0].records, static_cast<uint64_t>(kTestRecords));
  EXPECT_EQ(versions[0].file_bytes, test.files().Contents(test.PathOf(1)).value_or("").size());
  EXPECT_EQ(versions[0].source, test.options().source);
  EXPECT_EQ(versions[0].source_checksum, hasher.HexDigest());
  EXPECT_GT(versions[0].built_at_ms, 1'600'000'000'000);
}

TEST(DatasetLoad, AChangedSourceIsTakenWhenItLooksTheSameTwice) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.PutSource("two");
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "one");
  test.PutSource("three");
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "one") << "it has changed since the last look";
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->previous, 1U);
  EXPECT_EQ(report->current, 2U);
  EXPECT_EQ(test.Word(), "three");
}

TEST(DatasetLoad, ASourceThatAppearsLaterIsNotTakenHalfWritten) {
  TestDataset test;
  test.Open();
  EXPECT_FALSE(test->Refresh(false));
  test.PutSource("one");
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test->Current(), nullptr);
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "one");
}

TEST(DatasetLoad, AnUnchangedSourceIsLeftAlone) {
  TestDataset test;
  test.Open();
  test.Load("one");
  const uint64_t operations = test.files().operations();
  test.files().FailRead(1);  // nothing may be read either
  for (int look = 0; look < 20; ++look) {
    const auto report = test->Refresh(false);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->compiled);
  }
  EXPECT_EQ(test.files().operations(), operations);
  EXPECT_EQ(test->status().switches, 1U);
  EXPECT_EQ(test->Versions().size(), 1U);
}

TEST(DatasetLoad, AfterOneChangeItIsCompiledOnce) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.PutSource("two");
  for (int look = 0; look < 20; ++look) ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "two");
  EXPECT_EQ(test->status().switches, 2U);
  EXPECT_EQ(test->Versions().size(), 2U);
}

TEST(DatasetLoad, ARestartServesWithoutCompiling) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.Open();
  EXPECT_EQ(test.Word(), "one");
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->compiled);
  EXPECT_EQ(test.Number(), 1U);
  EXPECT_EQ(test->status().switches, 0U);
}

TEST(DatasetLoad, TheSameContentInAnotherFileIsNotCompiledAgain) {
  TestDataset test;
  test.Open();
  test.Load("one");
  const SwitchReport report = test.Load("one");
  EXPECT_FALSE(report.compiled);
  EXPECT_EQ(report.current, 1U);
  EXPECT_FALSE(test.HasVersionFile(2));
}

TEST(DatasetLoad, AContentThatComesBackIsSwitchedToWithoutCompiling) {
  TestDataset test;
  test.Open();
  test.Load("one");
  EXPECT_TRUE(test.Load("two").compiled);
  const SwitchReport report = test.Load("one");
  EXPECT_FALSE(report.compiled);
  EXPECT_EQ(report.previous, 2U);
  EXPECT_EQ(report.current, 1U);
  EXPECT_EQ(test.Word(), "one");
  EXPECT_FALSE(test->status().pinned);
}

TEST(DatasetLoad, OtherImportOptionsAreAnotherContent) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.options().separator = std::nullopt;
  test.Open();
  const auto report = test->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(report->current, 2U);
}

TEST(DatasetLoad, SeedsOutliveVersionsAndRestarts) {
  TestDataset test;
  test.Open();
  test.Load("one");
  const snapshot::Header first = test->Current()->snapshot->header();
  test.Load("two");
  test.Open();
  test.Load("three");
  const snapshot::Header third = test->Current()->snapshot->header();
  EXPECT_EQ(first.key_seed, third.key_seed);
  EXPECT_EQ(first.member_seed, third.member_seed);
}

TEST(DatasetLoad, WithoutASourceItServesWhatIsOnDisk) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.options().source = "";
  test.Open();
  EXPECT_EQ(test.Word(), "one");
  EXPECT_TRUE(test->Refresh(false));
  const auto report = test->Refresh(true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kInvalidArgument);
}

TEST(DatasetRefused, ABadLineLeavesTheVersionAndIsSeenOnce) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.files().PutFile(test.options().source, SourceOf("two") + "{\"key\":\n");
  ASSERT_TRUE(test->Refresh(false));
  const auto report = test->Refresh(false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(test.Word(), "one");
  EXPECT_EQ(test->status().refused, 1U);
  EXPECT_THAT(test->status().last_error, HasSubstr(":6:"));
  for (int look = 0; look < 5; ++look) EXPECT_TRUE(test->Refresh(false));
  EXPECT_EQ(test->status().refused, 1U) << "an unchanged file is not tried again";
  EXPECT_THAT(test->status().last_error, HasSubstr(":6:"));
  EXPECT_FALSE(test.HasVersionFile(2));

  test.Load("three");
  EXPECT_EQ(test.Word(), "three");
  EXPECT_EQ(test->status().last_error, "");
}

TEST(DatasetRefused, ATellingToLoadTriesARefusedFileAgain) {
  TestDataset test;
  test.Open();
  test.files().PutFile(test.options().source, "{");
  EXPECT_FALSE(test->Refresh(true));
  EXPECT_FALSE(test->Refresh(true));
  EXPECT_EQ(test->status().refused, 2U);
}

TEST(DatasetRefused, AMissingSourceDropsNothing) {
  TestDataset test;
  test.Open();
  test.Load("one");
  ASSERT_TRUE(test.files().Remove(test.options().source));
  const auto report = test->Refresh(false);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(test.Word(), "one");
  EXPECT_THAT(test->status().last_error, HasSubstr(test.options().source));
  EXPECT_EQ(test->status().refused, 0U);
}

TEST(DatasetRefused, ADirectoryIsNoSource) {
  TestDataset test;
  test.files().PutFile(test.options().source + "/file", "x");
  test.Open();
  const auto report = test->Refresh(false);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("a directory"));
  EXPECT_THAT(test->status().last_error, HasSubstr("a directory"));
}

TEST(DatasetRefused, ASourceThatChangesWhileItIsCompiledIsThrownAway) {
  TestDataset test;
  bool changed = false;
  test.options().progress = [&](std::string_view, double) {
    if (!std::exchange(changed, true)) test.PutSource("two");
  };
  test.PutSource("one");
  test.Open();
  const auto report = test->Refresh(true);
  ASSERT_TRUE(changed);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kRefused);
  EXPECT_EQ(test->Current(), nullptr);
  EXPECT_THAT(test->status().last_error, HasSubstr("changed"));
  EXPECT_FALSE(test.HasVersionFile(1));
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "two");
}

TEST(DatasetRefused, AVersionThatDoesNotVerifyIsNotServed) {
  TestDataset test;
  bool flipped = false;
  // A bit of a value flips when the builder is through with the file: every key is still found.
  test.options().progress = [&](std::string_view step, double) {
    if (step != "verify" || std::exchange(flipped, true)) return;
    std::string bytes = test.files().Contents(test.PathOf(2)).value_or("");
    const size_t at = bytes.find("two");
    ASSERT_NE(at, std::string::npos);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    test.files().PutFile(test.PathOf(2), bytes);
  };
  test.Open();
  test.Load("one");
  test.PutSource("two");
  const auto report = test->Refresh(true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(test->status().last_error, HasSubstr("checksum"));
  EXPECT_EQ(test.Word(), "one");
  EXPECT_FALSE(test.HasVersionFile(2));
  // The number is used up; the next attempt makes a sound version.
  ASSERT_TRUE(test->Refresh(true));
  EXPECT_EQ(test.Word(), "two");
  EXPECT_EQ(test.Number(), 3U);
}

TEST(DatasetRefused, WhatMayPassIsTriedAgainAfterMoreAndMoreLooks) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.PutSource("two");
  ASSERT_TRUE(test->Refresh(false));
  test.files().LimitSpace(100);
  std::vector<int> attempts;
  for (int look = 1; look <= 40; ++look) {
    const auto report = test->Refresh(false);
    if (report) continue;
    EXPECT_EQ(report.error().code(), ErrorCode::kNoSpace);
    attempts.push_back(look);
  }
  EXPECT_THAT(attempts, ::testing::ElementsAre(1, 2, 4, 8, 16, 28, 40));
  EXPECT_EQ(test.Word(), "one");
  EXPECT_THAT(test->status().last_error, Not(IsEmpty()));
  test.files().ClearFaults();
  ASSERT_TRUE(test->Refresh(true));
  EXPECT_EQ(test.Word(), "two");
  EXPECT_EQ(test->status().last_error, "");
}

TEST(DatasetDigest, AFileThatMatchesIsTaken) {
  TestDataset test;
  test.Open();
  test.files().PutFile(test.options().source + ".md5",
                       Md5Of(SourceOf("one")) + "  features.jsonl\n");
  test.files().PutFile(test.options().source + ".sha256",
                       Sha256Of(SourceOf("one")) + "  features.jsonl\n");
  test.Load("one");
  EXPECT_EQ(test.Word(), "one");
}

TEST(DatasetDigest, AMismatchIsRefusedUntilTheDigestFileChanges) {
  for (const bool md5 : {true, false}) {
    TestDataset test;
    test.Open();
    test.Load("one");
    const std::string digest_path = test.options().source + (md5 ? ".md5" : ".sha256");
    const auto digest = [&](const std::string& word) {
      return md5 ? Md5Of(SourceOf(word)) : Sha256Of(SourceOf(word));
    };
    test.PutSource("two");
    test.files().PutFile(digest_path, digest("one"));
    ASSERT_TRUE(test->Refresh(false));
    const auto report = test->Refresh(false);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kRefused);
    EXPECT_THAT(test->status().last_error, HasSubstr(digest("one")));
    EXPECT_EQ(test.Word(), "one");
    ASSERT_TRUE(test->Refresh(false));
    EXPECT_EQ(test->status().refused, 1U);

    test.files().PutFile(digest_path, digest("two"));
    ASSERT_TRUE(test->Refresh(false));
    ASSERT_TRUE(test->Refresh(false));
    EXPECT_EQ(test.Word(), "two");
    EXPECT_EQ(test->status().last_error, "");
  }
}

TEST(DatasetDigest, AFileThatIsNoDigestIsRefused) {
  TestDataset test;
  test.Open();
  test.PutSource("one");
  test.files().PutFile(test.options().source + ".md5", "to be done\n");
  const auto report = test->Refresh(true);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kRefused);
  EXPECT_EQ(test->Current(), nullptr);
}

}  // namespace
}  // namespace larder::dataset

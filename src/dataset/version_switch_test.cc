// Rolling back, pinning, keeping, leaving what is damaged, and opening a directory in any state.
#include "dataset/version_switch.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

std::vector<uint64_t> NumbersOf(const Dataset& dataset) {
  std::vector<uint64_t> numbers;
  for (const VersionInfo& version : dataset.Versions()) numbers.push_back(version.number);
  return numbers;
}

// Three versions that say one, two and three; the last is served.
class ThreeVersions : public ::testing::Test {
 protected:
  ThreeVersions() {
    test_.Open();
    for (const char* word : {"one", "two", "three"}) test_.Load(word);
  }

  // As if a page of the version's file could not be read.
  void Damage(uint64_t number) { test_.files().DamageMappings(test_.PathOf(number)); }

  TestDataset test_;
};

TEST_F(ThreeVersions, RollbackServesTheOneBeforeAndHoldsIt) {
  const auto report = test_->Rollback(std::nullopt);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->previous, 3U);
  EXPECT_EQ(report->current, 2U);
  EXPECT_TRUE(report->pinned);
  EXPECT_FALSE(report->compiled);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(test_->status().pinned);
  EXPECT_THAT(NumbersOf(*test_), ElementsAre(1, 2, 3));
}

TEST_F(ThreeVersions, RollbackGoesFurtherBackEachTime) {
  ASSERT_TRUE(test_->Rollback(std::nullopt));
  ASSERT_TRUE(test_->Rollback(std::nullopt));
  EXPECT_EQ(test_.Word(), "one");
  const auto report = test_->Rollback(std::nullopt);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(report.error().message(), HasSubstr("1, 2, 3"));
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(ThreeVersions, RollbackToANumberGoesThere) {
  ASSERT_TRUE(test_->Rollback(1));
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_TRUE(test_->status().pinned);
}

TEST_F(ThreeVersions, RollbackAndPinToWhatIsNotThereChangeNothing) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{4}, uint64_t{999}}) {
    for (const auto& report : {test_->Rollback(number), test_->Pin(number)}) {
      ASSERT_FALSE(report);
      EXPECT_EQ(report.error().code(), ErrorCode::kNotFound);
    }
  }
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_FALSE(test_->status().pinned);
}

TEST_F(ThreeVersions, RollbackSurvivesARestart) {
  ASSERT_TRUE(test_->Rollback(std::nullopt));
  test_.Open();
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(test_->status().pinned);
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "two") << "the source holds three, but two is pinned";
}

TEST_F(ThreeVersions, WhilePinnedANewVersionIsKeptButNotServed) {
  ASSERT_TRUE(test_->Pin(2));
  const SwitchReport report = test_.Load("four");
  EXPECT_TRUE(report.compiled);
  EXPECT_TRUE(report.pinned);
  EXPECT_EQ(report.current, 2U);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(test_.HasVersionFile(4));
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "four");
}

TEST_F(ThreeVersions, WhilePinnedVersionsDoNotPileUp) {
  ASSERT_TRUE(test_->Pin(1));
  for (const char* word : {"four", "five", "six", "seven"}) test_.Load(word);
  EXPECT_THAT(NumbersOf(*test_), ElementsAre(1, 5, 6, 7));
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(ThreeVersions, UnpinServesTheNewestAndFollowsTheSource) {
  ASSERT_TRUE(test_->Rollback(1));
  const auto report = test_->Unpin();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->previous, 1U);
  EXPECT_EQ(report->current, 3U);
  EXPECT_FALSE(report->pinned);
  EXPECT_EQ(test_.Word(), "three");
  test_.Load("four");
  EXPECT_EQ(test_.Word(), "four");
}

TEST_F(ThreeVersions, UnpinServesWhatTheSourceHoldsEvenIfAnOtherIsNewer) {
  test_.Load("one");
  ASSERT_EQ(test_.Number(), 1U);
  ASSERT_TRUE(test_->Pin(2));
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(ThreeVersions, UnpinOfWhatIsNotPinnedChangesNothing) {
  const auto report = test_->Unpin();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->current, 3U);
  EXPECT_EQ(test_->status().switches, 3U);
}

TEST_F(ThreeVersions, PinOfTheCurrentVersionHoldsItWithoutASwitch) {
  ASSERT_TRUE(test_->Pin(3));
  EXPECT_EQ(test_->status().switches, 3U);
  test_.Load("four");
  EXPECT_EQ(test_.Word(), "three");
  test_.Open();
  EXPECT_EQ(test_.Word(), "three");
}

TEST_F(ThreeVersions, TheOldestIsDroppedWhenANewOneIsServed) {
  test_.Load("four");
  EXPECT_THAT(NumbersOf(*test_), ElementsAre(2, 3, 4));
  EXPECT_FALSE(test_.HasVersionFile(1));
}

TEST_F(ThreeVersions, APinnedPointerOutlivesItsDroppedVersion) {
  const auto pinned = test_->PinCurrent();
  for (const char* word : {"four", "five", "six", "seven"}) test_.Load(word);
  EXPECT_FALSE(test_.HasVersionFile(3));
  EXPECT_EQ(WordOf(pinned.get()), "three");
}

TEST_F(ThreeVersions, ARollbackDuringACompileIsKeptWhenTheCompileEnds) {
  std::optional<Result<SwitchReport>> rollback;
  test_.options().progress = [&](std::string_view, double) {
    if (!rollback) rollback = test_->Rollback(2);
  };
  test_.Open();
  const SwitchReport report = test_.Load("four");
  ASSERT_TRUE(rollback.has_value() && rollback->has_value());
  EXPECT_TRUE(report.compiled);
  EXPECT_TRUE(report.pinned);
  EXPECT_EQ(report.current, 2U);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(test_.HasVersionFile(4));
}

TEST_F(ThreeVersions, StatusShowsACompileThatIsRunning) {
  bool seen = false;
  test_.options().progress = [&](std::string_view, double) { seen |= test_->status().compiling; };
  test_.Open();
  test_.Load("four");
  EXPECT_TRUE(seen);
  EXPECT_FALSE(test_->status().compiling);
}

TEST_F(ThreeVersions, ADamagedVersionIsLeftForTheOneBeforeAndCompiledAnew) {
  Damage(3);
  const auto report = test_->LeaveDamaged(3);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->previous, 3U);
  EXPECT_EQ(report->current, 2U);
  EXPECT_FALSE(report->pinned);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(test_->status().damaged, 1U);
  EXPECT_THAT(test_->status().last_error, HasSubstr("3 is damaged"));
  EXPECT_TRUE(test_->Versions().back().damaged);

  const auto compiled = test_->Refresh(false);
  ASSERT_TRUE(compiled) << compiled.error().message();
  EXPECT_TRUE(compiled->compiled);
  EXPECT_EQ(compiled->current, 4U);
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_FALSE(test_.HasVersionFile(3));
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(ThreeVersions, DamageThatComesBackIsCompiledAnewAfterMoreAndMoreLooks) {
  std::vector<int> looks_needed;
  for (int time = 0; time < 5; ++time) {
    const uint64_t number = test_.Number();
    Damage(number);
    ASSERT_TRUE(test_->LeaveDamaged(number));
    int looks = 1;
    while (!test_->Refresh(false)->compiled) ASSERT_LT(++looks, 100);
    looks_needed.push_back(looks);
  }
  EXPECT_THAT(looks_needed, ElementsAre(1, 2, 3, 5, 9));
  // Another file is another matter.
  test_.Load("four");
  Damage(test_.Number());
  ASSERT_TRUE(test_->LeaveDamaged(test_.Number()));
  EXPECT_TRUE(test_->Refresh(false)->compiled);
}

TEST_F(ThreeVersions, ADamagedVersionIsNotServedAfterARestart) {
  Damage(3);
  ASSERT_TRUE(test_->LeaveDamaged(3));
  test_.Open();
  EXPECT_EQ(test_.Word(), "two");
  const auto report = test_->Pin(3);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNotFound);
}

TEST_F(ThreeVersions, LeavingADamagedVersionTwiceIsLeavingItOnce) {
  Damage(3);
  ASSERT_TRUE(test_->LeaveDamaged(3));
  const auto again = test_->LeaveDamaged(3);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->current, 2U);
  EXPECT_EQ(test_->status().damaged, 1U);
}

TEST_F(ThreeVersions, AVersionThatIsNotDamagedIsNotLeft) {
  ASSERT_TRUE(test_->LeaveDamaged(3));
  ASSERT_TRUE(test_->LeaveDamaged(2));
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_EQ(test_->status().damaged, 0U);
}

TEST_F(ThreeVersions, ADamagedPinnedVersionIsLeftForTheOneBeforeWhichIsHeld) {
  ASSERT_TRUE(test_->Pin(2));
  Damage(2);
  ASSERT_TRUE(test_->LeaveDamaged(2));
  EXPECT_EQ(test_.Word(), "one") << "three is what the operator did not want";
  EXPECT_TRUE(test_->status().pinned);
}

TEST_F(ThreeVersions, WhenTheOldestIsDamagedTheNewestIsServed) {
  ASSERT_TRUE(test_->Pin(1));
  Damage(1);
  ASSERT_TRUE(test_->LeaveDamaged(1));
  EXPECT_EQ(test_.Word(), "three");
}

TEST(VersionSwitch, WhenTheOnlyVersionIsDamagedThereIsNothingToServeUntilItIsCompiledAnew) {
  TestDataset test;
  test.Open();
  test.Load("one");
  ASSERT_TRUE(test->Pin(1));
  test.files().DamageMappings(test.PathOf(1));
  const auto report = test->LeaveDamaged(1);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->current, 0U);
  EXPECT_FALSE(report->pinned) << "there is nothing left to hold";
  EXPECT_EQ(test->Current(), nullptr);
  EXPECT_EQ(test->status().records, 0U);
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Word(), "one");
  EXPECT_EQ(test.Number(), 2U);
}

TEST(VersionSwitch, ADamagedVersionIsLeftEvenWhenThatCannotBeWrittenDown) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.Load("two");
  test.files().DamageMappings(test.PathOf(2));
  test.files().LimitSpace(0);
  const auto report = test->LeaveDamaged(2);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(test.Word(), "one");
  test.files().ClearFaults();
  ASSERT_TRUE(test.files().Remove(test.options().source));
  EXPECT_FALSE(test->Refresh(false)) << "the source is gone, but STATE is written";
  test.Open();
  EXPECT_EQ(test.Word(), "one");
}

TEST(VersionSwitch, KeepOneKeepsTheCurrentVersionOnly) {
  TestDataset test;
  test.options().keep = 1;
  test.Open();
  test.Load("one");
  test.Load("two");
  EXPECT_THAT(NumbersOf(*test), ElementsAre(2));
  EXPECT_FALSE(test->Rollback(std::nullopt));
}

TEST(VersionSwitch, NumbersAreNeverUsedTwice) {
  TestDataset test;
  test.options().keep = 1;
  test.Open();
  test.Load("one");
  test.files().PutFile(test.options().source, "{");
  EXPECT_FALSE(test->Refresh(true));
  test.Load("two");
  EXPECT_EQ(test.Number(), 3U) << "2 was given to the attempt that failed";
  test.files().DamageMappings(test.PathOf(3));
  ASSERT_TRUE(test->LeaveDamaged(3));
  test.Open();
  ASSERT_TRUE(test->Refresh(false));
  EXPECT_EQ(test.Number(), 4U);
  EXPECT_EQ(test.Word(), "two");
}

TEST(DatasetOpen, ADirectoryThatIsHeldSaysByWhom) {
  TestDataset test;
  test.Open();
  const auto second = Dataset::Open(test.files(), test.epochs(), test.options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
  EXPECT_THAT(second.error().message(), HasSubstr("features"));
}

TEST(DatasetOpen, AFileInPlaceOfTheDirectoryIsAClearError) {
  TestDataset test;
  test.files().PutFile(test.options().directory, "x");
  const auto opened = Dataset::Open(test.files(), test.epochs(), test.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message(), HasSubstr("/var/features is not a directory"));
}

TEST(DatasetOpen, NoDirectoryIsAClearError) {
  TestDataset test;
  test.options().directory = "";
  const auto opened = Dataset::Open(test.files(), test.epochs(), test.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidArgument);
}

TEST(DatasetOpen, ADirectoryThatCannotBeMadeIsAClearError) {
  TestDataset test;
  test.files().FailOperation(1, ErrorCode::kPermissionDenied);
  const auto opened = Dataset::Open(test.files(), test.epochs(), test.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kPermissionDenied);
}

TEST(DatasetOpen, ForeignFilesAreLeftAloneAndUnfinishedOnesRemoved) {
  TestDataset test;
  const std::string directory = test.options().directory + "/";
  for (const char* foreign : {"notes.txt", "7.snap", "notes.tmp", "000003.snap.bak"}) {
    test.files().PutFile(directory + foreign, "mine");
  }
  for (const char* unfinished : {"STATE.tmp", "000003.snap.tmp", "000003.snap.run1.tmp"}) {
    test.files().PutFile(directory + unfinished, "half");
  }
  test.Open();
  test.Load("one");
  for (const char* foreign : {"notes.txt", "7.snap", "notes.tmp", "000003.snap.bak"}) {
    EXPECT_THAT(test.files().Contents(directory + foreign), Optional(std::string("mine")));
  }
  for (const char* unfinished : {"STATE.tmp", "000003.snap.tmp", "000003.snap.run1.tmp"}) {
    EXPECT_FALSE(test.files().Contents(directory + unfinished)) << unfinished;
  }
  EXPECT_EQ(test.Word(), "one");
}

TEST_F(ThreeVersions, WithoutAStateFileTheNewestIsServed) {
  ASSERT_TRUE(test_->Rollback(1));
  test_.Close();
  ASSERT_TRUE(test_.files().Remove(test_.options().directory + "/STATE"));
  test_.Open();
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(ThreeVersions, WithADamagedStateFileTheNewestIsServedAndItIsSaid) {
  ASSERT_TRUE(test_->Rollback(1));
  test_.Close();
  test_.files().PutFile(test_.options().directory + "/STATE", "larder dataset 1\ncurrent 1\n");
  test_.Open();
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_FALSE(test_->status().pinned);
  EXPECT_THAT(test_->status().last_error, HasSubstr("STATE"));
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_THAT(test_->status().last_error, HasSubstr("STATE")) << "it is still damaged";
  test_.Load("four");
  EXPECT_EQ(test_.Number(), 4U);
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(ThreeVersions, ACurrentVersionThatDoesNotOpenIsReplacedByTheOneBefore) {
  test_.Close();
  test_.files().PutFile(test_.PathOf(3), "not a snapshot");
  test_.Open();
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_THAT(test_->status().last_error, HasSubstr("version 3 cannot be served: serving 2"));
  const auto report = test_->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_EQ(test_.Number(), 4U);
}

TEST_F(ThreeVersions, WhenNoVersionOpensThereIsNothingToServeUntilTheSourceIsCompiled) {
  test_.Close();
  for (const uint64_t number : {1U, 2U, 3U}) test_.files().PutFile(test_.PathOf(number), "");
  test_.Open();
  EXPECT_EQ(test_->Current(), nullptr);
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "three");
}

TEST_F(ThreeVersions, ACorruptVersionIsSkippedByRollback) {
  test_.files().PutFile(test_.PathOf(2), "not a snapshot");
  const auto report = test_->Rollback(std::nullopt);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(ThreeVersions, ADirectoryOfANewerLarderIsRefused) {
  test_.Close();
  const std::string newer = "larder dataset 2\n";
  const std::string path = test_.options().directory + "/STATE";
  const std::string text = newer + fmt::format("checksum {:016x}\n", Checksum64(newer));
  test_.files().PutFile(path, text);
  const auto opened = Dataset::Open(test_.files(), test_.epochs(), test_.options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace larder::dataset

// Versions that gates or probation have refused: that nobody is served from them, and how they are
// taken all the same.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ErrorCode CodeOf(const Result<SwitchReport>& report) {
  return report ? ErrorCode::kInternal : report.error().code();
}

std::string MessageOf(const Result<SwitchReport>& report) {
  return report ? "it succeeded" : report.error().message();
}

// Version 1 says one and is served.
class RefusalTest : public ::testing::Test {
 protected:
  RefusalTest() {
    test_.options().gate = StrictGates();
    test_.options().on_event = [this](const Event& event) { events_.push_back(event); };
    test_.Open();
    test_.Load("one");
    events_.clear();
  }

  // The next version says `word` and is refused.
  void LoadRefused(const std::string& word) {
    test_.PutDoubled(word);
    ASSERT_EQ(CodeOf(test_->Refresh(true)), ErrorCode::kRefused);
  }

  std::vector<std::string> Events() const {
    std::vector<std::string> lines;
    for (const Event& event : events_) {
      static constexpr const char* kNames[] = {"switched", "rolled back", "refused", "damaged",
                                               "failed"};
      lines.push_back(fmt::format("{} {}->{}", kNames[static_cast<int>(event.kind)], event.previous,
                                  event.current));
    }
    return lines;
  }

  TestDataset test_;
  std::vector<Event> events_;
};

TEST_F(RefusalTest, TheOldVersionServesOnAndTheNewOneWaitsBesideItsVerdict) {
  LoadRefused("two");
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_TRUE(test_.HasVersionFile(2));
  EXPECT_TRUE(test_.HasVerdictFile(2));
  const Status status = test_->status();
  EXPECT_EQ(status.refused, 1U);
  EXPECT_EQ(status.refused_version, 2U);
  EXPECT_THAT(status.verdict, HasSubstr("10 records are 100 % more than the 5 of version 1"));
  EXPECT_THAT(status.last_error,
              AllOf(HasSubstr("version 2 of features is refused: "), HasSubstr(status.verdict),
                    HasSubstr("larder accept features"), HasSubstr("LARDER ACCEPT features")));
  ASSERT_THAT(test_->Versions(), SizeIs(2));
  EXPECT_FALSE(test_->Versions()[0].refused);
  EXPECT_TRUE(test_->Versions()[1].refused);
  EXPECT_EQ(test_->Versions()[1].verdict, status.verdict);
  EXPECT_FALSE(test_->Versions()[1].damaged);
}

TEST_F(RefusalTest, ARefusedFileIsLeftAloneUntilItChanges) {
  LoadRefused("two");
  const uint64_t operations = test_.files().operations();
  for (int look = 0; look < 20; ++look) EXPECT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.files().operations(), operations);
  EXPECT_EQ(test_->status().refused, 1U);
  EXPECT_THAT(test_->status().last_error, HasSubstr("version 2"));
  EXPECT_THAT(Events(), ElementsAre("refused 1->1"));
}

TEST_F(RefusalTest, ToldToLoadItIsJudgedAgainAndNotCompiledAgain) {
  LoadRefused("two");
  LoadRefused("two");
  EXPECT_EQ(test_->status().refused, 2U);
  EXPECT_FALSE(test_.HasVersionFile(3));
  EXPECT_THAT(Events(), ElementsAre("refused 1->1")) << "it is no news";
}

TEST_F(RefusalTest, TheNextVersionTakesItsPlace) {
  LoadRefused("two");
  test_.Load("three");
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_FALSE(test_.HasVersionFile(2));
  EXPECT_FALSE(test_.HasVerdictFile(2));
  EXPECT_EQ(test_->status().refused_version, 0U);
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(RefusalTest, TheNextRefusedVersionTakesItsPlaceToo) {
  LoadRefused("two");
  LoadRefused("three");
  EXPECT_FALSE(test_.HasVersionFile(2));
  EXPECT_FALSE(test_.HasVerdictFile(2));
  EXPECT_TRUE(test_.HasVerdictFile(3));
  EXPECT_EQ(test_->status().refused_version, 3U);
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(RefusalTest, AContentThatComesBackLeavesItWaiting) {
  LoadRefused("two");
  test_.Load("one");
  EXPECT_TRUE(test_.HasVersionFile(2));
  EXPECT_EQ(test_->status().refused_version, 2U);
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(RefusalTest, ARestartDoesNotServeIt) {
  LoadRefused("two");
  test_.Open();
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_EQ(test_->status().refused_version, 2U);
  EXPECT_EQ(CodeOf(test_->Refresh(false)), ErrorCode::kRefused);
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_FALSE(test_.HasVersionFile(3)) << "it is known";
}

TEST_F(RefusalTest, WithoutStateItIsNotServedEither) {
  LoadRefused("two");
  test_.Close();
  ASSERT_TRUE(test_.files().Remove(test_.options().directory + "/STATE"));
  test_.Open();
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(RefusalTest, AVerdictThatCannotBeReadIsAVerdict) {
  LoadRefused("two");
  test_.Close();
  test_.files().PutFile(test_.VerdictPathOf(2), "{");
  test_.Open();
  EXPECT_EQ(test_->status().refused_version, 2U);
  EXPECT_THAT(test_->status().verdict, HasSubstr("cannot be read"));
  EXPECT_EQ(CodeOf(test_->Pin(2)), ErrorCode::kRefused);
}

TEST_F(RefusalTest, OtherGatesJudgeItAnew) {
  LoadRefused("two");
  test_.options().gate.max_record_growth = 1.0;
  test_.Open();
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(test_.Number(), 2U);
  EXPECT_FALSE(test_.HasVerdictFile(2));
  EXPECT_EQ(test_->status().refused_version, 0U);
}

TEST_F(RefusalTest, NoWayBackLeadsToIt) {
  test_.Load("two");
  LoadRefused("three");
  test_.Load("one");
  for (const auto& report : {test_->Rollback(3), test_->Pin(3)}) {
    EXPECT_EQ(CodeOf(report), ErrorCode::kRefused);
    EXPECT_THAT(MessageOf(report), HasSubstr("LARDER ACCEPT features"));
  }
  ASSERT_TRUE(test_->Pin(2));
  test_.files().DamageMappings(test_.PathOf(2));
  ASSERT_TRUE(test_->LeaveDamaged(2));
  EXPECT_EQ(test_.Word(), "one");
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(RefusalTest, ItIsNotServedBecauseWhatItWasComparedWithIsLost) {
  LoadRefused("two");
  test_.files().DamageMappings(test_.PathOf(1));
  ASSERT_TRUE(test_->LeaveDamaged(1));
  EXPECT_EQ(CodeOf(test_->Refresh(true)), ErrorCode::kRefused);
  EXPECT_EQ(test_.Word(), "none");
  test_.Open();
  EXPECT_EQ(CodeOf(test_->Refresh(false)), ErrorCode::kRefused);
  EXPECT_EQ(test_.Word(), "none");
  EXPECT_TRUE(test_.HasVerdictFile(2));
  ASSERT_TRUE(test_->Accept());
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(RefusalTest, AcceptTakesItOnce) {
  LoadRefused("two");
  const auto report = test_->Accept();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->previous, 1U);
  EXPECT_EQ(report->current, 2U);
  EXPECT_FALSE(report->pinned);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_FALSE(test_.HasVerdictFile(2));
  EXPECT_EQ(test_->status().refused_version, 0U);
  EXPECT_EQ(test_->status().last_error, "");
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_->status().last_error, "") << "the source is what is served";
  EXPECT_EQ(CodeOf(test_->Accept()), ErrorCode::kNotFound);
  EXPECT_THAT(Events(), ElementsAre("refused 1->1", "switched 1->2"));
}

TEST_F(RefusalTest, WhatWasAcceptedPassesFromThenOn) {
  LoadRefused("two");
  ASSERT_TRUE(test_->Accept());
  test_.Load("one");
  EXPECT_EQ(test_.Number(), 1U);
  test_.PutDoubled("two");
  ASSERT_TRUE(test_->Refresh(true));
  EXPECT_EQ(test_.Number(), 2U);
  test_.Open();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(RefusalTest, WhatWasAcceptedAndIsDamagedIsCompiledAnewWithoutAsking) {
  LoadRefused("two");
  ASSERT_TRUE(test_->Accept());
  test_.files().DamageMappings(test_.PathOf(2));
  ASSERT_TRUE(test_->LeaveDamaged(2));
  EXPECT_EQ(test_.Word(), "one");
  const auto report = test_->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(test_.Number(), 3U);
}

TEST_F(RefusalTest, WhilePinnedAcceptLetsItPass) {
  ASSERT_TRUE(test_->Pin(1));
  LoadRefused("two");
  const auto report = test_->Accept();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->pinned);
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_FALSE(test_.HasVerdictFile(2));
  test_.Open();
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(RefusalTest, WhilePinnedANewVersionIsJudgedAgainstWhatIsServed) {
  ASSERT_TRUE(test_->Pin(1));
  test_.PutSource("two");
  ASSERT_TRUE(test_->Refresh(true));
  LoadRefused("three");
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(RefusalTest, WithNothingRefusedThereIsNothingToAccept) {
  EXPECT_EQ(MessageOf(test_->Accept()),
            "no version of features is refused: there is nothing to accept");
}

TEST_F(RefusalTest, AFileThatCouldNotBeCompiledCannotBeAccepted) {
  test_.files().PutFile(test_.options().source, "{\"key\":\n");
  EXPECT_FALSE(test_->Refresh(true));
  const auto report = test_->Accept();
  EXPECT_EQ(CodeOf(report), ErrorCode::kNotFound);
  EXPECT_THAT(MessageOf(report), HasSubstr("features.jsonl:1:")) << "why there is nothing";
  EXPECT_THAT(Events(), ElementsAre("failed 1->1"));
}

TEST_F(RefusalTest, AnOlderRefusalIsNotMeantByWhoHasSeenAnotherFailure) {
  LoadRefused("two");
  test_.files().PutFile(test_.options().source, "{\"key\":\n");
  EXPECT_FALSE(test_->Refresh(true));
  const auto report = test_->Accept();
  EXPECT_EQ(CodeOf(report), ErrorCode::kNotFound);
  EXPECT_THAT(MessageOf(report), AllOf(HasSubstr("jsonl:1:"), HasSubstr("version 2")));
  EXPECT_EQ(test_.Word(), "one");
}

TEST(FirstVersion, PassesTheGatesTooOrNothingIsServed) {
  TestDataset test;
  test.options().gate.min_records = 10;
  test.Open();
  test.PutSource("one");
  EXPECT_EQ(CodeOf(test->Refresh(true)), ErrorCode::kRefused);
  EXPECT_EQ(test->Current(), nullptr);
  test.Open();
  EXPECT_EQ(test->Current(), nullptr);
  EXPECT_EQ(test->status().refused_version, 1U);
  ASSERT_TRUE(test->Accept());
  EXPECT_EQ(test.Word(), "one");
}

TEST(FirstVersion, ACrashBeforeItsVerdictDoesNotLetItPass) {
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(fmt::format("crash at operation {}", n));
    TestDataset test(n);
    test.options().gate.min_records = 10;
    test.Open();
    test.PutSource("one");
    test.files().CrashAtOperation(n);
    EXPECT_FALSE(test->Refresh(true));
    const bool crashed = test.files().crashed();
    test.Close();
    test.files().Reboot(io::Survival::kEverything);
    test.Open();
    EXPECT_EQ(test->Current(), nullptr);
    EXPECT_EQ(CodeOf(test->Refresh(true)), ErrorCode::kRefused);
    EXPECT_EQ(test->Current(), nullptr);
    if (!crashed) break;
  }
}

TEST(VersionNotJudged, IsRefusedToWhoAsksForItAndJudgedByTheNextLook) {
  TestDataset test;
  test.Open();
  test.Load("one");
  test.PutSource("two");
  // STATE can be written no more once version 2 is published.
  const uint64_t before = test.files().operations();
  test.files().FailOperation(1'000'000);
  uint64_t n = 1;
  while (!test.HasVersionFile(2) || test.Number() == 2) {
    test.Open();
    test.files().FailOperation(n++);
    std::ignore = test->Refresh(true);
    ASSERT_LT(n, 100U) << before;
  }
  EXPECT_EQ(CodeOf(test->Pin(2)), ErrorCode::kRefused);
  EXPECT_THAT(MessageOf(test->Pin(2)), HasSubstr("has not passed the gates yet"));
  test.files().ClearFaults();
  ASSERT_TRUE(test->Refresh(true));
  EXPECT_EQ(test.Word(), "two");
  EXPECT_EQ(test.Number(), 2U);
}

// Version 2 says two, is served after version 1, and is on probation for a minute.
class ProbationTest : public RefusalTest {
 protected:
  ProbationTest() {
    test_.options().probation.window = std::chrono::minutes(1);
    test_.Open();
    test_.Load("two");
    events_.clear();
  }

  std::shared_ptr<ReadCounts> Counts() { return test_->Current()->probation; }
  void Miss() {
    Counts()->commands += 100;
    Counts()->misses += 100;
  }
  void Poll() { test_->CheckProbation(std::chrono::steady_clock::now()); }
  void PollLater() {
    test_->CheckProbation(std::chrono::steady_clock::now() + std::chrono::minutes(2));
  }
};

TEST_F(ProbationTest, AVersionWhoseReadsGoWellStays) {
  ASSERT_NE(Counts(), nullptr);
  EXPECT_GT(test_->status().probation_until_ms, 1'600'000'000'000);
  Counts()->commands += 1000;
  Counts()->hits += 1000;
  Poll();
  EXPECT_EQ(test_.Word(), "two");
  const auto counts = Counts();
  EXPECT_FALSE(counts->ended);
  PollLater();
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(counts->ended) << "nobody needs to count any more";
  EXPECT_EQ(test_->status().probation_until_ms, 0);
  Miss();
  Poll();
  EXPECT_EQ(test_.Word(), "two") << "it is over";
}

TEST_F(ProbationTest, AVersionWhoseReadsMissIsLeftForTheOneBeforeAndRefused) {
  Miss();
  Poll();
  EXPECT_EQ(test_.Word(), "one");
  const Status status = test_->status();
  EXPECT_FALSE(status.pinned);
  EXPECT_EQ(status.refused_version, 2U);
  EXPECT_EQ(status.refused, 1U);
  EXPECT_EQ(status.probation_until_ms, 0);
  EXPECT_THAT(status.last_error, HasSubstr("100 of 100 look-ups (100 %) found nothing"));
  EXPECT_TRUE(test_.HasVerdictFile(2));
  EXPECT_THAT(Events(), ElementsAre("rolled back 2->1"));
  for (int look = 0; look < 3; ++look) EXPECT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "one") << "the same file is not taken again";
  EXPECT_EQ(test_->status().last_error, status.last_error);
}

TEST_F(ProbationTest, ARestartDoesNotTakeItBack) {
  Miss();
  Poll();
  test_.options().gate.max_record_growth = std::nullopt;
  test_.Open();
  EXPECT_EQ(CodeOf(test_->Refresh(false)), ErrorCode::kRefused) << "gates do not judge it";
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(ProbationTest, AcceptTakesItBackForGood) {
  Miss();
  Poll();
  ASSERT_TRUE(test_->Accept());
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(Counts(), nullptr) << "somebody has decided";
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_->status().last_error, "");
}

TEST_F(ProbationTest, ErrorsCountToo) {
  Counts()->commands += 100;
  Counts()->errors += 6;
  Poll();
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_THAT(test_->status().verdict, HasSubstr("(max_errors)"));
}

TEST_F(ProbationTest, AnotherFileEndsItAndIsOnProbationItself) {
  const auto counts = Counts();
  test_.Load("three");
  EXPECT_TRUE(counts->ended);
  Miss();
  Poll();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(ProbationTest, WhatIsPinnedIsNotLeft) {
  ASSERT_TRUE(test_->Pin(2));
  Miss();
  Poll();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(ProbationTest, ARollbackAndWhatWasServedBeforeAreNotOnProbation) {
  ASSERT_TRUE(test_->Rollback(std::nullopt));
  EXPECT_EQ(Counts(), nullptr);
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(Counts(), nullptr);
  test_.Load("one");
  EXPECT_EQ(Counts(), nullptr);
}

TEST_F(ProbationTest, AVersionTakenWhilePinnedIsOnProbationWhenItIsServed) {
  ASSERT_TRUE(test_->Pin(2));
  test_.PutSource("three");
  ASSERT_TRUE(test_->Refresh(true));
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_NE(Counts(), nullptr);
}

TEST_F(ProbationTest, WhereToGoBackToIsKept) {
  test_.options().keep = 1;
  test_.Open();
  test_.Load("three");
  Miss();
  Poll();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(ProbationTest, AVersionThatCannotBeRefusedNowIsRefusedAtTheNextPoll) {
  for (uint64_t n = 1; n <= 10; ++n) {
    test_.Load(fmt::format("word{}", n));
    const std::string before = test_.Word();
    Miss();
    test_.files().FailOperation(n);
    Poll();
    test_.files().ClearFaults();
    if (test_.Word() == before) Poll();
    EXPECT_NE(test_.Word(), before) << n;
    EXPECT_EQ(CodeOf(test_->Refresh(true)), ErrorCode::kRefused);
  }
}

TEST(Probation, AFirstVersionHasNothingToGoBackTo) {
  TestDataset test;
  test.options().probation.window = std::chrono::minutes(1);
  test.Open();
  test.Load("one");
  EXPECT_EQ(test->Current()->probation, nullptr);
}

}  // namespace
}  // namespace larder::dataset

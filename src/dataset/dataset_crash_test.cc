// Every change of a Dataset, with a crash or a failure at every operation of the file system.
//
// After a crash the directory opens and serves, whole, what was served before the change or after
// it; a change that was acknowledged is still there. After a failure the old version serves, the
// error is seen, and the next attempt succeeds.
#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;
using ::testing::Not;

struct Change {
  std::string name;
  std::vector<std::string> loaded;  // words, in this order, before the change
  std::function<void(TestDataset&)> prepare;
  std::function<Result<SwitchReport>(TestDataset&)> act;
  std::string before, after;  // the words that are served
  bool pinned_after = false;
};

void Nothing(TestDataset&) {}

Result<SwitchReport> LoadAtOnce(TestDataset& test) { return test->Refresh(true); }

// A refusal is what is to happen here.
Result<SwitchReport> LoadRefused(TestDataset& test) {
  auto report = test->Refresh(true);
  if (!report && report.error().code() == ErrorCode::kRefused) return SwitchReport{};
  EXPECT_FALSE(report) << "it must not be taken";
  return report;
}

void RefuseTwo(TestDataset& test) {
  test.PutDoubled("two");
  EXPECT_EQ(test->Refresh(true).error().code(), ErrorCode::kRefused);
}

void FailReads(TestDataset& test) {
  if (test->Current() == nullptr || test->Current()->probation == nullptr) return;
  test->Current()->probation->commands += 1000;
  test->Current()->probation->misses += 1000;
}

std::vector<Change> ChangesOfGoodVersions() {
  return {
      {"FirstLoad",
       {},
       [](TestDataset& test) { test.PutSource("one"); },
       LoadAtOnce,
       "none",
       "one"},
      {"SecondVersion",
       {"one"},
       [](TestDataset& test) { test.PutSource("two"); },
       LoadAtOnce,
       "one",
       "two"},
      {"ContentThatComesBack",
       {"one", "two"},
       [](TestDataset& test) { test.PutSource("one"); },
       LoadAtOnce,
       "two",
       "one"},
      {"Rollback",
       {"one", "two"},
       Nothing,
       [](TestDataset& test) { return test->Rollback(std::nullopt); },
       "two",
       "one",
       true},
      {"Pin",
       {"one", "two", "three"},
       Nothing,
       [](TestDataset& test) { return test->Pin(1); },
       "three",
       "one",
       true},
      {"Unpin",
       {"one", "two"},
       [](TestDataset& test) { EXPECT_TRUE(test->Rollback(1)); },
       [](TestDataset& test) { return test->Unpin(); },
       "one",
       "two"},
      {"DropOfOldVersions",
       {"one", "two", "three"},
       [](TestDataset& test) { test.PutSource("four"); },
       LoadAtOnce,
       "three",
       "four"},
      {"LeaveDamaged",
       {"one", "two"},
       [](TestDataset& test) { test.files().DamageMappings(test.PathOf(2)); },
       [](TestDataset& test) { return test->LeaveDamaged(2); },
       "two",
       "one"},
  };
}

std::vector<Change> ChangesAroundARefusal() {
  return {
      {"Refuse",
       {"one"},
       [](TestDataset& test) { test.PutDoubled("two"); },
       LoadRefused,
       "one",
       "one"},
      {"NextVersionAfterARefusal",
       {"one"},
       [](TestDataset& test) {
         RefuseTwo(test);
         test.PutSource("three");
       },
       LoadAtOnce,
       "one",
       "three"},
      {"NextRefusalAfterARefusal",
       {"one"},
       [](TestDataset& test) {
         RefuseTwo(test);
         test.PutDoubled("three");
       },
       LoadRefused,
       "one",
       "one"},
      {"Accept",
       {"one"},
       RefuseTwo,
       [](TestDataset& test) { return test->Accept(); },
       "one",
       "two"},
      {"AcceptWhilePinned",
       {"one"},
       [](TestDataset& test) {
         EXPECT_TRUE(test->Pin(1));
         RefuseTwo(test);
       },
       [](TestDataset& test) { return test->Accept(); },
       "one",
       "one",
       true},
  };
}

std::vector<Change> AllChanges() {
  std::vector<Change> changes = ChangesOfGoodVersions();
  std::ranges::move(ChangesAroundARefusal(), std::back_inserter(changes));
  return changes;
}

class DatasetChange : public ::testing::TestWithParam<Change> {
 protected:
  static void Prepare(TestDataset& test) {
    test.options().gate = StrictGates();
    test.Open();
    for (const std::string& word : GetParam().loaded) test.Load(word);
    GetParam().prepare(test);
    ASSERT_EQ(test.Word(), GetParam().before);
  }

  // Whatever happened: the source can be followed from here on.
  static void ExpectWorks(TestDataset& test) {
    ASSERT_TRUE(test->Unpin());
    test.Load("afterwards");
    EXPECT_EQ(test.Word(), "afterwards");
    test.Open();
    EXPECT_EQ(test.Word(), "afterwards");
  }
};

TEST_P(DatasetChange, SurvivesACrashAtEveryOperation) {
  const Change& change = GetParam();
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(
          fmt::format("crash at operation {}, survival {}", n, static_cast<int>(survival)));
      TestDataset test(n);
      Prepare(test);
      test.files().CrashAtOperation(n);
      const auto done = change.act(test);
      const bool crashed = test.files().crashed();
      test.Close();
      test.files().Reboot(survival);
      test.Open();
      EXPECT_THAT(test.Word(), AnyOf(change.before, change.after));
      if (done) {
        EXPECT_EQ(test.Word(), change.after) << "it was acknowledged";
        EXPECT_EQ(test->status().pinned, change.pinned_after);
      }
      ExpectWorks(test);
      if (!crashed) {
        EXPECT_TRUE(done);
        EXPECT_GT(n, 5U);
        break;
      }
    }
  }
}

TEST_P(DatasetChange, SurvivesAFailureOfEveryOperation) {
  const Change& change = GetParam();
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kIoError}) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(fmt::format("{} at operation {}", ErrorCodeName(code), n));
      TestDataset test(n);
      Prepare(test);
      const uint64_t before = test.files().operations();
      test.files().FailOperation(n, code);
      const auto done = change.act(test);
      const bool failed = test.files().operations() - before >= n;
      test.files().ClearFaults();
      const bool leaves_anyway = change.name == "LeaveDamaged";
      EXPECT_EQ(test.Word(), done || leaves_anyway ? change.after : change.before);
      if (!done) {
        EXPECT_EQ(done.error().code(), code);
        EXPECT_THAT(test->status().last_error, Not(IsEmpty()));
        const auto again = change.act(test);
        ASSERT_TRUE(again) << again.error().message();
        EXPECT_EQ(test.Word(), change.after);
      }
      ExpectWorks(test);
      if (!failed) break;
    }
  }
}

TEST_P(DatasetChange, SurvivesAFailureOfEveryRead) {
  const Change& change = GetParam();
  for (uint64_t n = 1; n <= 20; ++n) {
    SCOPED_TRACE(fmt::format("read {}", n));
    TestDataset test(n);
    Prepare(test);
    test.files().FailRead(n);
    const auto done = change.act(test);
    test.files().ClearFaults();
    EXPECT_THAT(test.Word(), AnyOf(change.before, change.after, "none"));
    if (done) {
      EXPECT_THAT(test.Word(), AnyOf(change.after, "none"));
    }
    ExpectWorks(test);
  }
}

TEST_P(DatasetChange, SurvivesADiskThatIsFull) {
  const Change& change = GetParam();
  TestDataset test;
  Prepare(test);
  test.files().LimitSpace(10);
  const auto done = change.act(test);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::kNoSpace);
  EXPECT_THAT(test->status().last_error, Not(IsEmpty()));
  test.files().ClearFaults();
  ASSERT_TRUE(change.act(test));
  EXPECT_EQ(test.Word(), change.after);
  ExpectWorks(test);
}

// Word two has failed its probation; word one is where it goes back to.
TEST(ProbationRollback, SurvivesACrashAtEveryOperation) {
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(
          fmt::format("crash at operation {}, survival {}", n, static_cast<int>(survival)));
      TestDataset test(n);
      test.options().probation.window = std::chrono::minutes(1);
      test.Open();
      test.Load("one");
      test.Load("two");
      FailReads(test);
      test.files().CrashAtOperation(n);
      test->CheckProbation(std::chrono::steady_clock::now());
      const bool crashed = test.files().crashed();
      const bool left = test.Word() == "one";
      test.Close();
      test.files().Reboot(survival);
      test.Open();
      EXPECT_THAT(test.Word(), AnyOf("one", "two"));
      if (left) {
        EXPECT_EQ(test.Word(), "one");
        EXPECT_EQ(test->status().refused_version, 2U);
        EXPECT_FALSE(test->Refresh(true)) << "the same file is not taken again";
        EXPECT_EQ(test.Word(), "one");
      }
      test.Load("afterwards");
      EXPECT_EQ(test.Word(), "afterwards");
      if (!crashed) {
        EXPECT_TRUE(left);
        EXPECT_GT(n, 5U);
        break;
      }
    }
  }
}

// Whatever was cut short: a refused version is served only after it was accepted, and one that was
// accepted is never refused again.
TEST(Refusal, IsNeverUndoneAndNeverComesBackWhateverOperationACrashMeets) {
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      SCOPED_TRACE(
          fmt::format("crash at operation {}, survival {}", n, static_cast<int>(survival)));
      TestDataset test(n);
      test.options().gate = StrictGates();
      test.Open();
      test.Load("one");
      test.PutDoubled("two");
      test.files().CrashAtOperation(n);
      const auto refused = test->Refresh(true);
      EXPECT_FALSE(refused);
      const auto accepted = test->Accept();
      const auto rolled_back = test->Rollback(1);
      const bool crashed = test.files().crashed();
      test.Close();
      test.files().Reboot(survival);
      test.Open();
      if (!accepted) {
        // Named by nobody, or accepted although the answer was lost.
        if (test.Word() == "one") {
          EXPECT_FALSE(test->Rollback(2)) << "nobody has accepted it";
        }
      } else {
        EXPECT_TRUE(test->Pin(2)) << "it was accepted";
        EXPECT_EQ(test.Word(), "two");
      }
      if (!crashed) {
        EXPECT_TRUE(rolled_back);
        break;
      }
    }
  }
}

// What may be done while version 3 is refused, or about to be.
struct Step {
  std::string name;
  std::function<void(TestDataset&)> act;
};

// Version 3 says three and does not pass the gates; one and two were served.
TEST(Refusal, OfAVersionThatNobodyAcceptedHoldsWhateverIsCutShort) {
  const std::vector<Step> steps = {
      {"refuse", [](TestDataset& test) { std::ignore = test->Refresh(true); }},
      {"roll back", [](TestDataset& test) { std::ignore = test->Rollback(1); }},
      {"follow again", [](TestDataset& test) { std::ignore = test->Unpin(); }},
      {"next version",
       [](TestDataset& test) {
         test.PutSource("four");
         std::ignore = test->Refresh(true);
       }},
  };
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(fmt::format("crash at operation {}", n));
    TestDataset test(n);
    test.options().gate = StrictGates();
    test.Open();
    test.Load("one");
    test.Load("two");
    test.PutDoubled("three");
    test.files().CrashAtOperation(n);
    for (const Step& step : steps) step.act(test);
    const bool crashed = test.files().crashed();
    test.Close();
    test.files().Reboot(io::Survival::kEverything);
    // STATE is written anew before the version is judged, and the directory opened again.
    for (int restart = 0; restart < 2; ++restart) {
      test.Open();
      EXPECT_THAT(test.Word(), AnyOf("one", "two", "four"));
      EXPECT_FALSE(test->Pin(3));
      EXPECT_TRUE(test->Pin(test.Number()));
      EXPECT_TRUE(test->Unpin());
      EXPECT_THAT(test.Word(), AnyOf("one", "two", "four"));
    }
    if (!crashed) break;
  }
}

TEST(Refusal, HoldsWhenAnOperatorRollsBackDuringTheCompile) {
  for (uint64_t n = 1;; ++n) {
    SCOPED_TRACE(fmt::format("crash at operation {}", n));
    TestDataset test(n);
    bool compiling = false;
    test.options().gate = StrictGates();
    test.options().progress = [&](std::string_view, double) {
      if (std::exchange(compiling, false)) std::ignore = test->Rollback(1);
    };
    test.Open();
    test.Load("one");
    test.Load("two");
    test.PutDoubled("three");
    test.files().CrashAtOperation(n);
    compiling = true;
    std::ignore = test->Refresh(true);
    const bool crashed = test.files().crashed();
    test.Close();
    test.files().Reboot(io::Survival::kEverything);
    test.Open();
    EXPECT_FALSE(test->Pin(3));
    ASSERT_TRUE(test->Unpin());
    EXPECT_EQ(test.Word(), "two");
    if (!crashed) break;
  }
}

TEST(Acceptance, HoldsAlthoughTheVerdictCouldNotBeRemovedAtOnce) {
  bool stayed = false;
  for (uint64_t n = 1; n <= 12; ++n) {
    SCOPED_TRACE(fmt::format("failure of operation {}", n));
    TestDataset test(n);
    test.options().gate = StrictGates();
    test.Open();
    test.Load("one");
    RefuseTwo(test);
    test.files().FailOperation(n);
    const auto accepted = test->Accept();
    test.files().ClearFaults();
    stayed |= accepted && test.HasVerdictFile(2);
    if (!accepted) continue;
    ASSERT_TRUE(test->Rollback(1));
    test.Open();
    EXPECT_TRUE(test->Pin(2));
  }
  EXPECT_TRUE(stayed);
}

INSTANTIATE_TEST_SUITE_P(All, DatasetChange, ::testing::ValuesIn(AllChanges()),
                         [](const auto& change) { return change.param.name; });

}  // namespace
}  // namespace larder::dataset

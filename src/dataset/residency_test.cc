#include <chrono>
#include <fstream>
#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/dataset.h"
#include "dataset/test_dataset.h"

namespace larder::dataset {
namespace {

constexpr std::chrono::milliseconds kLongEnough{60'000};

class DatasetResidency : public ::testing::Test {
 protected:
  DatasetResidency() { test_.options().residency = Residency::kHuge; }

  void OpenLoaded() {
    test_.Open();
    test_.Load("one");
    test_.Load("two");
  }
  Residency Reached() {
    const Version* const version = test_->Current();
    return version == nullptr ? Residency::kMapped : version->snapshot->residency();
  }
  bool WaitFor(const std::function<bool(const Status&)>& done) {
    return test_->WaitFor(done, kLongEnough);
  }

  TestDataset test_;
};

TEST_F(DatasetResidency, IsMappedUnlessSomethingElseIsAskedFor) {
  test_.options().residency = Options().residency;
  OpenLoaded();
  EXPECT_EQ(Reached(), Residency::kMapped);
  EXPECT_EQ(test_->status().residency, Residency::kMapped);
}

TEST_F(DatasetResidency, ANewVersionIsInMemoryWhenItIsSwitchedTo) {
  OpenLoaded();
  EXPECT_EQ(Reached(), Residency::kHuge);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(test_->status().residency, Residency::kHuge);
  EXPECT_EQ(test_->status().residency_shortfall, "");
}

TEST_F(DatasetResidency, SoIsOneThatIsRolledBackToPinnedAndUnpinned) {
  OpenLoaded();
  ASSERT_TRUE(test_->Rollback(std::nullopt));
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_EQ(Reached(), Residency::kHuge);
  ASSERT_TRUE(test_->Unpin());
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(Reached(), Residency::kHuge);
  ASSERT_TRUE(test_->Pin(1));
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_EQ(Reached(), Residency::kHuge);
}

TEST_F(DatasetResidency, SoIsOneThatWasRefusedAndIsAccepted) {
  test_.options().gate = StrictGates();
  OpenLoaded();
  test_.PutDoubled("three");
  ASSERT_FALSE(test_->Refresh(true));
  EXPECT_EQ(test_.Word(), "two");
  ASSERT_TRUE(test_->Accept());
  EXPECT_EQ(test_.Word(), "three");
  EXPECT_EQ(Reached(), Residency::kHuge);
}

// Addresses that are to be in huge pages, in KiB.
uint64_t ReservedForHugePages() {
  std::ifstream mappings("/proc/self/smaps");
  uint64_t size = 0;
  uint64_t sum = 0;
  for (std::string line; std::getline(mappings, line);) {
    if (line.starts_with("Size:")) size = std::stoull(line.substr(5));
    if (line.starts_with("VmFlags:") && line.contains(" hg")) sum += size;
  }
  return sum;
}

TEST_F(DatasetResidency, NoCopyIsKeptOfAVersionThatIsNotServed) {
  test_.options().gate = StrictGates();
  OpenLoaded();
  const uint64_t before = ReservedForHugePages();
  EXPECT_GT(before, 0U);
  test_.PutDoubled("three");
  ASSERT_FALSE(test_->Refresh(true)) << "refused by a gate";
  EXPECT_EQ(ReservedForHugePages(), before);
  ASSERT_FALSE(test_->Pin(3)) << "it is refused";
  EXPECT_EQ(ReservedForHugePages(), before);
  ASSERT_TRUE(test_->Pin(2)) << "it is served";
  ASSERT_TRUE(test_->Accept()) << "it is pinned";
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(ReservedForHugePages(), before);
}

TEST_F(DatasetResidency, TheVersionFoundAtTheStartIsServedAtOnceAndBroughtInWhileWatching) {
  OpenLoaded();
  test_.Open();
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(Reached(), Residency::kMapped);
  const uint64_t switches = test_->status().switches;
  test_->StartWatching();
  EXPECT_TRUE(WaitFor([](const Status& status) { return status.residency == Residency::kHuge; }));
  EXPECT_TRUE(WaitFor([](const Status& status) { return status.resident_bytes > 0; }));
  test_->StopWatching();
  EXPECT_EQ(Reached(), Residency::kHuge);
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_EQ(test_.Number(), 2U);
  EXPECT_EQ(test_->status().switches, switches) << "no other version";
  EXPECT_EQ(test_->status().resident_bytes, test_->status().file_bytes);
}

TEST_F(DatasetResidency, AnotherModeHoldsFromTheNextVersionOn) {
  OpenLoaded();
  Options other = test_.options();
  other.residency = Residency::kPopulated;
  test_->Reconfigure(other);
  ASSERT_TRUE(test_->Refresh(true));
  EXPECT_EQ(Reached(), Residency::kHuge);
  test_.Load("three");
  EXPECT_EQ(Reached(), Residency::kPopulated);
  EXPECT_EQ(test_.Word(), "three");
}

TEST_F(DatasetResidency, AVersionWhoseFileIsNoSnapshotAnyMoreIsNotSwitchedTo) {
  OpenLoaded();
  test_.files().PutFile(test_.PathOf(1), "no Snapshot");
  EXPECT_FALSE(test_->Pin(1));
  EXPECT_EQ(test_.Word(), "two");
  EXPECT_TRUE(test_->Versions().front().damaged);
}

TEST_F(DatasetResidency, WhatIsGoneBackToBecauseOfDamageIsServedAtOnce) {
  OpenLoaded();
  test_.files().PutFile(test_.PathOf(2), "no Snapshot");
  test_.Open();
  EXPECT_EQ(test_.Word(), "one");
}

}  // namespace
}  // namespace larder::dataset

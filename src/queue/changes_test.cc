#include "queue/changes.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "queue/test_changes.h"

namespace larder::queue {
namespace {

using testing::HasSubstr;

std::string Encoded(const Change& change) {
  std::string bytes;
  EncodeChange(change, bytes);
  return bytes;
}

std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

void ExpectWrong(std::string_view bytes, std::string_view why) {
  const auto change = DecodeChange(bytes);
  ASSERT_FALSE(change) << why;
  EXPECT_EQ(change.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(change.error().message(), HasSubstr(why));
}

TEST(Changes, EveryKindIsDecodedAsItWasEncoded) {
  for (const Change& change : ChangesForTest()) {
    ASSERT_TRUE(CheckChange(change)) << change.index();
    const auto decoded = DecodeChange(Encoded(change));
    ASSERT_TRUE(decoded) << decoded.error().message();
    EXPECT_EQ(*decoded, change);
  }
}

// docs/formats/queue.md; what is on a disk somewhere must stay readable.
TEST(Changes, TheBytesAreThoseOfTheFormat) {
  EXPECT_EQ(Encoded(Delete{.ranges = {{1, 2}, {5, 200}}}), Bytes({1, 2, 1, 1, 3, 0xc3, 1}));
  EXPECT_EQ(Encoded(SetGroup{.group = "g",
                             .settings = {.visibility_timeout_ms = 300,
                                          .max_deliveries = 5,
                                          .dead_letter = {"d", "p"}},
                             .next = 7}),
            Bytes({2, 1, 'g', 0xac, 2, 5, 1, 'd', 1, 'p', 7}));
  EXPECT_EQ(Encoded(DropGroup{.group = "g"}), Bytes({3, 1, 'g'}));
  EXPECT_EQ(Encoded(Deliver{
                .group = "g", .consumer = "c", .now_ms = 1, .deadline_ms = 2, .ranges = {{9, 9}}}),
            Bytes({4, 1, 'g', 1, 'c', 1, 2, 1, 9, 0}));
  EXPECT_EQ(Encoded(Acknowledge{.group = "g", .delete_when_done = true, .ranges = {{9, 9}}}),
            Bytes({5, 1, 'g', 1, 1, 9, 0}));
  EXPECT_EQ(Encoded(Release{.group = "g", .available_at_ms = -1, .ranges = {}}),
            Bytes({6, 1, 'g', 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0}));
  EXPECT_EQ(Encoded(Extend{.group = "g", .deadline_ms = 3, .ranges = {{9, 9}}}),
            Bytes({7, 1, 'g', 3, 1, 9, 0}));
  EXPECT_EQ(Encoded(Moving{.number = 9, .to = {"d", "p"}, .destination_committed = 4}),
            Bytes({8, 9, 1, 'd', 1, 'p', 4}));
  EXPECT_EQ(Encoded(CancelMove{.number = 9}), Bytes({9, 9}));
  EXPECT_EQ(Encoded(Arrived{.from = {'i', 'd'}, .needed_behind = 4, .records = {{5, 9}, {8, 7}}}),
            Bytes({11, 'i', 'd', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 5, 18, 3, 3}));
}

TEST(Changes, TheBytesOfACheckpointAreThoseOfTheFormat) {
  Checkpoint checkpoint;
  checkpoint.deleted = {{1, 2}};
  checkpoint.groups = {{.name = "g", .settings = {}, .next = 8, .consumers = {"c"}, .pending = {}}};
  checkpoint.groups[0].pending = {
      {.number = 3, .consumer = 0, .delivered_at_ms = 10, .deadline_ms = 30, .deliveries = 1},
      {.number = 7, .consumer = 0, .delivered_at_ms = 9, .deadline_ms = 9, .deliveries = 2}};
  checkpoint.moves = {{.number = 4, .to = {"d", "p"}, .destination_committed = 5}};
  checkpoint.arrivals = {{.from = {'i'}, .needed_behind = 3, .records = {{6, 1}}}};
  EXPECT_EQ(Encoded(checkpoint), Bytes({10,                               //
                                        1,   1, 1,                        // deleted
                                        1,   1, 'g', 0,   0,  0,   0, 8,  // the group
                                        1,   1, 'c',                      // its consumers
                                        2,   3, 0,   20,  40, 1,          // what is pending
                                        4,   0, 1,   0,   2,              //
                                        1,   4, 1,   'd', 1,  'p', 5,     //
                                        1,                                // what arrived
                                        'i', 0, 0,   0,   0,  0,   0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                        3,   1, 6,   2}));
}

TEST(Changes, NoTruncationIsAChange) {
  for (const Change& change : ChangesForTest()) {
    const std::string whole = Encoded(change);
    for (size_t size = 0; size < whole.size(); ++size) {
      // Of exact size, so that the address sanitizer sees a read past the end.
      const std::vector<char> exact(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
      const auto decoded = DecodeChange({exact.data(), exact.size()});
      ASSERT_FALSE(decoded) << change.index() << " at " << size;
      EXPECT_EQ(decoded.error().code(), ErrorCode::kCorrupt);
    }
    ExpectWrong(whole + '\0', "is not right");
  }
}

TEST(Changes, WhateverIsDecodedIsEncodedAsItWas) {
  uint64_t decoded_ones = 0;
  for (uint64_t seed = 0; seed < ScaledCount(20'000, 1000); ++seed) {
    std::mt19937_64 random(seed);
    const std::vector<Change> changes = ChangesForTest();
    std::string bytes = Encoded(changes[random() % changes.size()]);
    for (uint64_t left = random() % 4; left != 0; --left)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) {
      bytes.resize(random() % 40);
      for (char& byte : bytes) byte = static_cast<char>(random());
    }
    const auto decoded = DecodeChange(bytes);
    if (!decoded) continue;
    ++decoded_ones;
    ASSERT_EQ(Encoded(*decoded), bytes);
  }
  EXPECT_GT(decoded_ones, 0U);
}

TEST(Changes, ANumberHasOneEncoding) {
  EXPECT_TRUE(DecodeChange(Bytes({9, 9})));
  ExpectWrong(Bytes({9, 0x89, 0}), "is not right");
  ExpectWrong(Bytes({9, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2}), "is not right");
  ExpectWrong(Bytes({9, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0x81, 0}), "is not right");
}

TEST(Changes, NumbersAreThoseThatRecordsCanHave) {
  ExpectWrong(Bytes({9, 0}), "a number that no record has");
  ExpectWrong(Bytes({9, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}),
              "a number that no record has");
  ExpectWrong(Bytes({1, 1, 0, 0}), "a number that no record has");
  // The last number of the range would be 2^64 - 1.
  ExpectWrong(Bytes({1, 1, 1, 254, 255, 255, 255, 255, 255, 255, 255, 255, 1}), "is not right");
}

TEST(Changes, RangesAscendAndDoNotTouch) {
  EXPECT_TRUE(DecodeChange(Bytes({1, 2, 1, 0, 2, 0})));
  ExpectWrong(Bytes({1, 2, 1, 0, 1, 0}), "ranges that do not ascend, or touch");
  ExpectWrong(Bytes({1, 2, 1, 0, 0, 0}), "ranges that do not ascend, or touch");
  EXPECT_FALSE(CheckChange(Delete{.ranges = {{5, 6}, {3, 3}}}));
  EXPECT_FALSE(CheckChange(Delete{.ranges = {{6, 5}}}));
}

TEST(Changes, OneDeliveryIsBounded) {
  Deliver deliver{.group = "g", .consumer = "c", .ranges = {{1, kMaxDelivered}}};
  EXPECT_TRUE(CheckChange(deliver));
  deliver.ranges = {{1, kMaxDelivered + 1}};
  EXPECT_FALSE(CheckChange(deliver));
  deliver.ranges = {{1, kMaxDelivered}, {kMaxDelivered + 2, kMaxDelivered + 2}};
  EXPECT_FALSE(CheckChange(deliver));
  deliver.ranges = {{1, kGreatest}};
  ExpectWrong(Encoded(deliver), "too many numbers");
}

TEST(Changes, NamesAreBounded) {
  EXPECT_FALSE(CheckChange(DropGroup{.group = ""}));
  EXPECT_TRUE(CheckChange(DropGroup{.group = std::string(kMaxNameBytes, 'x')}));
  EXPECT_FALSE(CheckChange(DropGroup{.group = std::string(kMaxNameBytes + 1, 'x')}));
  EXPECT_FALSE(CheckChange(
      Deliver{.group = "g", .consumer = std::string(kMaxNameBytes + 1, 'x'), .ranges = {}}));
  EXPECT_FALSE(CheckChange(Moving{
      .number = 1, .to = {.directory = std::string(kMaxDirectoryBytes + 1, 'x'), .prefix = {}}}));
  EXPECT_FALSE(CheckChange(Moving{
      .number = 1, .to = {.directory = {}, .prefix = std::string(kMaxPrefixBytes + 1, 'x')}}));
}

TEST(Changes, AKindOfLaterIsNoDamage) {
  const auto change = DecodeChange(Bytes({12, 1}));
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(DecodeChange(Bytes({0})).error().code(), ErrorCode::kUnsupported);
}

TEST(Changes, ArrivalsAscendAndAreNeeded) {
  const Arrived right{.from = {'i'}, .needed_behind = 4, .records = {{5, 9}, {8, 7}}};
  EXPECT_TRUE(CheckChange(right));
  Arrived wrong = right;
  wrong.needed_behind = 5;
  ExpectWrong(Encoded(wrong), "arrivals that do not ascend, or that nobody needs");
  wrong = right;
  wrong.records[1].here = 5;
  ExpectWrong(Encoded(wrong), "arrivals that do not ascend, or that nobody needs");
  wrong = right;
  wrong.records[1].there = 0;
  ExpectWrong(Encoded(wrong), "a number that no record has");
  wrong = right;
  wrong.records[1].there = UINT64_MAX;
  ExpectWrong(Encoded(wrong), "a number that no record has");
}

void ExpectWrongCheckpoint(void (*spoil)(Checkpoint&), std::string_view why) {
  Checkpoint checkpoint = CheckpointForTest();
  spoil(checkpoint);
  const auto checked = CheckChange(checkpoint);
  ASSERT_FALSE(checked) << why;
  EXPECT_THAT(checked.error().message(), HasSubstr(why));
}

TEST(Changes, ACheckpointIsAStateThatCanBe) {
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[0].name = "mail"; },
                        "groups that do not ascend");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[0].name.clear(); }, "without a name");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[0].next = 0; }, "without a next number");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[1].pending[1].number = 3; },
                        "pending numbers that do not ascend");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[1].pending[1].number = 200; },
                        "a pending number that is deleted");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[1].pending[1].consumer = 2; },
                        "a consumer that is not in the list");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[1].pending[1].consumer = 1; },
                        "a consumer that has nothing pending");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.groups[1].consumers[1].clear(); },
                        "consumers that do not ascend");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.moves[1].number = 3; }, "moves that do not ascend");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.moves[0].number = 1; },
                        "a deleted number that moves");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.arrivals[1].from = {'a'}; },
                        "queues of arrivals that do not ascend");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.arrivals[0].needed_behind = 10; },
                        "arrivals that do not ascend, or that nobody needs");
  ExpectWrongCheckpoint([](Checkpoint& of) { of.deleted[0].last = 4; },
                        "ranges that do not ascend");
}

}  // namespace
}  // namespace larder::queue

// What followers may leave waiting: a mailbox and the soft limit by themselves.
#include "server/mailbox.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "server/limits.h"
#include "server/soft_limit.h"

namespace larder::server {
namespace {

constexpr size_t kMessageBytes = size_t{1} << 20;

Delivery DeliveryOf(const std::string& body) {
  auto publication = std::make_shared<Publication>();
  publication->body = body;
  return {.publication = std::move(publication)};
}

class MailboxTest : public testing::Test {
 protected:
  // Fills it up to less than one message below the bound; returns with how many.
  size_t Fill() {
    size_t count = 0;
    // One body for all of them: the bound is of what is waiting, not of memory.
    while ((count + 1) * (kMessageBytes + sizeof(Letter)) <= kMailboxBytes) {
      EXPECT_EQ(mailbox_.Put(large_), count == 0);
      ++count;
    }
    return count;
  }

  Mailbox mailbox_;
  Delivery large_ = DeliveryOf(std::string(kMessageBytes, 'x'));
  Mailbox::Taken taken_;
};

TEST_F(MailboxTest, WakesOnceForAllThatWaits) {
  EXPECT_TRUE(mailbox_.Put(Killing{.connection = 1}));
  EXPECT_FALSE(mailbox_.Put(Killing{.connection = 2}));
  mailbox_.Take(taken_);
  ASSERT_EQ(taken_.letters.size(), 2U);
  EXPECT_EQ(std::get<Killing>(taken_.letters[1]).connection, 2U);
  EXPECT_FALSE(taken_.lost);
  taken_.letters.clear();
  EXPECT_TRUE(mailbox_.Put(Killing{.connection = 3}));
}

TEST_F(MailboxTest, MessagesBeyondItsBoundAreDroppedAndThatIsTold) {
  const size_t kept = Fill();
  EXPECT_FALSE(mailbox_.Put(large_));
  mailbox_.Take(taken_);
  EXPECT_EQ(taken_.letters.size(), kept);
  EXPECT_TRUE(taken_.lost);
  taken_.letters.clear();
  // There is room again, and nothing more to tell.
  EXPECT_TRUE(mailbox_.Put(large_));
  mailbox_.Take(taken_);
  EXPECT_EQ(taken_.letters.size(), 1U);
  EXPECT_FALSE(taken_.lost);
}

TEST_F(MailboxTest, LinesForMonitorsAreBoundedToo) {
  const size_t kept = Fill();
  const auto line = std::make_shared<const std::string>(kMessageBytes, 'x');
  EXPECT_FALSE(mailbox_.Put(MonitorLine{.line = line, .skipped = 0}));
  mailbox_.Take(taken_);
  EXPECT_EQ(taken_.letters.size(), kept);
  EXPECT_TRUE(taken_.lost);
}

TEST_F(MailboxTest, WhatSomebodyWaitsForIsNeverDropped) {
  const size_t kept = Fill();
  EXPECT_FALSE(mailbox_.Put(large_));
  EXPECT_FALSE(mailbox_.Put(DeferralEnd{.connection = 7, .reply = {}}));
  EXPECT_FALSE(mailbox_.Put(Invalidation()));
  mailbox_.Take(taken_);
  ASSERT_EQ(taken_.letters.size(), kept + 2);
  EXPECT_EQ(std::get<DeferralEnd>(taken_.letters[kept]).connection, 7U);
}

TEST_F(MailboxTest, AClosedOneTakesNothing) {
  EXPECT_TRUE(mailbox_.Put(Invalidation()));
  mailbox_.Close();
  EXPECT_FALSE(mailbox_.Put(Invalidation()));
  mailbox_.Take(taken_);
  EXPECT_TRUE(taken_.letters.empty());
}

TEST(SoftLimitTest, IsOfTheTimeWithoutABreak) {
  constexpr uint64_t kAbove = kSubscriberSoftBytes + 1;
  constexpr int64_t kTime = kSubscriberSoftTime.count();
  SoftLimit limit;
  limit.Note(kAbove, 1000);
  EXPECT_FALSE(limit.Exceeded(1000));
  limit.Note(kAbove, 2000);
  EXPECT_FALSE(limit.Exceeded(1000 + kTime - 1));
  EXPECT_TRUE(limit.Exceeded(1000 + kTime));
  limit.Note(kSubscriberSoftBytes, 1000 + kTime);
  EXPECT_FALSE(limit.Exceeded(1000 + kTime));
  // A large message later is the first that counts.
  limit.Note(kAbove, 1000 + 2 * kTime);
  EXPECT_FALSE(limit.Exceeded(1000 + 2 * kTime));
  EXPECT_TRUE(limit.Exceeded(1000 + 3 * kTime));
}

}  // namespace
}  // namespace larder::server

#include "base/epoch.h"

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Epoch, WaitDoesNotWaitForReadersThatAreOutside) {
  EpochDomain epochs;
  EpochDomain::Reader never_entered = epochs.Register();
  EpochDomain::Reader left = epochs.Register();
  left.Enter();
  left.Leave();
  epochs.WaitForReaders();
}

TEST(Epoch, WaitDoesNotWaitForReadersThatEnteredAfterTheLastOne) {
  EpochDomain epochs;
  EpochDomain::Reader reader = epochs.Register();
  epochs.WaitForReaders();
  reader.Enter();
  reader.Leave();
  epochs.WaitForReaders();
}

TEST(Epoch, WaitReturnsOnlyAfterTheReaderInsideHasLeft) {
  EpochDomain epochs;
  EpochDomain::Reader reader = epochs.Register();
  std::atomic<bool> left{false};
  reader.Enter();
  std::thread writer([&] {
    epochs.WaitForReaders();
    EXPECT_TRUE(left.load());
  });
  // Long enough for a wait that does not wait to be over.
  for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
  left.store(true);
  reader.Leave();
  writer.join();
}

TEST(Epoch, EnteringAnewIsEnoughForTheWriter) {
  EpochDomain epochs;
  EpochDomain::Reader reader = epochs.Register();
  std::atomic<bool> done{false};
  reader.Enter();
  std::thread writer([&] {
    epochs.WaitForReaders();
    done.store(true);
  });
  // A worker under load never sleeps: it goes from batch to batch.
  while (!done.load()) reader.Enter();
  writer.join();
  reader.Leave();
}

TEST(Epoch, PlaceOfADestroyedReaderIsTakenAgain) {
  EpochDomain epochs;
  for (size_t i = 0; i < 3 * kMaxEpochReaders; ++i) {
    EpochDomain::Reader reader = epochs.Register();
    reader.Enter();
  }
  epochs.WaitForReaders();
}

TEST(Epoch, MovedReaderStaysInside) {
  EpochDomain epochs;
  EpochDomain::Reader first = epochs.Register();
  first.Enter();
  EpochDomain::Reader second = std::move(first);
  second.Leave();
  epochs.WaitForReaders();
  EpochDomain::Reader third;
  third = std::move(second);
  third.Enter();
  third.Leave();
}

TEST(EpochDeathTest, MoreReadersThanPlacesAbort) {
  EpochDomain epochs;
  std::vector<EpochDomain::Reader> readers;
  for (size_t i = 0; i < kMaxEpochReaders; ++i) readers.push_back(epochs.Register());
  EXPECT_DEATH(std::ignore = epochs.Register(), "");
}

// An object that spoils itself when it goes: a reader that still sees it would notice, and the
// sanitizers would too.
struct Spoiling {
  uint64_t value = 0;
  uint64_t complement = ~uint64_t{0};
  explicit Spoiling(uint64_t number) : value(number), complement(~number) {}
  Spoiling(const Spoiling&) = delete;
  Spoiling& operator=(const Spoiling&) = delete;
  ~Spoiling() { value = complement = 0; }
};

TEST(Epoch, ReadersNeverSeeAFreedObject) {
  constexpr int kReaders = 2;
  constexpr uint64_t kSwitches = 2000;
  EpochDomain epochs;
  auto owned = std::make_unique<Spoiling>(1);
  std::atomic<const Spoiling*> current{owned.get()};
  std::atomic<bool> stop{false};
  std::atomic<int> reading{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&] {
      EpochDomain::Reader reader = epochs.Register();
      uint64_t last = 0;
      reading.fetch_add(1);
      while (!stop.load(std::memory_order_relaxed)) {
        reader.Enter();
        const Spoiling* const seen = current.load();
        for (int again = 0; again < 8; ++again) ASSERT_EQ(seen->value, ~seen->complement);
        ASSERT_GE(seen->value, last) << "went back a version";
        last = seen->value;
        reader.Leave();
        std::this_thread::yield();  // so that it is rarely preempted inside, on a busy machine
      }
    });
  }
  while (reading.load() < kReaders) std::this_thread::yield();
  for (uint64_t number = 2; number < kSwitches; ++number) {
    auto next = std::make_unique<Spoiling>(number);
    current.store(next.get());
    epochs.WaitForReaders();
    owned = std::move(next);  // frees the previous one
  }
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace larder

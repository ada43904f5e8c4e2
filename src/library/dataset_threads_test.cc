// Readers of all three kinds, callbacks and changes side by side.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "larder/dataset.h"
#include "library/test_program.h"

namespace larder {
namespace {

class LibraryThreadsTest : public ::testing::Test {
 protected:
  LibraryThreadsTest() {
    program_.PublishWord("one");
    dataset_.emplace(program_.Open());
    program_.Load(*dataset_, "two");
  }
  ~LibraryThreadsTest() override {
    stop_.store(true);
    for (std::thread& thread : threads_) thread.join();
    EXPECT_EQ(mixed_.load(), 0);
  }

  // Runs `round` on a thread of its own until the test ends.
  template <typename Round>
  void Keep(Round round) {
    threads_.emplace_back([this, round = std::move(round)]() mutable {
      while (!stop_.load()) round();
    });
  }
  void Judge(const std::string& word) {
    if (word != "one" && word != "two") mixed_.fetch_add(1);
    rounds_.fetch_add(1);
  }
  void StartReaders() {
    Keep([this] { Judge(WordIn(dataset_->Current())); });
    Keep([this, reader = *dataset_->NewReader()]() mutable { Judge(WordIn(reader.Enter())); });
    Keep([this] {
      std::vector<std::string> owned;
      for (int i = 0; i < kSourceRecords; ++i) owned.push_back(KeyOf(i));
      const std::vector<std::string_view> keys(owned.begin(), owned.end());
      std::vector<std::optional<Value>> values(keys.size());
      const Snapshot held = dataset_->FindMany(keys, values);
      const std::string word(values[0]->text());
      for (const auto& value : values) Judge(value->text() == word ? word : "mixed");
    });
  }

  TestProgram program_;
  std::optional<Dataset> dataset_;
  std::atomic<bool> stop_{false};
  std::atomic<int> mixed_{0};
  std::atomic<uint64_t> rounds_{0};
  std::vector<std::thread> threads_;
};

TEST_F(LibraryThreadsTest, ReadersSeeWholeVersionsWhileTheySwitch) {
  StartReaders();
  const uint64_t switches = ScaledCount(200);
  for (uint64_t i = 0; i < switches; ++i) {
    ASSERT_TRUE(dataset_->Pin(i % 2 == 0 ? 1 : 2));
    const uint64_t before = rounds_.load();
    while (rounds_.load() == before) std::this_thread::yield();
  }
}

TEST_F(LibraryThreadsTest, CallbackIsToldOfEverySwitchInOrderWithReadersMoved) {
  StartReaders();
  const uint64_t switches = ScaledCount(200);
  uint64_t told = 0;
  uint64_t last = 2;
  auto reader = *dataset_->NewReader();
  const Subscription subscription = dataset_->OnSwitch([&](const SwitchEvent& event) {
    EXPECT_EQ(event.previous, last);
    EXPECT_EQ(dataset_->Current().version_number(), event.current);
    EXPECT_EQ(reader.Enter().version_number(), event.current);
    last = event.current;
    ++told;
  });
  for (uint64_t i = 0; i < switches; ++i) ASSERT_TRUE(dataset_->Pin(i % 2 == 0 ? 1 : 2));
  EXPECT_EQ(told, switches);
}

TEST_F(LibraryThreadsTest, EndedSubscriptionIsNotRunning) {
  Keep([this, next = uint64_t{1}]() mutable {
    EXPECT_TRUE(dataset_->Pin(next));
    next = 3 - next;
    rounds_.fetch_add(1);
  });
  const uint64_t subscriptions = ScaledCount(200);
  for (uint64_t i = 0; i < subscriptions; ++i) {
    // On the heap, so that a late call is seen by the sanitizers.
    auto alive = std::make_unique<std::atomic<uint64_t>>(0);
    Subscription subscription =
        dataset_->OnSwitch([counter = alive.get()](const SwitchEvent&) { counter->fetch_add(1); });
    while (alive->load() == 0) std::this_thread::yield();
    subscription.End();
    const uint64_t calls = alive->load();
    const uint64_t before = rounds_.load();
    while (rounds_.load() < before + 2) std::this_thread::yield();
    EXPECT_EQ(alive->load(), calls);
  }
}

TEST_F(LibraryThreadsTest, HandlesAndReadersComeAndGoWhileItSwitches) {
  for (int i = 0; i < 2; ++i) {
    Keep([this] {
      const Dataset copy = *dataset_;
      auto reader = *copy.NewReader();
      const Snapshot held = copy.Current();
      Judge(WordIn(reader.Enter()));
      Judge(WordIn(held));
    });
  }
  const uint64_t switches = ScaledCount(200);
  for (uint64_t i = 0; i < switches; ++i) ASSERT_TRUE(dataset_->Pin(i % 2 == 0 ? 1 : 2));
}

}  // namespace
}  // namespace larder

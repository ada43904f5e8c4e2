// The public Queue and TypedQueue, on the real file system.
#include "larder/queue.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/bytes.h"
#include "io/file_system.h"
#include "io/test_directory.h"
#include "larder/typed_queue.h"

namespace larder {
namespace {

using testing::HasSubstr;

Queue MustOpen(const QueueOptions& options) {
  auto queue = Queue::Open(options);
  if (!queue) ADD_FAILURE() << queue.error().message();
  return *std::move(queue);
}

std::string TextOf(const Result<std::optional<QueueRecord>>& record) {
  if (!record) return record.error().message();
  const std::optional<QueueRecord>& found = *record;
  return found.has_value() ? std::string(found->data) : "nothing";
}

template <typename T>
T ValueOf(const Result<std::optional<TypedRecord<T>>>& record) {
  if (!record) return T();
  const std::optional<TypedRecord<T>>& found = *record;
  return found.has_value() ? found->value.value_or(T()) : T();
}

TEST(PublicQueue, AppendsPopsAndReadsByNumber) {
  const io::TestDirectory directory;
  const Queue queue = MustOpen({.directory = directory.path() + "/jobs"});
  EXPECT_EQ(queue.Append("one"), 1U);
  const std::vector<std::string_view> batch = {"two", "three"};
  EXPECT_EQ(queue.Append(batch), 3U);
  EXPECT_EQ(queue.Read(2)->data, "two");
  EXPECT_EQ(TextOf(queue.ReadFront()), "one");
  EXPECT_EQ(TextOf(queue.Pop()), "one");
  EXPECT_EQ(queue.Delete({2}), 1U);
  EXPECT_EQ(queue.Peek(9)->size(), 1U);
  EXPECT_EQ(queue.Clear(), 1U);
  EXPECT_EQ(TextOf(queue.Pop()), "nothing");
  EXPECT_EQ(queue.Length(), 0U);
  ASSERT_TRUE(queue.Sync());
  ASSERT_TRUE(queue.Close());
  EXPECT_FALSE(queue.Append("after"));
}

TEST(PublicQueue, ANewQueueIsSmallOnDisk) {
  const io::TestDirectory directory;
  const Queue queue = MustOpen({.directory = directory.path() + "/jobs"});
  ASSERT_TRUE(queue.Append("one"));
  ASSERT_EQ(TextOf(queue.Pop()), "one");
  io::FileSystem& files = io::RealFileSystem();
  const auto names = files.List(directory.path() + "/jobs");
  ASSERT_TRUE(names);
  constexpr uint64_t kBlock = 4096;
  uint64_t bytes = 0;
  for (const std::string& name : *names)
    bytes += AlignUp(files.Stat(directory.path() + "/jobs/" + name)->bytes, kBlock);
  EXPECT_LE(bytes, uint64_t{64} << 10);
}

TEST(PublicQueue, GroupsAndDeadLetters) {
  const io::TestDirectory directory;
  const Queue queue = MustOpen({.directory = directory.path()});
  ASSERT_TRUE(queue.CreateGroup("workers", {.max_deliveries = 1,
                                            .dead_letter_directory = directory.path(),
                                            .dead_letter_prefix = "dead"}));
  ASSERT_TRUE(queue.Append("good"));
  ASSERT_TRUE(queue.Append("poison"));
  const auto received = queue.Receive("workers", "a", 9);
  ASSERT_EQ(received->size(), 2U);
  EXPECT_EQ(queue.Acknowledge("workers", {1}), 1U);
  EXPECT_EQ(queue.Extend("workers", {1, 2}, std::chrono::hours(1)), 1U);
  EXPECT_EQ(queue.Release("workers", {2}), 1U);
  EXPECT_TRUE(queue.Receive("workers", "b", 9)->empty());
  const Queue dead =
      MustOpen({.directory = directory.path(), .prefix = "dead", .writers = QueueWriters::kShared});
  EXPECT_EQ(TextOf(dead.Pop()), "poison");
}

// Two queues of one directory do not touch each other.
TEST(PublicQueue, ManyQueuesShareADirectory) {
  const io::TestDirectory directory;
  const Queue a = MustOpen({.directory = directory.path(), .prefix = "a"});
  const Queue b = MustOpen({.directory = directory.path(), .prefix = "a.b"});
  ASSERT_TRUE(a.Append("of a"));
  ASSERT_TRUE(b.Append("of b"));
  EXPECT_EQ(TextOf(b.Pop()), "of b");
  EXPECT_EQ(TextOf(a.Pop()), "of a");
  EXPECT_EQ(TextOf(a.Pop()), "nothing");
}

// ---- Typed: JSON, a fixed struct, and several types.

struct Order {
  std::string item;
  int64_t count = 0;

  bool operator==(const Order&) const = default;
};

struct OrderAsJson {
  void Serialize(const Order& order, std::string& to) const {
    fmt::format_to(std::back_inserter(to), R"({{"item":"{}","count":{}}})", order.item,
                   order.count);
  }
  Result<Order> Parse(std::string_view bytes) const {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    std::string_view item;
    Order order;
    if (parser.parse(simdjson::padded_string(bytes)).get(document) != simdjson::SUCCESS ||
        document["item"].get(item) != simdjson::SUCCESS ||
        document["count"].get(order.count) != simdjson::SUCCESS) {
      return std::unexpected(Error(ErrorCode::kCorrupt, "not an order"));
    }
    order.item = item;
    return order;
  }
};

struct Reading {
  uint64_t sensor = 0;
  double value = 0;

  bool operator==(const Reading&) const = default;
};

TEST(TypedQueueTest, OfJson) {
  const io::TestDirectory directory;
  const TypedQueue<Order, OrderAsJson> orders(MustOpen({.directory = directory.path()}));
  EXPECT_EQ(orders.Append({.item = "tea", .count = 3}), 1U);
  EXPECT_EQ(orders.queue().Read(1)->data, R"({"item":"tea","count":3})");
  EXPECT_EQ(orders.Read(1)->value, (Order{.item = "tea", .count = 3}));
  EXPECT_EQ(ValueOf(orders.Pop()), (Order{.item = "tea", .count = 3}));
  EXPECT_EQ(*orders.ReadFront(), std::nullopt);
}

TEST(TypedQueueTest, OfAFixedStruct) {
  const io::TestDirectory directory;
  const TypedQueue<Reading, FixedStruct<Reading>> readings(
      MustOpen({.directory = directory.path()}));
  const std::vector<Reading> batch = {{.sensor = 1, .value = 0.5}, {.sensor = 2, .value = 1.5}};
  EXPECT_EQ(readings.Append(batch), 2U);
  const auto popped = readings.PopMany(9);
  ASSERT_EQ(popped->size(), 2U);
  EXPECT_EQ((*popped)[0].value, batch[0]);
  EXPECT_EQ((*popped)[1].value, batch[1]);
}

TEST(TypedQueueTest, OfSeveralTypes) {
  using Event = std::variant<Order, Reading>;
  const io::TestDirectory directory;
  const TypedQueue<Event, Tagged<Event, OrderAsJson, FixedStruct<Reading>>> events(
      MustOpen({.directory = directory.path()}));
  ASSERT_TRUE(events.queue().CreateGroup("g"));
  ASSERT_TRUE(events.Append(Order{.item = "tea", .count = 1}));
  ASSERT_TRUE(events.Append(Reading{.sensor = 7, .value = 2}));
  const auto received = events.Receive("g", "a", 9);
  ASSERT_EQ(received->size(), 2U);
  EXPECT_EQ((*received)[0].value, Event(Order{.item = "tea", .count = 1}));
  EXPECT_EQ((*received)[1].value, Event(Reading{.sensor = 7, .value = 2}));
}

TEST(TypedQueueTest, ARecordThatCannotBeParsedIsNotLost) {
  using Event = std::variant<Reading>;
  const io::TestDirectory directory;
  const TypedQueue<Event, Tagged<Event, FixedStruct<Reading>>> events(
      MustOpen({.directory = directory.path()}));
  ASSERT_TRUE(events.queue().Append(std::string_view("\x05 of a later program")));
  ASSERT_TRUE(events.queue().Append(std::string_view("\0short", 6)));
  ASSERT_TRUE(events.queue().Append(""));
  const auto popped = events.PopMany(9);
  ASSERT_EQ(popped->size(), 3U);
  EXPECT_EQ((*popped)[0].data, "\x05 of a later program");
  EXPECT_THAT((*popped)[0].value.error().message(), HasSubstr("tag 5"));
  EXPECT_THAT((*popped)[1].value.error().message(), HasSubstr("5 bytes"));
  EXPECT_THAT((*popped)[2].value.error().message(), HasSubstr("without a tag"));
}

}  // namespace
}  // namespace larder

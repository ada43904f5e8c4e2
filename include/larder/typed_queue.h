// TypedQueue: a Queue of values. What they are in bytes says a serializer, any class with
//
//   void Serialize(const T& value, std::string& to) const;    // appends
//   Result<T> Parse(std::string_view bytes) const;
//
//   struct Job { uint64_t id; double weight; };
//   larder::TypedQueue<Job, larder::FixedStruct<Job>> jobs(*larder::Queue::Open({...}));
//   jobs.Append({.id = 7, .weight = 0.5});
//   if (auto job = jobs.Pop(); job && *job && (*job)->value) Work(*(*job)->value);
//
// Two serializers are here: FixedStruct, and Tagged for values of several types.
//
// Errors:  a record that cannot be parsed is no failure of the call: its `value` is the error, and
//          its bytes are there, so that what was popped is not lost.
// Threads: those of Queue; the serializer is used by all of them at once.
// The rest: see larder/queue.h; queue() is the Queue underneath.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "larder/error.h"
#include "larder/queue.h"

namespace larder {

template <typename S, typename T>
concept QueueSerializer =
    requires(const S& serializer, const T& value, std::string& to, std::string_view bytes) {
      serializer.Serialize(value, to);
      { serializer.Parse(bytes) } -> std::same_as<Result<T>>;
    };

template <typename T>
struct TypedRecord : QueueRecord {
  Result<T> value;
};

template <typename T, QueueSerializer<T> S>
class TypedQueue {
 public:
  using Record = TypedRecord<T>;

  explicit TypedQueue(Queue queue, S serializer = {})
      : queue_(std::move(queue)), serializer_(std::move(serializer)) {}

  const Queue& queue() const { return queue_; }

  Result<uint64_t> Append(const T& value) const { return Append({&value, 1}); }
  // All or none.
  Result<uint64_t> Append(std::span<const T> values) const {
    std::vector<std::string> bytes(values.size());
    for (size_t i = 0; i < values.size(); ++i) serializer_.Serialize(values[i], bytes[i]);
    const std::vector<std::string_view> views(bytes.begin(), bytes.end());
    return queue_.Append(views);
  }

  Result<Record> Read(uint64_t number) const {
    auto record = queue_.Read(number);
    if (!record) return std::unexpected(std::move(record).error());
    return Parsed(*record);
  }
  Result<std::optional<Record>> ReadFront() const { return ParsedFirst(queue_.ReadFront()); }
  Result<std::vector<Record>> ReadMany(uint64_t number, size_t count) const {
    return ParsedAll(queue_.ReadMany(number, count));
  }
  Result<std::optional<Record>> Pop() const { return ParsedFirst(queue_.Pop()); }
  Result<std::vector<Record>> PopMany(size_t count) const {
    return ParsedAll(queue_.PopMany(count));
  }
  Result<std::vector<Record>> Receive(std::string_view group, std::string_view consumer,
                                      size_t count, std::chrono::milliseconds timeout = {}) const {
    return ParsedAll(queue_.Receive(group, consumer, count, timeout));
  }

 private:
  Record Parsed(const QueueRecord& record) const {
    return Record{record, serializer_.Parse(record.data)};
  }
  Result<std::optional<Record>> ParsedFirst(Result<std::optional<QueueRecord>> record) const {
    if (!record) return std::unexpected(std::move(record).error());
    if (!*record) return std::optional<Record>();
    return std::optional<Record>(Parsed(**record));
  }
  Result<std::vector<Record>> ParsedAll(Result<std::vector<QueueRecord>> records) const {
    if (!records) return std::unexpected(std::move(records).error());
    std::vector<Record> parsed;
    parsed.reserve(records->size());
    for (const QueueRecord& record : *records) parsed.push_back(Parsed(record));
    return parsed;
  }

  Queue queue_;
  S serializer_;
};

// The bytes of a struct as they are in memory: for programs of one kind of machine, and structs
// that do not change. Bytes between the members are written, too: make them members.
template <typename T>
  requires std::is_trivially_copyable_v<T>
struct FixedStruct {
  void Serialize(const T& value, std::string& to) const {
    to.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  Result<T> Parse(std::string_view bytes) const {
    if (bytes.size() != sizeof(T)) {
      return std::unexpected(Error(ErrorCode::kCorrupt,
                                   "a record of " + std::to_string(bytes.size()) +
                                       " bytes, where a struct has " + std::to_string(sizeof(T))));
    }
    std::array<char, sizeof(T)> copy;
    std::memcpy(copy.data(), bytes.data(), sizeof(T));
    return std::bit_cast<T>(copy);
  }
};

// One of several types: a byte that tells which, by its place in the list, then the bytes that its
// own serializer makes. So types are added at the end, and none is taken away.
//
//   using Event = std::variant<Opened, Closed>;
//   larder::TypedQueue<Event, larder::Tagged<Event, OpenedAsJson, larder::FixedStruct<Closed>>>
template <typename Variant, typename... Serializers>
  requires(std::variant_size_v<Variant> == sizeof...(Serializers) && sizeof...(Serializers) < 256)
class Tagged {
 public:
  void Serialize(const Variant& value, std::string& to) const {
    to.push_back(static_cast<char>(value.index()));
    SerializeFrom<0>(value, to);
  }
  Result<Variant> Parse(std::string_view bytes) const {
    if (bytes.empty()) return std::unexpected(Error(ErrorCode::kCorrupt, "a record without a tag"));
    return ParseFrom<0>(static_cast<uint8_t>(bytes[0]), bytes.substr(1));
  }

 private:
  template <size_t I>
  void SerializeFrom(const Variant& value, std::string& to) const {
    if constexpr (I < sizeof...(Serializers)) {
      if (value.index() == I) {
        std::get<I>(serializers_).Serialize(*std::get_if<I>(&value), to);
      } else {
        SerializeFrom<I + 1>(value, to);
      }
    }
  }
  template <size_t I>
  Result<Variant> ParseFrom(size_t tag, std::string_view bytes) const {
    if constexpr (I < sizeof...(Serializers)) {
      if (tag != I) return ParseFrom<I + 1>(tag, bytes);
      auto value = std::get<I>(serializers_).Parse(bytes);
      if (!value) return std::unexpected(std::move(value).error());
      return Variant(std::in_place_index<I>, *std::move(value));
    } else {
      return std::unexpected(Error(ErrorCode::kCorrupt, "a record with tag " + std::to_string(tag) +
                                                            ", which this program does not know"));
    }
  }

  std::tuple<Serializers...> serializers_;
};

}  // namespace larder

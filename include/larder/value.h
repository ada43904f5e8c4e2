// Value: what was found under a key, and typed views of it that copy nothing.
//
//   for (const auto& [field, text] : value.hash()) ...
//   std::optional<double> score = value.zset().Score("alice");
//
// A view of another type than the value's is empty, as the view of an empty collection would be
// (which no record holds): ask `type` when that matters. A view keeps no value alive and needs
// none; its iterators need the view.
//
// Ownership:  none. A Value, its views and all text that they hand out point into the Snapshot that
//             it was found in, and are good as long as that is kept (larder/snapshot.h).
// Threads:    immutable, any thread.
// Errors:     none: what cannot be read of a damaged file is empty, and nothing outside is read.
// Cost:       making a view is O(1) and allocates nothing; finding a field or member is one or two
//             cache misses in a collection of more than 128 elements, a scan of a smaller one;
//             elements by number and score are O(1).
// Format:     docs/formats/snapshot.md, "Values"
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "larder/api.h"
#include "larder/record.h"

namespace larder {

class HashView;
class ListView;
class SetView;
class ZsetView;

// The text inside a RESP bulk string ("$3\r\nabc\r\n" -> "abc"), which is how text is stored; empty
// when the bytes are none.
inline std::string_view TextOfBulk(std::string_view bulk) {
  if (bulk.size() < 6 || bulk[0] != '$') return {};
  uint64_t bytes = 0;
  size_t at = 1;
  for (; at < bulk.size() && bulk[at] >= '0' && bulk[at] <= '9'; ++at) {
    bytes = bytes * 10 + static_cast<uint64_t>(bulk[at] - '0');
    if (bytes > bulk.size()) return {};
  }
  if (at + bytes + 4 != bulk.size() || bulk[at] != '\r') return {};
  return bulk.substr(at + 2, bytes);
}

struct Value {
  ValueType type = ValueType::kString;
  // As it is stored, which is nearly as it goes over the wire: the views are for reading.
  std::string_view encoded = {};
  uint64_t member_seed = 0;
  std::optional<int64_t> expires_at_ms = {};  // Unix time
  std::optional<uint64_t> version = {};
  uint32_t flags = 0;  // memcached's

  bool Expired(int64_t now_ms) const { return expires_at_ms && *expires_at_ms <= now_ms; }

  // kString and kJson: the bytes.
  std::string_view text() const {
    if (type != ValueType::kString && type != ValueType::kJson) return {};
    return TextOfBulk(encoded);
  }
  // One of each type, empty when the value is of another.
  inline HashView hash() const;
  inline ListView list() const;
  inline SetView set() const;
  inline ZsetView zset() const;
};

// Walks anything with size() and operator[], for range-for and std::ranges.
template <typename View>
class ElementIterator {
 public:
  using value_type = decltype(std::declval<const View&>()[0]);
  using difference_type = std::ptrdiff_t;

  ElementIterator() = default;
  ElementIterator(const View* view, uint64_t number) : view_(view), number_(number) {}
  value_type operator*() const { return (*view_)[number_]; }
  ElementIterator& operator++() {
    ++number_;
    return *this;
  }
  ElementIterator operator++(int) {
    ElementIterator before = *this;
    ++number_;
    return before;
  }
  bool operator==(const ElementIterator&) const = default;

 private:
  const View* view_ = nullptr;
  uint64_t number_ = 0;
};

// What the four views share: the elements, counted from 0.
class ElementsView {
 public:
  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 protected:
  LARDER_API ElementsView(const Value& value, ValueType type);
  // Of a hash, fields and values are pieces of their own: 2i and 2i + 1. Beyond the end: empty.
  LARDER_API std::string_view Piece(uint64_t number) const;
  LARDER_API std::optional<uint64_t> FindElement(std::string_view text) const;
  LARDER_API double ScoreOf(uint64_t element) const;
  LARDER_API uint64_t FirstFrom(double score) const;

 private:
  // Where the parts of the value are, as Larder's own code holds it.
  alignas(8) std::array<std::byte, 144> places_;
  uint64_t size_ = 0;
};

// Fields in the order of the source.
class HashView : public ElementsView {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };
  explicit HashView(const Value& value) : ElementsView(value, ValueType::kHash) {}

  std::optional<std::string_view> Find(std::string_view field) const {
    const std::optional<uint64_t> found = FindElement(field);
    if (!found) return std::nullopt;
    return Piece(2 * *found + 1);
  }
  Field operator[](uint64_t number) const {
    return {.name = Piece(2 * number), .value = Piece(2 * number + 1)};
  }
  ElementIterator<HashView> begin() const { return {this, 0}; }
  ElementIterator<HashView> end() const { return {this, size()}; }
};

class ListView : public ElementsView {
 public:
  explicit ListView(const Value& value) : ElementsView(value, ValueType::kList) {}

  std::string_view operator[](uint64_t number) const { return Piece(number); }
  ElementIterator<ListView> begin() const { return {this, 0}; }
  ElementIterator<ListView> end() const { return {this, size()}; }
};

// Members in the order of the source.
class SetView : public ElementsView {
 public:
  explicit SetView(const Value& value) : ElementsView(value, ValueType::kSet) {}

  bool Contains(std::string_view member) const { return FindElement(member).has_value(); }
  std::string_view operator[](uint64_t number) const { return Piece(number); }
  ElementIterator<SetView> begin() const { return {this, 0}; }
  ElementIterator<SetView> end() const { return {this, size()}; }
};

// Members in the order of their scores, of equal scores in the order of their bytes.
class ZsetView : public ElementsView {
 public:
  struct Member {
    std::string_view member;
    double score = 0;
  };
  explicit ZsetView(const Value& value) : ElementsView(value, ValueType::kZset) {}

  std::optional<double> Score(std::string_view member) const {
    const std::optional<uint64_t> found = FindElement(member);
    if (!found) return std::nullopt;
    return ScoreOf(*found);
  }
  // Its place in that order, counted from 0.
  std::optional<uint64_t> Rank(std::string_view member) const { return FindElement(member); }
  // The number of the first member whose score is at least this; size() when there is none.
  uint64_t LowerBound(double score) const { return FirstFrom(score); }
  Member operator[](uint64_t number) const {
    return {.member = Piece(number), .score = ScoreOf(number)};
  }
  ElementIterator<ZsetView> begin() const { return {this, 0}; }
  ElementIterator<ZsetView> end() const { return {this, size()}; }
};

HashView Value::hash() const { return HashView(*this); }
ListView Value::list() const { return ListView(*this); }
SetView Value::set() const { return SetView(*this); }
ZsetView Value::zset() const { return ZsetView(*this); }

}  // namespace larder

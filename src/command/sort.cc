// SORT_RO: the elements of a list, set or sorted set in an order of their own or of other keys'.
//
// Ties are settled as in Redis wherever it settles them: by the elements' bytes when numbers are
// sorted, else by the order of a list (docs/decisions/0094).
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

// BY and GET: how an element leads to a text.
struct KeyPattern {
  enum class Kind : uint8_t {
    kElement,  // "#": the element itself
    kNowhere,  // without a "*" every element leads to the same key: to none
    kKey,      // "weight_*"
    kField,    // "object_*->weight"
  };
  Kind kind = Kind::kNowhere;
  std::string_view before = {};
  std::string_view after = {};
  std::string_view field = {};
};

KeyPattern ParseKeyPattern(std::string_view text) {
  if (CString(text) == "#") return {.kind = KeyPattern::Kind::kElement};
  const size_t star = CString(text).find('*');
  if (star == std::string_view::npos) return {};
  KeyPattern pattern{.kind = KeyPattern::Kind::kKey,
                     .before = text.substr(0, star),
                     .after = text.substr(star + 1)};
  // Redis looks for the arrow as C does, and then takes all that follows.
  const size_t arrow = CString(pattern.after).find("->");
  if (arrow == std::string_view::npos || CString(pattern.after).size() == arrow + 2) {
    return pattern;
  }
  pattern.kind = KeyPattern::Kind::kField;
  pattern.field = pattern.after.substr(arrow + 2);
  pattern.after = pattern.after.substr(0, arrow);
  return pattern;
}

struct SortOptions {
  bool descending = false;
  bool alphabetical = false;
  bool sorts = true;  // false: BY names one and the same key
  std::optional<KeyPattern> by;
  std::vector<KeyPattern> get;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: all
};

// The words of the option that were taken; 0: refused and answered.
size_t ReadSortOption(Context& context, Arguments words, SortOptions& read) {
  if (IsOption(words[0], "asc") || IsOption(words[0], "desc")) {
    read.descending = IsOption(words[0], "desc");
    return 1;
  }
  if (IsOption(words[0], "alpha")) {
    read.alphabetical = true;
    return 1;
  }
  if (words.size() > 2 && IsOption(words[0], "limit")) {
    const auto offset = ParseInteger(words[1]);
    const auto limit = ParseInteger(words[2]);
    if (!offset || !limit) {
      context.reply.Error(kNotAnInteger);
      return 0;
    }
    read.offset = *offset;
    read.limit = *limit;
    return 3;
  }
  if (words.size() > 1 && IsOption(words[0], "by")) {
    read.by = ParseKeyPattern(words[1]);
    // Once it was there, a constant is not forgotten.
    read.sorts &= CString(words[1]).find('*') != std::string_view::npos;
    return 2;
  }
  if (words.size() > 1 && IsOption(words[0], "get")) {
    read.get.push_back(ParseKeyPattern(words[1]));
    return 2;
  }
  context.reply.Error(kSyntaxError);
  return 0;
}

std::optional<SortOptions> ReadSortOptions(Context& context, Arguments words) {
  SortOptions read;
  while (!words.empty()) {
    const size_t taken = ReadSortOption(context, words, read);
    if (taken == 0) return std::nullopt;
    words = words.subspan(taken);
  }
  return read;
}

struct Item {
  std::string_view element;
  uint32_t place = 0;  // in the collection: what is equal keeps that order
  double score = 0;
  std::optional<std::string_view> weight;  // ALPHA BY
};

std::optional<std::string_view> TextOf(const snapshot::Value& value, const KeyPattern& pattern) {
  if (pattern.kind == KeyPattern::Kind::kKey) {
    if (value.type != ValueType::kString) return std::nullopt;
    return snapshot::TextView(value).text();
  }
  if (value.type != ValueType::kHash) return std::nullopt;
  const snapshot::CollectionView hash(value);
  const auto field = hash.FindMember(pattern.field);
  if (!field) return std::nullopt;
  return hash.Text(*field * 2 + 1);
}

using Texts = std::array<std::optional<std::string_view>, kKeysPerGroup>;

// What the pattern makes of each of the items, at most kKeysPerGroup.
Texts FollowPattern(Context& context, const KeyPattern& pattern, std::span<const Item> items) {
  Texts texts;
  if (pattern.kind == KeyPattern::Kind::kNowhere) return texts;
  if (pattern.kind == KeyPattern::Kind::kElement) {
    for (size_t i = 0; i < items.size(); ++i) texts[i] = items[i].element;
    return texts;
  }
  std::string keys;
  std::array<size_t, kKeysPerGroup + 1> ends{};
  for (size_t i = 0; i < items.size(); ++i) {
    keys.append(pattern.before).append(items[i].element).append(pattern.after);
    ends[i + 1] = keys.size();
  }
  std::array<std::string_view, kKeysPerGroup> views;
  for (size_t i = 0; i < items.size(); ++i) {
    views[i] = std::string_view(keys).substr(ends[i], ends[i + 1] - ends[i]);
  }
  FindEach(context, {views.data(), items.size()},
           [&](size_t i, const std::optional<snapshot::Value>& value) {
             if (value) texts[i] = TextOf(*value, pattern);
           });
  return texts;
}

// Calls `take(items)` for groups that FollowPattern takes.
template <typename Take>
void ForEachGroup(std::span<Item> items, Take&& take) {
  while (!items.empty()) {
    const size_t size = std::min(items.size(), kKeysPerGroup);
    take(items.first(size));
    items = items.subspan(size);
  }
}

// Fills in what the items are sorted by. False: some of it is no number.
bool Weigh(Context& context, const SortOptions& options, std::span<Item> items) {
  if (options.alphabetical && !options.by) return true;
  bool all_numbers = true;
  const auto by = options.by.value_or(KeyPattern{.kind = KeyPattern::Kind::kElement});
  ForEachGroup(items, [&](std::span<Item> group) {
    const Texts texts = FollowPattern(context, by, group);
    for (size_t i = 0; i < group.size(); ++i) {
      if (!texts[i]) continue;
      if (options.alphabetical) {
        group[i].weight = texts[i];
        continue;
      }
      const auto score = ParseWeight(*texts[i]);
      group[i].score = score.value_or(0);
      all_numbers &= score.has_value();
    }
  });
  return all_numbers;
}

// As strcoll in the C locale.
int Collate(std::string_view a, std::string_view b) { return CString(a).compare(CString(b)); }

int CompareWeights(const Item& a, const Item& b) {
  if (!a.weight || !b.weight) return static_cast<int>(!!a.weight) - static_cast<int>(!!b.weight);
  return Collate(*a.weight, *b.weight);
}

int CompareScores(const Item& a, const Item& b) {
  if (a.score != b.score) return a.score < b.score ? -1 : 1;
  return a.element.compare(b.element);
}

void SortItems(const SortOptions& options, std::vector<Item>& items) {
  const auto sort = [&](auto&& compare) {
    std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
      const int order = compare(a, b);
      if (order == 0) return a.place < b.place;
      return options.descending ? order > 0 : order < 0;
    });
  };
  if (!options.alphabetical) return sort(CompareScores);
  if (options.by) return sort(CompareWeights);
  sort([](const Item& a, const Item& b) { return Collate(a.element, b.element); });
}

// LIMIT as Redis reads it: a negative offset is 0, a negative count is all.
IndexRange CutOff(const SortOptions& options, uint64_t size) {
  const auto offset = static_cast<uint64_t>(std::max<int64_t>(options.offset, 0));
  if (offset >= size) return {};
  uint64_t count = size - offset;
  if (options.limit >= 0) count = std::min(count, static_cast<uint64_t>(options.limit));
  return {.first = offset, .end = offset + count};
}

// In the order of the key, which DESC turns around unless it is that of a set.
std::vector<Item> UnsortedItems(const snapshot::Value& value, const SortOptions& options) {
  const snapshot::CollectionView view(value);
  const bool reverse = options.descending && value.type != ValueType::kSet;
  const IndexRange range = CutOff(options, view.count());
  std::vector<Item> items(range.end - range.first);
  for (uint64_t i = 0; i < items.size(); ++i) {
    const uint64_t number = range.first + i;
    items[i].element = view.Text(reverse ? view.count() - 1 - number : number);
  }
  return items;
}

// None: refused and answered.
std::optional<std::vector<Item>> SortedItems(Context& context, const snapshot::Value& value,
                                             const SortOptions& options) {
  const snapshot::CollectionView view(value);
  std::vector<Item> items(view.count());
  for (uint64_t i = 0; i < items.size(); ++i) {
    items[i].element = view.Text(i);
    items[i].place = static_cast<uint32_t>(i);
  }
  if (!Weigh(context, options, items)) {
    context.reply.Error("ERR One or more scores can't be converted into double");
    return std::nullopt;
  }
  SortItems(options, items);
  const IndexRange range = CutOff(options, items.size());
  items.resize(range.end);
  items.erase(items.begin(), items.begin() + static_cast<ptrdiff_t>(range.first));
  return items;
}

void AnswerItems(Context& context, const SortOptions& options, std::vector<Item>& items) {
  context.reply.Array(items.size() * std::max<size_t>(options.get.size(), 1));
  if (options.get.empty()) {
    for (const Item& item : items) context.BulkSlice(item.element);
    return;
  }
  std::vector<Texts> columns(options.get.size());
  ForEachGroup(items, [&](std::span<const Item> group) {
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i] = FollowPattern(context, options.get[i], group);
    }
    for (size_t row = 0; row < group.size(); ++row) {
      for (const Texts& column : columns) {
        if (column[row]) {
          context.BulkSlice(*column[row]);
        } else {
          context.reply.Null();
        }
      }
    }
  });
}

}  // namespace

void SortReadOnly(Context& context, Arguments args) {
  const auto options = ReadSortOptions(context, args.subspan(2));
  if (!options) return;
  const auto value = context.Find(args[1]);
  if (!value) return context.reply.Array(0);
  if (value->type != ValueType::kList && value->type != ValueType::kSet &&
      value->type != ValueType::kZset) {
    return context.reply.Error(kWrongType);
  }
  std::optional<std::vector<Item>> items;
  if (options->sorts) {
    items = SortedItems(context, *value, *options);
    if (!items) return;
  } else {
    items = UnsortedItems(*value, *options);
  }
  AnswerItems(context, *options, *items);
}

}  // namespace larder::command

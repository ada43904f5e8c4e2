#include "command/key_positions.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "command/arguments.h"

namespace larder::command {
namespace {

using Positions = std::vector<KeyPosition>;
using Index = std::ptrdiff_t;

// ---- By the key specs.

std::span<const KeySpec> SpecsOf(const CommandSpec& spec) {
  size_t count = 0;
  while (count < spec.keys.size() && spec.keys[count].begin != KeySpec::Begin::kNone) ++count;
  return std::span(spec.keys).first(count);
}

bool HasFlag(const CommandSpec& spec, KeyFlag flag) {
  return std::ranges::any_of(SpecsOf(spec),
                             [flag](const KeySpec& keys) { return (keys.flags & flag) != 0; });
}

// Where the keys after a keyword begin; none: it is not there.
std::optional<Index> FindKeyword(const KeySpec& keys, Arguments args) {
  std::string keyword(keys.keyword);
  for (char& c : keyword) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  const auto count = static_cast<Index>(args.size());
  const bool forward = keys.index > 0;
  Index at = forward ? keys.index : count + keys.index;
  const Index end = forward ? count - 1 : 1;
  for (; at != end && at > 0 && at < count; at += at <= end ? 1 : -1) {
    if (IsOption(args[static_cast<size_t>(at)], keyword)) return at + 1;
  }
  return std::nullopt;
}

struct Range {
  Index first = 0;
  Index last = 0;
};

Range RangeFrom(const KeySpec& keys, Index first, Index count) {
  if (keys.last >= 0) return {.first = first, .last = first + keys.last};
  if (keys.limit == 0) return {.first = first, .last = count + keys.last};
  return {.first = first, .last = first + (count - first) / keys.limit + keys.last};
}

// None: the arguments do not fit.
std::optional<Range> CountedFrom(Index count_at, Arguments args) {
  if (count_at >= static_cast<Index>(args.size())) return std::nullopt;
  const auto keys = ParseInteger(args[static_cast<size_t>(count_at)]);
  if (!keys || *keys < 0 || *keys > static_cast<Index>(args.size())) return std::nullopt;
  return Range{.first = count_at + 1, .last = count_at + *keys};
}

// False: they do not fit, or do not tell all.
bool AddBySpec(const KeySpec& keys, Arguments args, Positions& to) {
  const auto count = static_cast<Index>(args.size());
  if (keys.begin == KeySpec::Begin::kUnknown || keys.find == KeySpec::Find::kUnknown) return false;
  Index first = keys.index;
  if (keys.begin == KeySpec::Begin::kKeyword) {
    const auto found = FindKeyword(keys, args);
    if (!found) return true;
    first = *found;
  }
  const auto range = keys.find == KeySpec::Find::kCount
                         ? CountedFrom(first, args)
                         : std::optional(RangeFrom(keys, first, count));
  if (!range || range->last >= count || range->last < range->first) return false;
  for (Index at = range->first; at <= range->last; at += keys.step) {
    to.push_back({.at = static_cast<size_t>(at), .flags = keys.flags});
  }
  return (keys.flags & kKeyIncomplete) == 0;
}

std::optional<Positions> BySpecs(const CommandSpec& spec, Arguments args) {
  Positions positions;
  for (const KeySpec& keys : SpecsOf(spec)) {
    if ((keys.flags & kKeyNotKey) != 0) continue;
    if (!AddBySpec(keys, args, positions)) return std::nullopt;
  }
  return positions;
}

// ---- By what Redis knows besides.

// Options that take so many arguments, in lower case.
struct Skipped {
  std::string_view option;
  size_t arguments;
};

size_t SkippedAfter(std::string_view option, std::span<const Skipped> known) {
  const auto found = std::ranges::find_if(
      known, [option](const Skipped& skipped) { return IsOption(option, skipped.option); });
  return found == known.end() ? 0 : found->arguments;
}

// The last STORE counts.
Positions KeysOfSort(Arguments args) {
  static constexpr Skipped kSkipped[] = {{"limit", 2}, {"get", 1}, {"by", 1}};
  Positions positions{{.at = 1, .flags = kKeyRo | kKeyAccess}};
  for (size_t i = 2; i < args.size(); ++i) {
    if (IsOption(args[i], "store") && i + 1 < args.size()) {
      positions.resize(1);
      positions.push_back({.at = i + 1, .flags = kKeyOw | kKeyUpdate});
    }
    i += SkippedAfter(args[i], kSkipped);
  }
  return positions;
}

Positions KeysOfMigrate(Arguments args) {
  static constexpr Skipped kSkipped[] = {{"auth", 1}, {"auth2", 2}};
  constexpr uint16_t kFlags = kKeyRw | kKeyAccess | kKeyDelete;
  for (size_t i = 6; i < args.size(); ++i) {
    if (IsOption(args[i], "keys")) {
      if (!args[3].empty()) return {};
      Positions positions;
      for (size_t key = i + 1; key < args.size(); ++key) {
        positions.push_back({.at = key, .flags = kFlags});
      }
      return positions;
    }
    i += SkippedAfter(args[i], kSkipped);
  }
  return {{.at = 3, .flags = kFlags}};
}

Positions KeysOfXRead(Arguments args) {
  static constexpr Skipped kSkipped[] = {{"block", 1}, {"count", 1}, {"group", 2}};
  for (size_t i = 1; i < args.size(); ++i) {
    if (IsOption(args[i], "streams")) {
      const size_t count = args.size() - i - 1;
      if (count % 2 != 0) return {};
      Positions positions;
      for (size_t key = 0; key < count / 2; ++key) positions.push_back({.at = i + 1 + key});
      return positions;
    }
    const size_t skipped = SkippedAfter(args[i], kSkipped);
    if (skipped == 0 && !IsOption(args[i], "noack")) break;
    i += skipped;
  }
  return {};
}

Positions KeysOfSet(Arguments args) {
  const bool gets = std::ranges::any_of(args.subspan(std::min<size_t>(3, args.size())),
                                        [](std::string_view arg) { return IsOption(arg, "get"); });
  const int flags = gets ? kKeyRw | kKeyAccess | kKeyUpdate : kKeyOw | kKeyUpdate;
  return {{.at = 1, .flags = static_cast<uint16_t>(flags)}};
}

Positions KeysOfBitField(Arguments args) {
  bool only_reads = true;
  for (size_t i = 2; i < args.size() && only_reads;) {
    const size_t left = args.size() - i - 1;
    if (IsOption(args[i], "get") && left >= 2) {
      i += 3;
    } else if (IsOption(args[i], "overflow") && left >= 1) {
      i += 2;
    } else {
      only_reads = false;
    }
  }
  const int flags = only_reads ? kKeyRo | kKeyAccess : kKeyRw | kKeyAccess | kKeyUpdate;
  return {{.at = 1, .flags = static_cast<uint16_t>(flags)}};
}

// A count that no key spec would take ("2x"), read as C reads it. The key that is stored to stands
// last.
Positions KeysByLooseCount(const CommandSpec& spec, Arguments args) {
  const auto counted = std::ranges::find(spec.keys, KeySpec::Find::kCount, &KeySpec::find);
  if (counted == spec.keys.end() || counted->begin != KeySpec::Begin::kIndex) return {};
  const auto at = static_cast<size_t>(counted->index);
  if (at >= args.size()) return {};
  // Zero for what is no number, as Redis has it. NOLINTNEXTLINE(cert-err34-c)
  const int count = std::atoi(std::string(args[at]).c_str());
  if (count < 1 || static_cast<size_t>(count) > args.size() - at - 1) return {};
  Positions positions;
  for (size_t i = 1; i <= static_cast<size_t>(count); ++i) positions.push_back({.at = at + i});
  if (counted != spec.keys.begin()) positions.push_back({.at = 1});
  return positions;
}

Positions ByOptions(const CommandSpec& spec, Arguments args) {
  if (spec.name == "sort") return KeysOfSort(args);
  if (spec.name == "sort_ro") return {{.at = 1, .flags = kKeyRo | kKeyAccess}};
  if (spec.name == "migrate") return KeysOfMigrate(args);
  if (spec.name == "xread" || spec.name == "xreadgroup") return KeysOfXRead(args);
  if (spec.name == "set") return KeysOfSet(args);
  if (spec.name == "bitfield") return KeysOfBitField(args);
  return KeysByLooseCount(spec, args);
}

}  // namespace

bool TakesKeys(const CommandSpec& spec) {
  return std::ranges::any_of(SpecsOf(spec),
                             [](const KeySpec& keys) { return (keys.flags & kKeyNotKey) == 0; });
}

std::vector<KeyPosition> FindKeys(const CommandSpec& spec, Arguments args) {
  // Specs whose flags depend on the arguments do not tell them.
  if (HasFlag(spec, kKeyVariable)) return ByOptions(spec, args);
  if (auto positions = BySpecs(spec, args)) return *std::move(positions);
  return ByOptions(spec, args);
}

KeyRangeOfOld OldKeyRange(const CommandSpec& spec) {
  const std::span<const KeySpec> specs = SpecsOf(spec);
  const auto is_range = [](const KeySpec& keys) {
    return keys.begin == KeySpec::Begin::kIndex && keys.find == KeySpec::Find::kRange;
  };
  const auto last_of = [](const KeySpec& keys) {
    return keys.last < 0 ? int{keys.last} : keys.index + keys.last;
  };
  if (specs.size() == 1 && is_range(specs[0])) {
    return {.first = specs[0].index, .last = last_of(specs[0]), .step = specs[0].step};
  }
  KeyRangeOfOld range;
  for (const KeySpec& keys : specs) {
    if (!is_range(keys) || keys.step != 1) continue;
    if (range.last != 0 && range.last != keys.index - 1) continue;
    if (range.step == 0) range = {.first = keys.index, .last = 0, .step = 1};
    range.first = std::min<int>(range.first, keys.index);
    // One that counts from the end reaches further than any other.
    range.last = range.last < 0 ? range.last : last_of(keys);
  }
  return range;
}

}  // namespace larder::command

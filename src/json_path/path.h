// Path: a JSONPath expression, compiled; the language of RedisJSON 2 (docs/json.md).
//
// A path that begins with "$" is JSONPath and may lead to many values. Every other one is of the
// older kind (".a.b", "a[0]"): it is read as JSONPath behind "$." and means the first value.
//
// Ownership:  owns its texts.
// Threads:    immutable once compiled, any thread.
// Errors:     kInvalidArgument, in RedisJSON's frame: the position, and the path with a mark at it.
//             What was expected there is told in our own words.
// Cost:       one pass; a constant regular expression is compiled with the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace larder::json_path {

inline constexpr size_t kMaxPathBytes = size_t{16} << 10;
inline constexpr size_t kMaxSteps = 256;    // of a path, those of the paths in its filters apart
inline constexpr int kMaxFilterDepth = 16;  // filters and parentheses within each other

struct Condition;

// From one value to some of those in it.
struct Step {
  enum class Kind : uint8_t { kNames, kIndices, kSlice, kEvery, kFilter };

  Kind kind = Kind::kEvery;
  bool descends = false;  // "..": from the value and from everything in it
  std::vector<std::string> names = {};
  std::vector<int64_t> indices = {};            // negative: from the end
  std::optional<int64_t> first = {}, end = {};  // of a slice; nothing: all on that side
  int64_t stride = 1;
  std::vector<Condition> filter;  // one, of a kFilter
};

struct Term {
  enum class Kind : uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kNumber,
    kString,
    kFromCurrent,  // "@" and the steps behind it
    kFromRoot,     // "$"
  };

  Kind kind = Kind::kNull;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string text = {};
  std::vector<Step> steps;
};

enum class Operator : uint8_t {
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kMatches
};

struct Condition {
  enum class Kind : uint8_t { kAny, kAll, kCompare, kExists };

  Kind kind = Kind::kExists;
  std::vector<Condition> operands = {};  // of kAny and kAll
  Term left = {};
  Operator op = Operator::kEqual;
  Term right = {};
  // Of kMatches with a constant at the right. Null: it is no regular expression, nothing matches.
  std::shared_ptr<const re2::RE2> pattern = {};
};

// The steps of a path that begins with "$".
Result<std::vector<Step>> Compile(std::string_view path);

// How a path was written, and how it is read.
struct PathText {
  explicit PathText(std::string_view path);

  std::string_view original;
  std::string dollar;  // begins with "$"
  bool legacy;
};

// Each step leads to one value at most, and needs nobody to count from the end.
bool IsSingular(const std::vector<Step>& steps);

// Null: `pattern` is no regular expression, or one that would need too much memory.
std::shared_ptr<const re2::RE2> CompilePattern(const std::string& pattern);

}  // namespace larder::json_path

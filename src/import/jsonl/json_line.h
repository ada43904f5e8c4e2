// JsonLine: one line as a JSON object, walked member by member; the part that all shapes share.
//
// simdjson's On-Demand parser reads the line. A walk must visit every member, also one that is
// ignored (Skip), so that a line with anything malformed in it is refused whole.
//
// Strings of a line without escapes are slices of the line; others lie unescaped in memory of this
// object.
//
// Ownership:  strings are good until the next Begin, and while the line is where it was.
// Threads:    one at a time.
// Errors:     functions that return bool return false once error() is set.
// Cost:       about five times the longest line in memory, given back after a very long one.
// Format:     docs/formats/jsonl.md
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <simdjson.h>

#include "import/jsonl/json_token.h"
#include "import/jsonl/record_parser.h"

namespace larder::importer {

class JsonLine {
 public:
  using Value = simdjson::ondemand::value;

  // Starts a walk of `line`, which may be the one that was walked before. At least kChunkPadding
  // readable bytes follow it, and the first of them is a newline or a carriage return.
  bool Begin(std::string_view line);

  // The walk: each(name, value) for every member, once a Begin. Nothing may follow the object.
  template <typename Each>
  bool ForEachMember(Each each);
  template <typename Each>
  bool ForEachField(Value value, Each each);
  template <typename Each>
  bool ForEachElement(Value value, Each each);

  // The first byte tells what a value is: '{', '[', '"', 'n' of null...
  static const char* StartOf(Value& value) { return value.raw_json_token().data(); }
  static bool IsNested(const char* at) { return *at == '{' || *at == '['; }

  // A string, or the source text of a number or boolean.
  bool ReadString(Value value, std::string_view& to);
  // The source text of any value.
  bool ReadJson(Value value, std::string_view& to);
  bool ReadScore(Value value, double& score);
  // Visits a value that is not needed.
  bool Skip(Value value) { return SkipAt(value, 0); }

  bool Refuse(const char* at, std::string reason, ErrorCode code = ErrorCode::kCorrupt);
  // kLimit when the key is too long.
  bool CheckKey(const char* at, std::string_view key);

  std::string_view text() const { return line_; }
  const char* start() const { return line_.data() + line_.find('{'); }
  // After a false.
  LineError& error() { return *error_; }

 private:
  bool Fit(size_t bytes);
  bool BeginWalk(simdjson::ondemand::object& object);
  bool EndWalk();
  template <typename Each>
  bool ReadFieldsOf(simdjson::ondemand::object object, Each each);
  bool ReadName(simdjson::ondemand::field& field, std::string_view& name);
  std::string_view PlainString(const char* begin) const;
  bool SkipAt(Value value, int depth);
  bool ReadNamedScore(const char* at, std::string_view text, double& score);

  size_t OffsetOf(const char* at) const;
  bool RefuseScalar(const char* at, std::string_view text);
  bool RefuseSyntax(simdjson::error_code error);
  bool RefuseFirstStage(simdjson::error_code error);
  bool RefuseEnd();
  bool CheckUnescaped(std::string_view text, const char* at);

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  std::string_view line_;
  bool has_escapes_ = false;
  std::optional<LineError> error_;
};

std::string Quoted(std::string_view name);

// What follows is here and not in json_line.cc because it is run for every member of every line.

template <typename Each>
bool JsonLine::ForEachMember(Each each) {
  simdjson::ondemand::object object;
  return BeginWalk(object) && ReadFieldsOf(object, each) && EndWalk();
}

template <typename Each>
bool JsonLine::ForEachField(Value value, Each each) {
  simdjson::ondemand::object object;
  if (const auto error = value.get_object().get(object)) return RefuseSyntax(error);
  return ReadFieldsOf(object, each);
}

template <typename Each>
bool JsonLine::ReadFieldsOf(simdjson::ondemand::object object, Each each) {
  for (auto item : object) {
    simdjson::ondemand::field field;
    if (const auto error = std::move(item).get(field)) return RefuseSyntax(error);
    std::string_view name;
    if (!ReadName(field, name) || !each(name, field.value())) return false;
  }
  return true;
}

template <typename Each>
bool JsonLine::ForEachElement(Value value, Each each) {
  simdjson::ondemand::array array;
  if (const auto error = value.get_array().get(array)) return RefuseSyntax(error);
  for (auto item : array) {
    Value element;
    if (const auto error = std::move(item).get(element)) return RefuseSyntax(error);
    if (!each(element)) return false;
  }
  return true;
}

// What stands up to the next quote, of which the first stage has seen that it is there, in a line
// without escapes.
inline std::string_view JsonLine::PlainString(const char* begin) const {
  const char* from = begin;
#if defined(__SSE2__)
  // Most names and many values are short. Readable bytes follow the line.
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(begin));
  const auto quotes =
      static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
  if (quotes != 0) return {begin, static_cast<size_t>(std::countr_zero(quotes))};
  from += sizeof bytes;
#endif
  const char* const end = line_.data() + line_.size();
  const auto* quote = static_cast<const char*>(
      from < end ? std::memchr(from, '"', static_cast<size_t>(end - from)) : nullptr);
  return {begin, static_cast<size_t>((quote == nullptr ? std::max(begin, end) : quote) - begin)};
}

inline bool JsonLine::ReadName(simdjson::ondemand::field& field, std::string_view& name) {
  const char* at = field.key().raw() - 1;
  if (!has_escapes_) {
    name = PlainString(field.key().raw());
    return true;
  }
  if (field.unescaped_key().get(name) != simdjson::SUCCESS) {
    return Refuse(at, "an invalid escape in a name");
  }
  return CheckUnescaped(name, at);
}

inline bool JsonLine::ReadString(Value value, std::string_view& to) {
  const char* at = StartOf(value);
  if (*at == '"') {
    simdjson::ondemand::raw_json_string raw;
    if (!has_escapes_ && value.get_raw_json_string().get(raw) == simdjson::SUCCESS) {
      to = PlainString(raw.raw());
      return true;
    }
    if (value.get_string().get(to) != simdjson::SUCCESS) {
      return Refuse(at, "an invalid escape in a string");
    }
    return CheckUnescaped(to, at);
  }
  to = TrimToken(value.raw_json_token());
  if (to == "true" || to == "false" || IsJsonNumber(to)) return true;
  return RefuseScalar(at, to);
}

}  // namespace larder::importer

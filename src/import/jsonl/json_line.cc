#include "import/jsonl/json_line.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "import/line_chunks.h"

namespace larder::importer {
namespace {

static_assert(kChunkPadding >= simdjson::SIMDJSON_PADDING);

// The first allocation; and what is given back after a line that needed more.
constexpr size_t kSmallLineBytes = size_t{64} << 10;
constexpr size_t kKeptLineBytes = size_t{8} << 20;

// Values that are not taken apart may nest this deep; deeper is refused, it cannot be meant.
constexpr int kMaxDepth = 256;

constexpr const char* kSomethingFollows = "something follows the object; one line holds one record";
constexpr const char* kEndsEarly = "the line ends before its object does";

std::string_view SyntaxReason(simdjson::error_code error) {
  switch (error) {
    case simdjson::STRING_ERROR:
      return "an invalid escape in a string";
    case simdjson::MEMALLOC:
      return "no memory for a line of this length";
    default:
      return "malformed JSON";
  }
}

}  // namespace

std::string Quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

bool JsonLine::Begin(std::string_view line) {
  line_ = line;
  error_.reset();
  // Unescaping is the one step whose result simdjson does not check.
  has_escapes_ = line.find('\\') != std::string_view::npos;
  if (!Fit(line.size())) return false;
  const char* start = line_.data() + line_.find_first_not_of(" \t\r");
  if (*start != '{') return Refuse(start, "a record is a JSON object, {...}");
  // The padding is there although the view does not show it: see the header.
  if (const auto error = parser_.iterate(line_, line_.size() + kChunkPadding).get(document_)) {
    return RefuseFirstStage(error);
  }
  return true;
}

bool JsonLine::Fit(size_t bytes) {
  const size_t capacity = parser_.capacity();
  if (bytes <= capacity && (capacity <= kKeptLineBytes || bytes > kKeptLineBytes)) return true;
  // In powers of two, so that lines that grow by a byte each do not allocate each; but exactly
  // where it is much and given back soon.
  const size_t wanted =
      bytes > kKeptLineBytes ? bytes : std::bit_ceil(std::max(bytes, kSmallLineBytes));
  const auto error = parser_.allocate(wanted, simdjson::DEFAULT_MAX_DEPTH);
  return error == simdjson::SUCCESS || RefuseFirstStage(error);
}

bool JsonLine::BeginWalk(simdjson::ondemand::object& object) {
  // Fails, before anything is looked at, when the last token is not a closing brace.
  return document_.get_object().get(object) == simdjson::SUCCESS || RefuseEnd();
}

bool JsonLine::EndWalk() {
  const char* rest = nullptr;
  if (document_.current_location().get(rest) == simdjson::OUT_OF_BOUNDS) return true;
  return Refuse(rest, kSomethingFollows);
}

bool JsonLine::SkipAt(Value value, int depth) {
  const char* at = StartOf(value);
  if (depth > kMaxDepth) return Refuse(at, "nested too deeply");
  if (*at == '{') {
    return ForEachField(
        value, [this, depth](std::string_view, Value member) { return SkipAt(member, depth + 1); });
  }
  if (*at == '[') {
    return ForEachElement(value,
                          [this, depth](Value element) { return SkipAt(element, depth + 1); });
  }
  if (TrimToken(value.raw_json_token()) == "null") return true;
  std::string_view ignored;
  return ReadString(value, ignored);
}

bool JsonLine::ReadJson(Value value, std::string_view& to) {
  const char* at = StartOf(value);
  if (!IsNested(at)) {
    to = TrimToken(value.raw_json_token());
    return Skip(value);
  }
  if (!Skip(value)) return false;
  const char* next = nullptr;
  if (const auto error = document_.current_location().get(next)) return RefuseSyntax(error);
  to = TrimToken({at, static_cast<size_t>(next - at)});
  return true;
}

bool JsonLine::ReadScore(Value value, double& score) {
  const char* at = StartOf(value);
  if (*at == '"') {
    std::string_view text;
    return ReadString(value, text) && ReadNamedScore(at, text, score);
  }
  if (!IsJsonNumber(TrimToken(value.raw_json_token()))) {
    return Refuse(at, "the score is not a number");
  }
  if (value.get_double().get(score) == simdjson::SUCCESS) return true;
  return Refuse(at, "the score is too large for a 64-bit floating-point number");
}

bool JsonLine::ReadNamedScore(const char* at, std::string_view text, double& score) {
  std::string lower(text.substr(0, std::min<size_t>(text.size(), 16)));
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const bool negative = lower.starts_with('-');
  if (negative || lower.starts_with('+')) lower.erase(0, 1);
  if (lower != "inf" && lower != "infinity") {
    return Refuse(at, "the score is a string, but neither \"inf\" nor \"-inf\"");
  }
  const double infinity = std::numeric_limits<double>::infinity();
  score = negative ? -infinity : infinity;
  return true;
}

size_t JsonLine::OffsetOf(const char* at) const {
  if (at < line_.data()) return 0;
  return std::min(static_cast<size_t>(at - line_.data()), line_.size());
}

bool JsonLine::Refuse(const char* at, std::string reason, ErrorCode code) {
  error_ = LineError{.code = code, .offset = OffsetOf(at), .reason = std::move(reason)};
  return false;
}

bool JsonLine::CheckKey(const char* at, std::string_view key) {
  if (key.size() <= kMaxKeyBytes) return true;
  return Refuse(at,
                "the key has " + std::to_string(key.size()) + " bytes, more than the " +
                    std::to_string(kMaxKeyBytes) + " allowed",
                ErrorCode::kLimit);
}

bool JsonLine::RefuseScalar(const char* at, std::string_view text) {
  if (IsNested(at)) return Refuse(at, "a nested value, where a string is meant");
  return Refuse(at, text == "null" ? "null, where a string is meant" : "not a JSON value");
}

bool JsonLine::RefuseSyntax(simdjson::error_code error) {
  const char* at = nullptr;
  if (document_.current_location().get(at) != simdjson::SUCCESS) at = line_.data() + line_.size();
  if (OffsetOf(at) == line_.size()) return Refuse(at, kEndsEarly);
  return Refuse(at, std::string(SyntaxReason(error)));
}

bool JsonLine::RefuseFirstStage(simdjson::error_code error) {
  const auto at = [this](size_t offset) { return line_.data() + offset; };
  switch (error) {
    case simdjson::UTF8_ERROR:
      return Refuse(at(FindInvalidUtf8(line_)), "not UTF-8");
    case simdjson::UNESCAPED_CHARS:
      return Refuse(at(FindControlInString(line_)), "an unescaped control character in a string");
    case simdjson::UNCLOSED_STRING:
      return Refuse(at(FindUnclosedString(line_)), "a string that does not end");
    case simdjson::MEMALLOC:
    case simdjson::CAPACITY:
      Refuse(at(0), std::string(SyntaxReason(simdjson::MEMALLOC)), ErrorCode::kLimit);
      error_->skippable = false;  // the machine's fault, and not this line's
      return false;
    default:
      return Refuse(at(0), "malformed JSON");
  }
}

bool JsonLine::RefuseEnd() {
  const size_t rest = line_.find_first_not_of(" \t\r", FindObjectEnd(line_));
  const bool complete = rest != std::string_view::npos;
  return Refuse(line_.data() + (complete ? rest : line_.size()),
                complete ? kSomethingFollows : kEndsEarly);
}

bool JsonLine::CheckUnescaped(std::string_view text, const char* at) {
  if (simdjson::validate_utf8(text.data(), text.size())) return true;
  return Refuse(at, "an escape of half a surrogate pair");
}

}  // namespace larder::importer

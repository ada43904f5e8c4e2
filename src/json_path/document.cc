#include "json_path/document.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <simdjson.h>

namespace larder::json_path {
namespace {

namespace ondemand = simdjson::ondemand;

// More than this is given back once the document was answered.
constexpr size_t kKeptBytes = size_t{8} << 20;

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view Trim(std::string_view token) {
  return token.substr(0, token.find_last_not_of(kBlanks) + 1);
}

std::string_view TrimBoth(std::string_view text) {
  return Trim(text.substr(std::min(text.find_first_not_of(kBlanks), text.size())));
}

JsonType TypeOfNumber(std::string_view raw) {
  if (raw.find_first_of(".eE") != std::string_view::npos || raw == "-0") return JsonType::kNumber;
  // What 64 bits do not hold is a floating point number to RedisJSON.
  const bool negative = raw.starts_with('-');
  const std::string_view digits = raw.substr(negative ? 1 : 0);
  constexpr std::string_view kMostPositive = "18446744073709551615";
  constexpr std::string_view kMostNegative = "9223372036854775808";
  const std::string_view most = negative ? kMostNegative : kMostPositive;
  const bool fits = digits.size() < most.size() || (digits.size() == most.size() && digits <= most);
  return fits ? JsonType::kInteger : JsonType::kNumber;
}

// False: no JSON value begins like this.
bool TypeOf(std::string_view raw, JsonType& type) {
  switch (raw.empty() ? '\0' : raw[0]) {
    case '{':
      type = JsonType::kObject;
      return true;
    case '[':
      type = JsonType::kArray;
      return true;
    case '"':
      type = JsonType::kString;
      return true;
    case 't':
      type = JsonType::kBoolean;
      return raw == "true";
    case 'f':
      type = JsonType::kBoolean;
      return raw == "false";
    case 'n':
      type = JsonType::kNull;
      return raw == "null";
    default:
      if (raw.empty() || (raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'))) return false;
      type = TypeOfNumber(raw);
      return raw.find_first_not_of("+-.eE0123456789") == std::string_view::npos;
  }
}

std::unexpected<Error> Malformed(simdjson::error_code error) {
  return Fail(ErrorCode::kCorrupt,
              fmt::format("ERR the value is not valid JSON: {}", simdjson::error_message(error)));
}

}  // namespace

std::string_view NameOf(JsonType type) {
  switch (type) {
    case JsonType::kNull:
      return "null";
    case JsonType::kBoolean:
      return "boolean";
    case JsonType::kInteger:
      return "integer";
    case JsonType::kNumber:
      return "number";
    case JsonType::kString:
      return "string";
    case JsonType::kArray:
      return "array";
    case JsonType::kObject:
      return "object";
  }
  return "";
}

class Document::Parser {
 public:
  simdjson::error_code Begin(const std::string& padded, size_t size) {
    text_ = {padded.data(), size};
    has_escapes_ = text_.find('\\') != std::string_view::npos;
    return parser_.iterate(text_, padded.size()).get(document_);
  }

  // All of it into `nodes`.
  simdjson::error_code Index(std::vector<Node>& nodes) {
    nodes.clear();
    bool is_scalar = false;
    if (const auto error = document_.is_scalar().get(is_scalar)) return error;
    if (is_scalar) return AddScalarDocument(nodes);
    ondemand::value root;
    if (const auto error = document_.get_value().get(root)) return error;
    if (const auto error = Add(root, {}, 1, nodes)) return error;
    const char* rest = nullptr;
    return document_.current_location().get(rest) == simdjson::OUT_OF_BOUNDS
               ? simdjson::SUCCESS
               : simdjson::TRAILING_CONTENT;
  }

  // An empty `found`: the path leads nowhere.
  simdjson::error_code Walk(const std::vector<Step>& steps, std::string_view& found) {
    bool is_scalar = false;
    if (const auto error = document_.is_scalar().get(is_scalar)) return error;
    if (is_scalar) {
      if (steps.empty()) found = TrimBoth(text_);
      return simdjson::SUCCESS;
    }
    ondemand::value value;
    if (const auto error = document_.get_value().get(value)) return error;
    for (const Step& step : steps) {
      bool there = false;
      const auto error = step.kind == Step::Kind::kNames ? Member(value, step.names[0], there)
                                                         : Element(value, step.indices[0], there);
      if (error || !there) return error;
    }
    return Raw(value, found);
  }

  void Forget() { parser_ = ondemand::parser(); }
  size_t capacity() const { return parser_.capacity(); }

 private:
  // simdjson takes a token to reach to the next one. Where a text that was cut short has none, the
  // size that it tells is negative, and becomes a very large one.
  std::string_view Token(ondemand::value& value) const {
    const std::string_view token = value.raw_json_token();
    const char* end = text_.data() + text_.size();
    if (token.data() >= end) return {};
    return token.substr(0, static_cast<size_t>(end - token.data()));
  }

  simdjson::error_code Raw(ondemand::value value, std::string_view& raw) const {
    raw = Token(value);
    simdjson::error_code error = simdjson::SUCCESS;
    if (raw.starts_with('{')) {
      ondemand::object object;
      error = value.get_object().get(object);
      if (!error) error = object.raw_json().get(raw);
    } else if (raw.starts_with('[')) {
      ondemand::array array;
      error = value.get_array().get(array);
      if (!error) error = array.raw_json().get(raw);
    }
    raw = Trim(raw);
    return error;
  }

  simdjson::error_code Name(simdjson::simdjson_result<ondemand::field>& field,
                            std::string_view& name) {
    if (has_escapes_) return field.unescaped_key().get(name);
    ondemand::raw_json_string key;
    if (const auto error = field.key().get(key)) return error;
    name = UpTo(key.raw());
    return simdjson::SUCCESS;
  }

  // What stands between quotes in a text that has no backslash.
  std::string_view UpTo(const char* first) const {
    const auto left = static_cast<size_t>(text_.data() + text_.size() - first);
    const auto* quote = static_cast<const char*>(std::memchr(first, '"', left));
    return {first, quote == nullptr ? 0 : static_cast<size_t>(quote - first)};
  }

  simdjson::error_code Member(ondemand::value& value, std::string_view wanted, bool& there) {
    if (!Token(value).starts_with('{')) return simdjson::SUCCESS;
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    for (auto field : object) {
      std::string_view name;
      if (const auto error = Name(field, name)) return error;
      if (name != wanted) continue;
      there = true;
      return field.value().get(value);
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code Element(ondemand::value& value, int64_t index, bool& there) const {
    if (!Token(value).starts_with('[')) return simdjson::SUCCESS;
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return error;
    for (auto element : array) {
      ondemand::value each;
      if (const auto error = element.get(each)) return error;
      if (index-- > 0) continue;
      value = each;
      there = true;
      return simdjson::SUCCESS;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code AddScalarDocument(std::vector<Node>& nodes) {
    Node node{.raw = TrimBoth(text_), .end = 1};
    if (!TypeOf(node.raw, node.type)) return simdjson::TAPE_ERROR;
    if (node.type == JsonType::kString) {
      if (const auto error = document_.get_string().get(node.text)) return error;
    }
    nodes.push_back(node);
    return simdjson::SUCCESS;
  }

  simdjson::error_code Add(ondemand::value value, std::string_view name, int depth,
                           std::vector<Node>& nodes) {
    if (depth > kMaxDepth) return simdjson::DEPTH_ERROR;
    const size_t number = nodes.size();
    Node node{.raw = Trim(Token(value)), .name = name};
    const char first = node.raw.empty() ? '\0' : node.raw[0];
    if (first == '{' || first == '[') node.raw = node.raw.substr(0, 1);
    if (!TypeOf(node.raw, node.type)) return simdjson::TAPE_ERROR;
    if (node.type == JsonType::kString) {
      if (const auto error = Unescape(value, node)) return error;
    }
    nodes.push_back(node);
    if (first == '{' || first == '[') {
      const auto error =
          first == '{' ? AddMembers(value, depth, nodes) : AddElements(value, depth, nodes);
      if (error) return error;
      nodes[number].raw = UpToHere(node.raw);
      if (nodes[number].raw.empty()) return simdjson::INCOMPLETE_ARRAY_OR_OBJECT;
    }
    nodes[number].end = static_cast<uint32_t>(nodes.size());
    return simdjson::SUCCESS;
  }

  simdjson::error_code Unescape(ondemand::value value, Node& node) {
    if (has_escapes_) return value.get_string().get(node.text);
    // Taken, not looked at only: simdjson would skip a string and a colon behind it as a member.
    ondemand::raw_json_string taken;
    if (const auto error = value.get_raw_json_string().get(taken)) return error;
    node.text = UpTo(taken.raw());
    return simdjson::SUCCESS;
  }

  simdjson::error_code AddMembers(ondemand::value value, int depth, std::vector<Node>& nodes) {
    const size_t number = nodes.size() - 1;
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    for (auto field : object) {
      std::string_view name;
      if (const auto error = Name(field, name)) return error;
      ondemand::value member;
      if (const auto error = field.value().get(member)) return error;
      if (const auto error = Add(member, name, depth + 1, nodes)) return error;
      ++nodes[number].count;
    }
    return simdjson::SUCCESS;
  }

  simdjson::error_code AddElements(ondemand::value value, int depth, std::vector<Node>& nodes) {
    const size_t number = nodes.size() - 1;
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return error;
    for (auto element : array) {
      ondemand::value each;
      if (const auto error = element.get(each)) return error;
      if (const auto error = Add(each, {}, depth + 1, nodes)) return error;
      ++nodes[number].count;
    }
    return simdjson::SUCCESS;
  }

  // From `opening` to the container's end, which the parser has just passed; empty when it went
  // back, as it may in a text that was cut short.
  std::string_view UpToHere(std::string_view opening) {
    const char* const first = opening.data();
    const char* here = nullptr;
    if (document_.current_location().get(here)) here = text_.data() + text_.size();
    if (here <= first) return {};
    return Trim({first, static_cast<size_t>(here - first)});
  }

  ondemand::parser parser_;
  ondemand::document document_;
  std::string_view text_;
  bool has_escapes_ = false;
};

Document::Document() : parser_(std::make_unique<Parser>()) {}
Document::~Document() = default;

Result<void> Document::Parse(std::string_view text) {
  padded_.resize(text.size() + simdjson::SIMDJSON_PADDING);
  text.copy(padded_.data(), text.size());
  auto error = parser_->Begin(padded_, text.size());
  if (!error) error = parser_->Index(nodes_);
  if (error == simdjson::DEPTH_ERROR) {
    return Fail(ErrorCode::kLimit,
                fmt::format("ERR the value is nested deeper than {} levels", kMaxDepth));
  }
  if (error) return Malformed(error);
  return {};
}

Result<std::optional<std::string_view>> Document::Find(std::string_view text,
                                                       const std::vector<Step>& steps) {
  if (steps.empty()) return TrimBoth(text);
  padded_.resize(text.size() + simdjson::SIMDJSON_PADDING);
  text.copy(padded_.data(), text.size());
  std::string_view found;
  auto error = parser_->Begin(padded_, text.size());
  if (!error) error = parser_->Walk(steps, found);
  if (error) return Malformed(error);
  if (found.empty()) return std::nullopt;
  return text.substr(static_cast<size_t>(found.data() - padded_.data()), found.size());
}

void Document::Shrink() {
  if (padded_.capacity() > kKeptBytes) {
    padded_ = {};
    parser_->Forget();
  }
  if (nodes_.capacity() * sizeof(Node) > kKeptBytes) nodes_ = {};
}

}  // namespace larder::json_path

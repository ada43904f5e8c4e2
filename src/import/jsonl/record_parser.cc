#include "import/jsonl/record_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "import/jsonl/json_token.h"
#include "import/line_chunks.h"

namespace larder::importer {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(kChunkPadding >= simdjson::SIMDJSON_PADDING);

// The first allocation; and what is given back after a line that needed more.
constexpr size_t kSmallLineBytes = size_t{64} << 10;
constexpr size_t kKeptLineBytes = size_t{8} << 20;

// Ignored members may nest this deep; deeper is refused, it cannot be meant.
constexpr int kMaxIgnoredDepth = 256;

constexpr const char* kSomethingFollows = "something follows the object; one line holds one record";
constexpr const char* kEndsEarly = "the line ends before its object does";

struct RecordForm {
  ValueType type;
  std::string_view type_name;
  std::string_view member;    // of the record
  std::string_view contents;  // the member's member
};

constexpr std::array<RecordForm, 5> kRecordForms = {{
    {ValueType::kString, "string", "string_record", "value"},
    {ValueType::kHash, "hash", "hash_record", "fields"},
    {ValueType::kList, "list", "list_record", "elements"},
    {ValueType::kSet, "set", "set_record", "elements"},
    {ValueType::kZset, "zset", "ordered_set_record", "elements"},
}};

const RecordForm* FormOfMember(std::string_view member) {
  const auto* form = std::ranges::find(kRecordForms, member, &RecordForm::member);
  return form == kRecordForms.end() ? nullptr : form;
}

const RecordForm* FormOfType(std::string_view type) {
  if (type == "ordered_set") return &kRecordForms.back();  // rostore's other name for it
  const auto* form = std::ranges::find(kRecordForms, type, &RecordForm::type_name);
  return form == kRecordForms.end() ? nullptr : form;
}

std::string Quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

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

// The parse of one line. The functions return false once error_ is set.
struct RecordParser::Json {
 public:
  std::expected<LineContent, LineError> Parse(std::string_view line, RecordView& record);

 private:
  bool Fit(size_t bytes);
  bool ReadRoot();
  bool ReadMember(std::string_view name, ondemand::value value);
  bool ReadForm(const RecordForm& form, ondemand::value value);
  bool ReadContents(const RecordForm& form, ondemand::value value);
  bool ReadFields(ondemand::value value);
  bool ReadElements(ondemand::value value);
  bool ReadScored(ondemand::value value);
  bool ReadScoredMembers(ondemand::value element, std::optional<std::string_view>& member,
                         std::optional<double>& score);
  bool ReadScore(ondemand::value value, double& score);
  bool ReadString(ondemand::value value, std::string_view& to);
  bool Skip(ondemand::value value, int depth);
  std::expected<LineContent, LineError> Conclude(RecordView& record);

  template <typename Each>
  bool ForEachField(ondemand::value value, Each each);
  template <typename Each>
  bool ForEachElement(ondemand::value value, Each each);
  template <typename Each>
  bool ReadFieldsOf(ondemand::object object, Each each);
  bool ReadName(ondemand::field& field, std::string_view& name);

  size_t OffsetOf(const char* at) const;
  static const char* StartOf(ondemand::value& value) { return value.raw_json_token().data(); }
  bool Refuse(const char* at, std::string reason, ErrorCode code = ErrorCode::kCorrupt);
  bool RefuseSyntax(simdjson::error_code error);
  bool RefuseFirstStage(simdjson::error_code error);
  bool RefuseEnd();
  bool CheckUnescaped(std::string_view text, const char* at);

  ondemand::parser parser_;
  ondemand::document document_;
  std::string_view line_;
  bool has_escapes_ = false;
  std::optional<LineError> error_;

  std::optional<std::string_view> key_;
  const char* key_at_ = nullptr;
  const RecordForm* type_ = nullptr;  // that the "type" names
  const RecordForm* form_ = nullptr;  // whose record member is there
  const char* form_at_ = nullptr;
  std::string_view text_;
  std::vector<std::string_view> items_;
  std::vector<double> scores_;
};

std::expected<LineContent, LineError> RecordParser::Json::Parse(std::string_view line,
                                                                RecordView& record) {
  line_ = line;
  error_.reset();
  key_.reset();
  type_ = nullptr;
  form_ = nullptr;
  text_ = {};
  items_.clear();
  scores_.clear();
  // Unescaping is the one step whose result simdjson does not check.
  has_escapes_ = line.find('\\') != std::string_view::npos;
  if (!Fit(line.size()) || !ReadRoot()) {
    if (key_ && !error_->key) error_->key = std::string(*key_);
    return std::unexpected(*std::move(error_));
  }
  return Conclude(record);
}

bool RecordParser::Json::Fit(size_t bytes) {
  const size_t capacity = parser_.capacity();
  if (bytes <= capacity && (capacity <= kKeptLineBytes || bytes > kKeptLineBytes)) return true;
  // In powers of two, so that lines that grow by a byte each do not allocate each; but exactly
  // where it is much and given back soon.
  const size_t wanted =
      bytes > kKeptLineBytes ? bytes : std::bit_ceil(std::max(bytes, kSmallLineBytes));
  if (const auto error = parser_.allocate(wanted, simdjson::DEFAULT_MAX_DEPTH)) {
    return Refuse(line_.data(), std::string(SyntaxReason(error)), ErrorCode::kLimit);
  }
  return true;
}

bool RecordParser::Json::ReadRoot() {
  const char* start = line_.data() + line_.find_first_not_of(" \t\r");
  if (*start != '{') return Refuse(start, "a record is a JSON object, {\"key\": ...}");
  // The padding is there although the view does not show it: see Parse in the header.
  if (const auto error = parser_.iterate(line_, line_.size() + kChunkPadding).get(document_)) {
    return RefuseFirstStage(error);
  }
  ondemand::object object;
  // Fails, before anything is looked at, when the last token is not a closing brace.
  if (document_.get_object().get(object) != simdjson::SUCCESS) return RefuseEnd();
  if (!ReadFieldsOf(object, [this](std::string_view name, ondemand::value value) {
        return ReadMember(name, value);
      })) {
    return false;
  }
  const char* rest = nullptr;
  if (document_.current_location().get(rest) == simdjson::OUT_OF_BOUNDS) return true;
  return Refuse(rest, kSomethingFollows);
}

bool RecordParser::Json::ReadMember(std::string_view name, ondemand::value value) {
  const char* at = StartOf(value);
  if (name == "key") {
    if (key_) return Refuse(at, "the member \"key\" stands twice");
    std::string_view key;
    if (!ReadString(value, key)) return false;
    key_ = key;
    key_at_ = at;
    if (key.size() <= kMaxKeyBytes) return true;
    return Refuse(at,
                  "the key has " + std::to_string(key.size()) + " bytes, more than the " +
                      std::to_string(kMaxKeyBytes) + " allowed",
                  ErrorCode::kLimit);
  }
  if (name == "type") {
    if (type_ != nullptr) return Refuse(at, "the member \"type\" stands twice");
    std::string_view type;
    if (*at != '"') return Refuse(at, "the type is not a string");
    if (!ReadString(value, type)) return false;
    type_ = FormOfType(type);
    if (type_ != nullptr) return true;
    return Refuse(at, "the type is none of \"string\", \"hash\", \"list\", \"set\", \"zset\"");
  }
  const RecordForm* form = FormOfMember(name);
  if (form == nullptr) return Skip(value, 0);
  // Writers that know all forms write null for those that do not apply.
  if (*at == 'n') return Skip(value, 0);
  if (form_ != nullptr) {
    return Refuse(at, form == form_ ? "the member " + Quoted(name) + " stands twice"
                                    : "the record has " + Quoted(form_->member) + " and " +
                                          Quoted(name) + "; only one can be meant");
  }
  form_ = form;
  form_at_ = at;
  return ReadForm(*form, value);
}

bool RecordParser::Json::ReadForm(const RecordForm& form, ondemand::value value) {
  const char* at = StartOf(value);
  if (*at != '{') return Refuse(at, Quoted(form.member) + " is not an object");
  bool found = false;
  const bool read = ForEachField(value, [&](std::string_view name, ondemand::value member) {
    if (name != form.contents) return Skip(member, 0);
    if (found) return Refuse(StartOf(member), "the member " + Quoted(name) + " stands twice");
    found = true;
    return ReadContents(form, member);
  });
  if (!read) return false;
  if (found) return true;
  return Refuse(at, Quoted(form.member) + " has no member " + Quoted(form.contents));
}

bool RecordParser::Json::ReadContents(const RecordForm& form, ondemand::value value) {
  if (form.type == ValueType::kString) return ReadString(value, text_);
  const char* at = StartOf(value);
  // How Go writes an empty map or slice that was never made.
  if (*at == 'n') return Skip(value, 0);
  if (form.type == ValueType::kHash) {
    if (*at != '{') return Refuse(at, "\"fields\" is not an object");
    return ReadFields(value);
  }
  if (*at != '[') return Refuse(at, "\"elements\" is not an array");
  return form.type == ValueType::kZset ? ReadScored(value) : ReadElements(value);
}

bool RecordParser::Json::ReadFields(ondemand::value value) {
  return ForEachField(value, [this](std::string_view name, ondemand::value field) {
    items_.push_back(name);
    return ReadString(field, items_.emplace_back());
  });
}

bool RecordParser::Json::ReadElements(ondemand::value value) {
  return ForEachElement(value, [this](ondemand::value element) {
    return ReadString(element, items_.emplace_back());
  });
}

bool RecordParser::Json::ReadScored(ondemand::value value) {
  return ForEachElement(value, [this](ondemand::value element) {
    const char* at = StartOf(element);
    if (*at != '{')
      return Refuse(at, R"(an element is not an object {"value": ..., "score": ...})");
    std::optional<std::string_view> member;
    std::optional<double> score;
    if (!ReadScoredMembers(element, member, score)) return false;
    if (!member) return Refuse(at, "an element has no member \"value\"");
    if (!score) return Refuse(at, "an element has no member \"score\"");
    items_.push_back(*member);
    scores_.push_back(*score);
    return true;
  });
}

bool RecordParser::Json::ReadScoredMembers(ondemand::value element,
                                           std::optional<std::string_view>& member,
                                           std::optional<double>& score) {
  return ForEachField(element, [&](std::string_view name, ondemand::value value) {
    if (name == "value") {
      if (member) return Refuse(StartOf(value), "the member \"value\" stands twice");
      return ReadString(value, member.emplace());
    }
    if (name == "score") {
      if (score) return Refuse(StartOf(value), "the member \"score\" stands twice");
      return ReadScore(value, score.emplace());
    }
    return Skip(value, 0);
  });
}

bool RecordParser::Json::ReadScore(ondemand::value value, double& score) {
  const char* at = StartOf(value);
  if (*at == '"') {
    std::string_view text;
    if (!ReadString(value, text)) return false;
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
  const std::string_view text = TrimToken(value.raw_json_token());
  if (!IsJsonNumber(text)) return Refuse(at, "the score is not a number");
  if (value.get_double().get(score) == simdjson::SUCCESS) return true;
  return Refuse(at, "the score is too large for a 64-bit floating-point number");
}

// A string, or the source text of a number or boolean.
bool RecordParser::Json::ReadString(ondemand::value value, std::string_view& to) {
  const char* at = StartOf(value);
  if (*at == '"') {
    if (value.get_string().get(to) != simdjson::SUCCESS) {
      return Refuse(at, "an invalid escape in a string");
    }
    return !has_escapes_ || CheckUnescaped(to, at);
  }
  if (*at == '{' || *at == '[') return Refuse(at, "a nested value, where a string is meant");
  const std::string_view text = TrimToken(value.raw_json_token());
  if (text == "null") return Refuse(at, "null, where a string is meant");
  if (text == "true" || text == "false" || IsJsonNumber(text)) {
    to = text;
    return true;
  }
  return Refuse(at, "not a JSON value");
}

// Visits a value that is not needed, because a malformed line is refused whichever part it is.
bool RecordParser::Json::Skip(ondemand::value value, int depth) {
  const char* at = StartOf(value);
  if (depth > kMaxIgnoredDepth) return Refuse(at, "nested too deeply");
  if (*at == '{') {
    return ForEachField(value, [this, depth](std::string_view, ondemand::value member) {
      return Skip(member, depth + 1);
    });
  }
  if (*at == '[') {
    return ForEachElement(
        value, [this, depth](ondemand::value element) { return Skip(element, depth + 1); });
  }
  if (TrimToken(value.raw_json_token()) == "null") return true;
  std::string_view ignored;
  return ReadString(value, ignored);
}

std::expected<LineContent, LineError> RecordParser::Json::Conclude(RecordView& record) {
  const char* missing = nullptr;
  if (!key_) missing = "the record has no member \"key\"";
  if (missing == nullptr && type_ == nullptr) missing = "the record has no member \"type\"";
  const char* start = line_.data() + line_.find('{');
  if (missing != nullptr) {
    Refuse(start, missing);
  } else if (form_ == nullptr) {
    Refuse(start, "the type is " + Quoted(type_->type_name) + ", but the record has no member " +
                      Quoted(type_->member));
  } else if (form_ != type_) {
    Refuse(form_at_, "the type is " + Quoted(type_->type_name) + ", but the value stands in " +
                         Quoted(form_->member));
  }
  if (error_) {
    if (key_) error_->key = std::string(*key_);
    return std::unexpected(*std::move(error_));
  }
  if (form_->type != ValueType::kString && items_.empty()) return LineContent::kEmptyCollection;
  record = RecordView{};
  record.key = *key_;
  record.type = form_->type;
  record.text = text_;
  record.items = items_;
  record.scores = scores_;
  return LineContent::kRecord;
}

template <typename Each>
bool RecordParser::Json::ForEachField(ondemand::value value, Each each) {
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return RefuseSyntax(error);
  return ReadFieldsOf(object, each);
}

template <typename Each>
bool RecordParser::Json::ReadFieldsOf(ondemand::object object, Each each) {
  for (auto item : object) {
    ondemand::field field;
    if (const auto error = std::move(item).get(field)) return RefuseSyntax(error);
    std::string_view name;
    if (!ReadName(field, name) || !each(name, field.value())) return false;
  }
  return true;
}

template <typename Each>
bool RecordParser::Json::ForEachElement(ondemand::value value, Each each) {
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return RefuseSyntax(error);
  for (auto item : array) {
    ondemand::value element;
    if (const auto error = std::move(item).get(element)) return RefuseSyntax(error);
    if (!each(element)) return false;
  }
  return true;
}

bool RecordParser::Json::ReadName(ondemand::field& field, std::string_view& name) {
  const char* at = field.key().raw() - 1;
  if (field.unescaped_key().get(name) != simdjson::SUCCESS) {
    return Refuse(at, "an invalid escape in a name");
  }
  return !has_escapes_ || CheckUnescaped(name, at);
}

size_t RecordParser::Json::OffsetOf(const char* at) const {
  if (at < line_.data()) return 0;
  return std::min(static_cast<size_t>(at - line_.data()), line_.size());
}

bool RecordParser::Json::Refuse(const char* at, std::string reason, ErrorCode code) {
  error_ = LineError{code, OffsetOf(at), std::move(reason), std::nullopt};
  return false;
}

bool RecordParser::Json::RefuseSyntax(simdjson::error_code error) {
  const char* at = nullptr;
  if (document_.current_location().get(at) != simdjson::SUCCESS) at = line_.data() + line_.size();
  if (OffsetOf(at) == line_.size()) return Refuse(at, kEndsEarly);
  return Refuse(at, std::string(SyntaxReason(error)));
}

bool RecordParser::Json::RefuseFirstStage(simdjson::error_code error) {
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
      return Refuse(at(0), std::string(SyntaxReason(simdjson::MEMALLOC)), ErrorCode::kLimit);
    default:
      return Refuse(at(0), "malformed JSON");
  }
}

bool RecordParser::Json::RefuseEnd() {
  const size_t rest = line_.find_first_not_of(" \t\r", FindObjectEnd(line_));
  const bool complete = rest != std::string_view::npos;
  return Refuse(line_.data() + (complete ? rest : line_.size()),
                complete ? kSomethingFollows : kEndsEarly);
}

bool RecordParser::Json::CheckUnescaped(std::string_view text, const char* at) {
  if (simdjson::validate_utf8(text.data(), text.size())) return true;
  return Refuse(at, "an escape of half a surrogate pair");
}

RecordParser::RecordParser() : json_(std::make_unique<Json>()) {}
RecordParser::~RecordParser() = default;

std::expected<LineContent, LineError> RecordParser::Parse(std::string_view line) {
  return json_->Parse(line, record_);
}

}  // namespace larder::importer

#include "import/json/document_lines.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "import/jsonl/chunk_parser.h"

// RapidJSON works out the value of every number, also when only its text is wanted, and gives up on
// those that a double cannot hold. Here their text is all that counts, so that error is no error;
// the sum goes on and is thrown away (it may wrap: this file is compiled with -fwrapv). Its
// assertions are of its own states and not of the input; a bad input ends in an error.
#define RAPIDJSON_ASSERT(condition) static_cast<void>(0)
#define RAPIDJSON_PARSE_ERROR_NORETURN(code, offset) SetParseError(code, offset)
#define RAPIDJSON_PARSE_ERROR(code, offset)         \
  do {                                              \
    if ((code) != kParseErrorNumberTooBig) {        \
      RAPIDJSON_PARSE_ERROR_NORETURN(code, offset); \
      return;                                       \
    }                                               \
  } while (false)
// A name of our own: another RapidJSON in the same program has other macros.
#define RAPIDJSON_NAMESPACE larder_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace larder_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/reader.h>

namespace larder::importer {
namespace {

namespace rapidjson = larder_rapidjson;

// In situ: strings are "decoded" into the stream, which drops them.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseInsituFlag |
                                 rapidjson::kParseNumbersAsStringsFlag |
                                 rapidjson::kParseValidateEncodingFlag;

// What may stand between the mark and the record or name behind it.
constexpr std::string_view kBetweenValues = " \t\r\n,:[]{}";

// A namespace is copied into the key of each of its records; with escapes a byte takes six.
constexpr size_t kMaxNamespaceBytes = 6 * kMaxKeyBytes;

constexpr size_t kBlockBytes = size_t{256} << 10;

// What is given back after a record that needed more.
constexpr size_t kKeptLineBytes = size_t{8} << 20;

std::string_view SyntaxReason(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return "the file holds no JSON document; it is empty";
    case rapidjson::kParseErrorObjectMissName:
      return "the name of a member is missing, a string in double quotes";
    case rapidjson::kParseErrorObjectMissColon:
      return "a colon is missing behind the name of a member";
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return "a comma or \"}\" is missing behind the value of a member";
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return "a comma or \"]\" is missing behind an element";
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
    case rapidjson::kParseErrorStringEscapeInvalid:
      return "an invalid escape or an unescaped control character in a string";
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
      return "an escape of half a surrogate pair";
    case rapidjson::kParseErrorStringMissQuotationMark:
      return "a string that does not end";
    case rapidjson::kParseErrorStringInvalidEncoding:
      return "not UTF-8";
    case rapidjson::kParseErrorNumberMissFraction:
      return "a number without digits behind the point";
    case rapidjson::kParseErrorNumberMissExponent:
      return "a number without digits in the exponent";
    default:
      return "not a JSON value";
  }
}

// As it is written inside a JSON string.
std::string InString(char c) {
  if (c == '"' || c == '\\') return {'\\', c};
  if (static_cast<uint8_t>(c) < 0x20) return fmt::format("\\u{:04x}", c);
  return {c};
}

size_t OuterDepth(DocumentForm form) {
  return form == DocumentForm::kMembers || form == DocumentForm::kElements ? 1 : 2;
}

}  // namespace

// What the reader finds, one call each. Outside of records the mark stands behind the value that
// came last; between a record's start (its name, when it is a member) and its end it stays.
struct DocumentLines::Events : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Events> {
  Events(DocumentText& text, size_t chunk_bytes, const SourceOptions& options)
      : text_(text),
        chunk_bytes_(chunk_bytes),
        level_separator_(options.level_separator),
        is_row_namespace_(options.levels > 1) {}

  bool Null() { return Scalar("null"); }
  bool Bool(bool /*value*/) { return Scalar("a boolean"); }
  bool RawNumber(const char* /*text*/, unsigned /*bytes*/, bool /*copy*/) {
    return Scalar("a number");
  }
  bool String(const char* /*text*/, unsigned /*bytes*/, bool /*copy*/) {
    return Scalar("a string");
  }
  bool StartObject() { return Open('{'); }
  bool StartArray() { return Open('['); }
  bool EndObject(unsigned /*members*/) { return Close(); }
  bool EndArray(unsigned /*elements*/) { return Close(); }
  bool Key(const char* text, unsigned bytes, bool copy);

  void SetForm(DocumentForm form) {
    form_ = form;
    outer_ = OuterDepth(form);
  }
  // The text that leads the reader to where it was stopped.
  std::string_view PrepareToResume();

  DocumentText& text_;
  const size_t chunk_bytes_;
  const char level_separator_;
  const bool is_row_namespace_;  // whether the name of an array is part of the keys of its rows
  DocumentForm form_ = DocumentForm::kMembers;
  size_t outer_ = 1;           // records stand in this many brackets
  size_t depth_ = 0;           // brackets that are open
  size_t events_to_skip_ = 0;  // those of the text in front
  size_t name_bytes_ = 0;      // of the record, with its quotes; 0: not inside a member
  std::string namespace_;      // as it is written, without quotes
  std::string row_namespace_;  // what it says, with the separator
  std::string line_;
  SourceChunk* chunk_ = nullptr;
  bool paused_ = false;
  std::optional<Error> error_;                             // of memory
  std::optional<std::pair<size_t, std::string>> refusal_;  // where, why

 private:
  bool IsSkipped() {
    if (events_to_skip_ == 0) return false;
    --events_to_skip_;
    return true;
  }
  void TrimMark();
  bool Scalar(std::string_view what);
  bool Open(char bracket);
  bool Close();
  bool Refuse(std::string_view what);
  bool RefuseAtMark(std::string reason);
  bool FinishRecord(bool bracket_follows);
  std::string_view Line(std::string_view kept);
  bool Pause(bool bracket_follows);
};

struct DocumentLines::Reader {
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>> json;
};

void DocumentLines::Events::TrimMark() {
  const std::string_view kept = text_.Kept();
  text_.MoveMark(std::min(kept.find_first_not_of(kBetweenValues), kept.size()));
}

bool DocumentLines::Events::Key(const char* /*text*/, unsigned /*bytes*/, bool /*copy*/) {
  if (IsSkipped() || depth_ > outer_) return true;
  TrimMark();
  if (depth_ == outer_) {
    name_bytes_ = text_.Kept().size();
    return true;
  }
  const std::string_view name = text_.Kept();
  if (name.size() > kMaxNamespaceBytes) return RefuseAtMark("the name is too long");
  namespace_ = name.substr(1, name.size() - 2);
  // The reader lets the second half of a surrogate pair stand alone.
  const auto decoded = nlohmann::json::parse(name, nullptr, false);
  if (decoded.is_discarded()) return RefuseAtMark("an escape of half a surrogate pair");
  if (is_row_namespace_ && form_ == DocumentForm::kRowArrays)
    row_namespace_ = decoded.get<std::string>() + level_separator_;
  text_.Mark();
  return true;
}

bool DocumentLines::Events::Scalar(std::string_view what) {
  if (IsSkipped() || depth_ > outer_) return true;
  return depth_ == outer_ ? FinishRecord(false) : Refuse(what);
}

bool DocumentLines::Events::Open(char bracket) {
  if (IsSkipped()) return true;
  if (depth_ == kMaxDocumentDepth) {
    refusal_.emplace(text_.Tell(), fmt::format("nested more than {} deep", kMaxDocumentDepth));
    return false;
  }
  if (depth_ < outer_) {
    const bool array =
        form_ == DocumentForm::kElements || (form_ == DocumentForm::kRowArrays && depth_ == 1);
    if (array != (bracket == '[')) return Refuse(array ? "an object" : "an array");
    text_.Mark();
  } else if (depth_ == outer_ && name_bytes_ == 0) {
    text_.Mark();
  }
  ++depth_;
  return true;
}

bool DocumentLines::Events::Close() {
  --depth_;
  if (depth_ > outer_) return true;
  if (depth_ == outer_) return FinishRecord(true);
  text_.Mark();
  // A chunk holds rows of one namespace.
  const bool ends_chunk = depth_ == 1 && is_row_namespace_ && form_ == DocumentForm::kRowArrays &&
                          !chunk_->positions.empty();
  return ends_chunk ? Pause(true) : true;
}

bool DocumentLines::Events::Refuse(std::string_view what) {
  TrimMark();
  if (depth_ == 0) {
    return RefuseAtMark(fmt::format("a JSON document is an object or an array; this is {}", what));
  }
  return RefuseAtMark(fmt::format(
      "{}; \"{}\" is {}",
      form_ == DocumentForm::kSpaces
          ? "with two levels every member of the document is an object, of the records of its "
            "namespace"
          : "with a key_field every member of the document is an array, of rows",
      namespace_, what));
}

bool DocumentLines::Events::RefuseAtMark(std::string reason) {
  refusal_.emplace(text_.Tell() - text_.Kept().size(), std::move(reason));
  return false;
}

bool DocumentLines::Events::FinishRecord(bool bracket_follows) {
  if (name_bytes_ == 0 && !bracket_follows) TrimMark();
  const LinePosition position = text_.MarkPosition();
  text_.JoinKeptLines();
  const std::string_view line = Line(bracket_follows ? text_.KeptAndNext() : text_.Kept());
  if (auto added = chunk_->lines.AddLine(line, text_.path()); !added) {
    error_ = std::move(added).error();
    return false;
  }
  chunk_->positions.push_back(position);
  if (line_.capacity() > kKeptLineBytes) line_ = std::string();
  name_bytes_ = 0;
  text_.Mark();
  if (chunk_->lines.text().size() < chunk_bytes_) return true;
  return Pause(bracket_follows);
}

std::string_view DocumentLines::Events::Line(std::string_view kept) {
  if (name_bytes_ == 0) return kept;
  line_ = R"({"key":)";
  if (form_ == DocumentForm::kSpaces) {
    line_ += '"';
    line_ += namespace_;
    line_ += InString(level_separator_);
    line_ += kept.substr(1, name_bytes_ - 1);
  } else {
    line_ += kept.substr(0, name_bytes_);
  }
  line_ += R"(,"value")";
  line_ += kept.substr(name_bytes_);  // with its colon
  line_ += '}';
  return line_;
}

// The reader does not take the bracket of a record that was its last.
bool DocumentLines::Events::Pause(bool bracket_follows) {
  if (bracket_follows) text_.Take();
  text_.Mark();
  paused_ = true;
  return false;
}

std::string_view DocumentLines::Events::PrepareToResume() {
  struct Lead {
    std::string_view text;
    size_t events;
  };
  const auto lead = [this]() -> Lead {
    switch (form_) {
      case DocumentForm::kMembers:
        return {R"({"":"")", 3};
      case DocumentForm::kSpaces:
        return {R"({"":{"":"")", 5};
      case DocumentForm::kElements:
        return {R"(["")", 2};
      default:
        return depth_ == outer_ ? Lead{R"({"":["")", 4} : Lead{R"({"":"")", 3};
    }
  }();
  events_to_skip_ = lead.events;
  return lead.text;
}

DocumentLines::DocumentLines(SourceStream& stream, const ImportOptions& options, size_t chunk_bytes)
    : stream_(stream),
      options_(options.source),
      text_(stream, std::min(chunk_bytes, kBlockBytes), options.max_line_bytes),
      events_(std::make_unique<Events>(text_, chunk_bytes, options.source)),
      reader_(std::make_unique<Reader>()) {}

DocumentLines::~DocumentLines() = default;

Result<void> DocumentLines::Start() {
  text_.Start();
  while (text_.Peek() == ' ' || text_.Peek() == '\t' || text_.Peek() == '\r' ||
         text_.Peek() == '\n') {
    text_.Take();
    text_.Mark();
  }
  if (const auto& error = text_.error()) return std::unexpected(*error);
  return ChooseForm(text_.Peek());
}

Result<void> DocumentLines::ChooseForm(char first) {
  const bool two_levels = options_.levels > 1;
  if (first == '[') {
    if (two_levels) {
      return std::unexpected(ErrorAtOffset(
          text_.Tell(), "two levels are those of an object of objects; the document is an array"));
    }
    events_->SetForm(DocumentForm::kElements);
    shape_ = options_.shape;
    return {};
  }
  if (first == '{' && options_.shape == Shape::kTyped) {
    return std::unexpected(
        ErrorAtOffset(text_.Tell(),
                      "the shape \"typed\" is one of elements of an array; the document is an "
                      "object, and its members are read as short"));
  }
  const bool rows = options_.shape == Shape::kRows ||
                    (options_.shape == Shape::kAuto && !options_.key_field.empty());
  shape_ = rows ? Shape::kRows : Shape::kShort;
  events_->SetForm(rows         ? DocumentForm::kRowArrays
                   : two_levels ? DocumentForm::kSpaces
                                : DocumentForm::kMembers);
  return {};
}

Result<void> DocumentLines::Next(SourceChunk& chunk) {
  chunk.lines.Clear();
  chunk.positions.clear();
  if (const auto& error = pending_error_) return std::unexpected(*error);
  if (ended_) return {};
  events_->chunk_ = &chunk;
  if (events_->paused_) text_.ShowFirst(events_->PrepareToResume());
  events_->paused_ = false;
  reader_->json.Parse<kParseFlags>(text_, *events_);
  chunk.key_namespace = events_->row_namespace_;
  if (events_->paused_) return {};
  ended_ = true;
  auto concluded = Conclude();
  if (concluded || chunk.positions.empty()) return concluded;
  // The records before it come first: one of them may be bad.
  pending_error_ = std::move(concluded).error();
  return {};
}

Result<void> DocumentLines::Conclude() {
  if (const auto& error = events_->error_) return std::unexpected(*error);
  if (const auto& error = text_.error()) {
    if (error->code() != ErrorCode::kLimit) return std::unexpected(*error);
    return std::unexpected(ErrorAtOffset(text_.MarkOffset(), error->message(), error->code()));
  }
  LARDER_TRY(stream_.CheckUnchanged());
  if (const auto& refusal = events_->refusal_) {
    return std::unexpected(ErrorAtOffset(refusal->first, refusal->second));
  }
  const auto& json = reader_->json;
  if (json.HasParseError()) return std::unexpected(SyntaxError());
  if (text_.AtEnd()) return {};
  return std::unexpected(ErrorAtOffset(text_.Tell(), "a NUL byte behind the document"));
}

Error DocumentLines::SyntaxError() {
  const auto code = reader_->json.GetParseErrorCode();
  std::string_view reason = SyntaxReason(code);
  const bool at_end = text_.AtEnd();
  if (code == rapidjson::kParseErrorDocumentRootNotSingular) {
    reason = text_.Peek() == '{' || text_.Peek() == '['
                 ? "another document follows; a file of many objects, one a line, is of the format "
                   "\"jsonl\""
                 : "something follows the document";
  } else if (at_end && code != rapidjson::kParseErrorDocumentEmpty) {
    reason = code == rapidjson::kParseErrorStringMissQuotationMark
                 ? "the file ends inside a string"
                 : "the file ends before its document does";
  } else if (!at_end && text_.Peek() == '\0') {
    reason = "a NUL byte";
  }
  return ErrorAtOffset(reader_->json.GetErrorOffset(), std::string(reason));
}

Error DocumentLines::ErrorAtOffset(size_t offset, std::string reason, ErrorCode code) {
  LineError error{code, 0, std::move(reason)};
  const std::string_view name = text_.Kept().substr(0, events_->name_bytes_);
  if (!name.empty()) error.key = std::string(name.substr(1, name.size() - 2));
  return ErrorAt(text_.path(), text_.PositionOf(offset), error);
}

}  // namespace larder::importer

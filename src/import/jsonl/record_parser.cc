#include "import/jsonl/record_parser.h"

#include <string>
#include <utility>

#include "import/jsonl/json_line.h"
#include "import/jsonl/line_parts.h"
#include "import/jsonl/row_shape.h"
#include "import/jsonl/short_shape.h"
#include "import/jsonl/typed_shape.h"

namespace larder::importer {

struct RecordParser::State {
 public:
  explicit State(LineOptions wanted)
      : options(std::move(wanted)),
        typed(line, parts),
        short_shape(line, parts, options),
        row(line, parts, options),
        likely(options.shape == SourceShape::kAuto ? SourceShape::kTyped : options.shape) {}

  std::expected<LineContent, LineError> Parse(std::string_view text);

  const LineOptions options;
  JsonLine line;
  LineParts parts;
  RecordView record;

 private:
  // What the names of a line's members, and some of their values, tell.
  struct Look {
    bool typed = false;
    bool row_key = false;
    bool key = false;
    bool value = false;
    ValueReading reading;
  };

  bool MayTry() const;
  bool Read(SourceShape shape, const ValueReading& known);
  std::expected<LineContent, LineError> ParseKnowingly(std::string_view text);
  Look LookAtMembers();
  SourceShape ShapeOf(const Look& look) const;
  bool RefuseShapeless();
  std::expected<LineContent, LineError> Finish();
  std::unexpected<LineError> Failed();

  TypedShape typed;
  ShortShape short_shape;
  RowShape row;
  SourceShape likely;  // that the line before had; never kAuto
};

std::expected<LineContent, LineError> RecordParser::State::Parse(std::string_view text) {
  parts.Clear();
  if (!line.Begin(text)) return Failed();
  if (MayTry()) {
    if (Read(likely, {})) return Finish();
    const bool sure = options.shape == SourceShape::kTyped || options.shape == SourceShape::kRows;
    if (sure) return Failed();
  }
  return ParseKnowingly(text);
}

// Whether a line that can be read as the likely shape is of it: a row can look like a short record.
bool RecordParser::State::MayTry() const {
  return options.shape != SourceShape::kAuto || likely != SourceShape::kShort ||
         options.key_field.empty();
}

bool RecordParser::State::Read(SourceShape shape, const ValueReading& known) {
  switch (shape) {
    case SourceShape::kTyped:
      return typed.Read();
    case SourceShape::kShort:
      return short_shape.Read(known);
    case SourceShape::kRows:
      return row.Read();
    case SourceShape::kAuto:
      break;
  }
  return RefuseShapeless();
}

std::expected<LineContent, LineError> RecordParser::State::ParseKnowingly(std::string_view text) {
  if (!line.Begin(text)) return Failed();
  const Look look = LookAtMembers();
  const SourceShape shape = options.shape == SourceShape::kAuto ? ShapeOf(look) : options.shape;
  if (shape != SourceShape::kAuto) likely = shape;
  parts.Clear();
  if (!line.Begin(text) || !Read(shape, look.reading)) return Failed();
  return Finish();
}

// Does not care whether the line is well-formed: whoever reads it then does.
RecordParser::State::Look RecordParser::State::LookAtMembers() {
  Look look;
  line.ForEachMember([&](std::string_view name, JsonLine::Value value) {
    const char first = *JsonLine::StartOf(value);
    if (first != 'n' && IsRecordMember(name)) {
      look.typed = true;
      return false;
    }
    look.key = look.key || name == "key";
    look.value = look.value || name == "value";
    look.row_key = look.row_key || (!options.key_field.empty() && name == options.key_field);
    std::string_view text;
    if (first == '"' && ValueReading::IsNoted(name) && line.ReadString(value, text)) {
      look.reading.Note(name, text);
    }
    return true;
  });
  return look;
}

// kAuto when it has none.
SourceShape RecordParser::State::ShapeOf(const Look& look) const {
  if (look.typed) return SourceShape::kTyped;
  if (look.row_key) return SourceShape::kRows;
  return look.key && look.value ? SourceShape::kShort : SourceShape::kAuto;
}

bool RecordParser::State::RefuseShapeless() {
  // What is malformed is the better explanation.
  const bool read = line.ForEachMember([this](std::string_view name, JsonLine::Value value) {
    const char* at = JsonLine::StartOf(value);
    if (name != "key" || parts.key_text || JsonLine::IsNested(at) || *at == 'n') {
      return line.Skip(value);
    }
    std::string_view key;
    if (!line.ReadString(value, key)) return false;
    parts.key_text = key;
    return true;
  });
  if (!read) return false;
  std::string reason =
      "the record is of no shape: it has neither a record member (\"string_record\", "
      "\"hash_record\", \"list_record\", \"set_record\", \"ordered_set_record\") nor ";
  if (!options.key_field.empty()) reason += Quoted(options.key_field) + " (key_field) nor ";
  reason += "\"key\" and \"value\"";
  if (options.key_field.empty()) reason += "; with key_field the objects can be rows";
  return line.Refuse(line.start(), std::move(reason));
}

std::expected<LineContent, LineError> RecordParser::State::Finish() {
  if (parts.IsEmptyCollection()) return LineContent::kEmptyCollection;
  record = RecordView{};
  record.key = *parts.key;
  record.type = parts.type;
  record.text = parts.text;
  record.items = parts.items;
  record.scores = parts.scores;
  record.expires_at_ms = parts.expires_at_ms;
  record.version = parts.version;
  record.flags = parts.flags;
  return LineContent::kRecord;
}

std::unexpected<LineError> RecordParser::State::Failed() {
  LineError error = std::move(line.error());
  if (parts.key_text) error.key = std::string(*parts.key_text);
  return std::unexpected(std::move(error));
}

RecordParser::RecordParser(LineOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
RecordParser::~RecordParser() = default;

std::expected<LineContent, LineError> RecordParser::Parse(std::string_view line) {
  return state_->Parse(line);
}

const RecordView& RecordParser::record() const { return state_->record; }
std::string_view RecordParser::key_text() const { return *state_->parts.key_text; }
bool RecordParser::depends_on_mtime() const { return state_->parts.depends_on_mtime; }

}  // namespace larder::importer

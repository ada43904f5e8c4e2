#include "import/jsonl/row_shape.h"

#include "import/jsonl/typed_shape.h"

namespace larder::importer {

bool RowShape::Read() {
  parts_.type = ValueType::kHash;
  return line_.ForEachMember([this](std::string_view name, JsonLine::Value value) {
    return ReadMember(name, value);
  }) && Conclude();
}

bool RowShape::ReadMember(std::string_view name, JsonLine::Value value) {
  if (name == key_field_) return ReadKey(value);
  const char* at = JsonLine::StartOf(value);
  if (*at == 'n') return line_.Skip(value);
  // Where shapes are told from the line, this is what makes it typed.
  if (!forced_ && IsRecordMember(name)) return line_.Refuse(at, "a record member in a row");
  parts_.items.push_back(name);
  std::string_view& text = parts_.items.emplace_back();
  return JsonLine::IsNested(at) ? line_.ReadJson(value, text) : line_.ReadString(value, text);
}

bool RowShape::ReadKey(JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (parts_.key) return line_.Refuse(at, "the member " + Quoted(key_field_) + " stands twice");
  std::string_view key;
  if (!line_.ReadString(value, key)) return false;
  parts_.key = key;
  parts_.key_text = key;
  key_at_ = at;
  return true;
}

bool RowShape::Conclude() {
  if (!parts_.key) {
    return line_.Refuse(line_.start(),
                        "the row has no member " + Quoted(key_field_) + " (key_field)");
  }
  if (!key_prefix_.empty()) {
    key_.assign(key_prefix_).append(*parts_.key);
    parts_.key = key_;
  }
  return line_.CheckKey(key_at_, *parts_.key);
}

}  // namespace larder::importer

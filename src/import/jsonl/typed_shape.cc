#include "import/jsonl/typed_shape.h"

#include <algorithm>
#include <array>
#include <string>

namespace larder::importer {

struct RecordForm {
  ValueType type;
  std::string_view type_name;
  std::string_view member;    // of the record
  std::string_view contents;  // the member's member
};

namespace {

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

}  // namespace

bool IsRecordMember(std::string_view name) { return FormOfMember(name) != nullptr; }

bool TypedShape::Read() {
  type_ = nullptr;
  form_ = nullptr;
  return line_.ForEachMember([this](std::string_view name, JsonLine::Value value) {
    return ReadMember(name, value);
  }) && Conclude();
}

bool TypedShape::ReadMember(std::string_view name, JsonLine::Value value) {
  if (name == "key") return ReadKey(value);
  if (name == "type") return ReadType(value);
  const RecordForm* form = FormOfMember(name);
  if (form == nullptr) return line_.Skip(value);
  const char* at = JsonLine::StartOf(value);
  // Writers that know all forms write null for those that do not apply.
  if (*at == 'n') return line_.Skip(value);
  if (form_ != nullptr) {
    return line_.Refuse(at, form == form_ ? "the member " + Quoted(name) + " stands twice"
                                          : "the record has " + Quoted(form_->member) + " and " +
                                                Quoted(name) + "; only one can be meant");
  }
  form_ = form;
  form_at_ = at;
  return ReadForm(*form, value);
}

bool TypedShape::ReadKey(JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (parts_.key) return line_.Refuse(at, "the member \"key\" stands twice");
  std::string_view key;
  if (!line_.ReadString(value, key)) return false;
  parts_.key = key;
  parts_.key_text = key;
  return line_.CheckKey(at, key);
}

bool TypedShape::ReadType(JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (type_ != nullptr) return line_.Refuse(at, "the member \"type\" stands twice");
  std::string_view type;
  if (*at != '"') return line_.Refuse(at, "the type is not a string");
  if (!line_.ReadString(value, type)) return false;
  type_ = FormOfType(type);
  if (type_ != nullptr) return true;
  return line_.Refuse(at, "the type is none of \"string\", \"hash\", \"list\", \"set\", \"zset\"");
}

bool TypedShape::ReadForm(const RecordForm& form, JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (*at != '{') return line_.Refuse(at, Quoted(form.member) + " is not an object");
  bool found = false;
  const bool read = line_.ForEachField(value, [&](std::string_view name, JsonLine::Value member) {
    if (name != form.contents) return line_.Skip(member);
    if (found) {
      return line_.Refuse(JsonLine::StartOf(member),
                          "the member " + Quoted(name) + " stands twice");
    }
    found = true;
    return ReadContents(form, member);
  });
  if (!read) return false;
  if (found) return true;
  return line_.Refuse(at, Quoted(form.member) + " has no member " + Quoted(form.contents));
}

bool TypedShape::ReadContents(const RecordForm& form, JsonLine::Value value) {
  if (form.type == ValueType::kString) return line_.ReadString(value, parts_.text);
  const char* at = JsonLine::StartOf(value);
  // How Go writes an empty map or slice that was never made.
  if (*at == 'n') return line_.Skip(value);
  if (form.type == ValueType::kHash) {
    if (*at != '{') return line_.Refuse(at, "\"fields\" is not an object");
    return ReadFields(value);
  }
  if (*at != '[') return line_.Refuse(at, "\"elements\" is not an array");
  return form.type == ValueType::kZset ? ReadScored(value) : ReadElements(value);
}

bool TypedShape::ReadFields(JsonLine::Value value) {
  return line_.ForEachField(value, [this](std::string_view name, JsonLine::Value field) {
    parts_.items.push_back(name);
    return line_.ReadString(field, parts_.items.emplace_back());
  });
}

bool TypedShape::ReadElements(JsonLine::Value value) {
  return line_.ForEachElement(value, [this](JsonLine::Value element) {
    return line_.ReadString(element, parts_.items.emplace_back());
  });
}

bool TypedShape::ReadScored(JsonLine::Value value) {
  return line_.ForEachElement(value, [this](JsonLine::Value element) {
    const char* at = JsonLine::StartOf(element);
    if (*at != '{') {
      return line_.Refuse(at, R"(an element is not an object {"value": ..., "score": ...})");
    }
    std::optional<std::string_view> member;
    std::optional<double> score;
    if (!ReadScoredMembers(element, member, score)) return false;
    if (!member) return line_.Refuse(at, "an element has no member \"value\"");
    if (!score) return line_.Refuse(at, "an element has no member \"score\"");
    parts_.items.push_back(*member);
    parts_.scores.push_back(*score);
    return true;
  });
}

bool TypedShape::ReadScoredMembers(JsonLine::Value element, std::optional<std::string_view>& member,
                                   std::optional<double>& score) {
  return line_.ForEachField(element, [&](std::string_view name, JsonLine::Value value) {
    const char* at = JsonLine::StartOf(value);
    if (name == "value") {
      if (member) return line_.Refuse(at, "the member \"value\" stands twice");
      return line_.ReadString(value, member.emplace());
    }
    if (name == "score") {
      if (score) return line_.Refuse(at, "the member \"score\" stands twice");
      return line_.ReadScore(value, score.emplace());
    }
    return line_.Skip(value);
  });
}

bool TypedShape::Conclude() {
  if (!parts_.key) return line_.Refuse(line_.start(), "the record has no member \"key\"");
  if (type_ == nullptr) return line_.Refuse(line_.start(), "the record has no member \"type\"");
  if (form_ == nullptr) {
    return line_.Refuse(line_.start(), "the type is " + Quoted(type_->type_name) +
                                           ", but the record has no member " +
                                           Quoted(type_->member));
  }
  if (form_ != type_) {
    return line_.Refuse(form_at_, "the type is " + Quoted(type_->type_name) +
                                      ", but the value stands in " + Quoted(form_->member));
  }
  parts_.type = form_->type;
  return true;
}

}  // namespace larder::importer

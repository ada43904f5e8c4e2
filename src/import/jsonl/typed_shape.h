// TypedShape: a record whose value stands in a member of its type's name, as rostore writes it.
//
// Format: docs/formats/jsonl.md, "Typed"
#pragma once

#include <optional>
#include <string_view>

#include "import/jsonl/json_line.h"
#include "import/jsonl/line_parts.h"

namespace larder::importer {

// Which type stands in which member.
struct RecordForm;

// Whether the name is one of the five record members; one that is null is absent.
bool IsRecordMember(std::string_view name);

class TypedShape {
 public:
  TypedShape(JsonLine& line, LineParts& parts) : line_(line), parts_(parts) {}

  // The walk of a line that has begun.
  bool Read();

 private:
  bool ReadMember(std::string_view name, JsonLine::Value value);
  bool ReadKey(JsonLine::Value value);
  bool ReadType(JsonLine::Value value);
  bool ReadForm(const RecordForm& form, JsonLine::Value value);
  bool ReadContents(const RecordForm& form, JsonLine::Value value);
  bool ReadFields(JsonLine::Value value);
  bool ReadElements(JsonLine::Value value);
  bool ReadScored(JsonLine::Value value);
  bool ReadScoredMembers(JsonLine::Value element, std::optional<std::string_view>& member,
                         std::optional<double>& score);
  bool Conclude();

  JsonLine& line_;
  LineParts& parts_;
  const RecordForm* type_ = nullptr;  // that the "type" names
  const RecordForm* form_ = nullptr;  // whose record member is there
  const char* form_at_ = nullptr;
};

}  // namespace larder::importer

// RowShape: any object, one member of which is the key; the others are the fields of a hash.
//
// Format: docs/formats/jsonl.md, "Rows"
#pragma once

#include <string>
#include <string_view>

#include "import/jsonl/json_line.h"
#include "import/jsonl/line_parts.h"

namespace larder::importer {

class RowShape {
 public:
  RowShape(JsonLine& line, LineParts& parts, const LineOptions& options)
      : line_(line),
        parts_(parts),
        key_field_(options.key_field),
        key_prefix_(options.key_prefix),
        forced_(options.shape == SourceShape::kRows) {}

  // The walk of a line that has begun.
  bool Read();

 private:
  bool ReadMember(std::string_view name, JsonLine::Value value);
  bool ReadKey(JsonLine::Value value);
  bool Conclude();

  JsonLine& line_;
  LineParts& parts_;
  const std::string key_field_;
  const std::string key_prefix_;
  const bool forced_;
  const char* key_at_ = nullptr;
  std::string key_;  // with the prefix
};

}  // namespace larder::importer

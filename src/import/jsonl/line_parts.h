// LineParts: what a line says, whichever its shape: filled by the shapes, made a RecordView by
// RecordParser.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "larder/record.h"

namespace larder::importer {

struct LineParts {
  std::optional<std::string_view> key;
  std::optional<std::string_view> key_text;  // as it stands in the line, for messages
  ValueType type = ValueType::kString;
  std::string_view text;
  std::vector<std::string_view> items;
  std::vector<double> scores;
  std::optional<int64_t> expires_at_ms;
  std::optional<uint64_t> version;
  std::optional<uint32_t> flags;
  bool depends_on_mtime = false;

  // Keeps the memory of the vectors.
  void Clear() {
    key.reset();
    key_text.reset();
    type = ValueType::kString;
    text = {};
    items.clear();
    scores.clear();
    expires_at_ms.reset();
    version.reset();
    flags.reset();
    depends_on_mtime = false;
  }

  bool IsEmptyCollection() const {
    return type != ValueType::kString && type != ValueType::kJson && items.empty();
  }
};

}  // namespace larder::importer

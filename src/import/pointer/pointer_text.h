// ParsePointer: the text of rostore's pointer file to the names in it.
//
// Threads:    any; nothing is kept.
// Errors:     a PointerFault: where in the text, and why.
// Format:     docs/formats/pointer.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace larder::importer {

// Two names need no more; a larger file is none.
inline constexpr uint64_t kMaxPointerBytes = uint64_t{64} << 10;

struct PointerNames {
  std::string records;
  std::string index;  // empty: none
};

struct PointerFault {
  size_t offset = 0;  // in the text, from 0
  std::string reason;
};

std::expected<PointerNames, PointerFault> ParsePointer(std::string_view text);

// Whether the text is meant to be one: a JSON object with a string "records_file_name".
bool LooksLikePointer(std::string_view text);

}  // namespace larder::importer

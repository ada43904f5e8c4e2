// JSON text, written as RedisJSON writes it: no blanks unless they were asked for, strings escaped
// no more than they must be, numbers and the order of members as they are stored.
//
// Threads:    any.
// Errors:     none.
// Cost:       a piece of the source without escapes is copied by simdjson, in one pass; everything
//             else is written value by value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json_path/document.h"

namespace larder::json_path {

// The texts that JSON.GET takes; all empty: the compact form.
struct Layout {
  std::string_view indent = {};
  std::string_view newline = {};
  std::string_view space = {};

  bool compact() const { return indent.empty() && newline.empty() && space.empty(); }
  // The start of a line, `level` containers deep.
  void AppendLine(std::string& to, int level) const;
  uint64_t LineBytes(int level) const {
    return newline.size() + static_cast<uint64_t>(level) * indent.size();
  }
};

// Whether `raw` is what AppendCompact would write but for blanks.
inline bool HasNoEscapes(std::string_view raw) { return raw.find('\\') == std::string_view::npos; }

// The text of a JSON value without escapes, its blanks left out.
void AppendCompact(std::string_view raw, std::string& to);

// What the layout alone adds to a node that AppendNode writes: an indent may be long, and many
// lines deep repeat it. Counted no further than a first sum over `limit`.
uint64_t LayoutBytes(const Document& document, uint32_t node, const Layout& layout, int level,
                     uint64_t limit);

// A node and all in it; its first line stands `level` containers deep.
void AppendNode(const Document& document, uint32_t node, const Layout& layout, int level,
                std::string& to);

// With quotes.
void AppendString(std::string_view text, std::string& to);

}  // namespace larder::json_path

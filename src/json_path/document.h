// Document: the text of one JSON value, taken apart by simdjson.
//
// Parse makes an index of the text: every value in the order of the text, with its piece of the
// source, so that a path can look twice and numbers keep their text. Find goes straight to one
// value with simdjson's On-Demand parser and makes no index.
//
// Ownership:  copies the text (simdjson wants padding behind it, and the mapping it comes from may
//             change under the parser when a page turns out unreadable). What nodes() shows is
//             valid until the next Parse or Find.
// Threads:    one at a time; one per worker, to reuse its memory.
// Errors:     kCorrupt: not JSON (which a store does not take; so the file is damaged);
//             kLimit: nested deeper than kMaxDepth.
// Cost:       linear in the text. Find: simdjson's first stage over all of it and a look at each
//             token up to the value; Parse: 64 bytes of index a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json_path/path.h"

namespace larder::json_path {

inline constexpr int kMaxDepth = 512;

enum class JsonType : uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

// RedisJSON's word for it.
std::string_view NameOf(JsonType type);

struct Node {
  std::string_view raw = {};   // as it stands in the text
  std::string_view text = {};  // of a string, without quotes and escapes
  std::string_view name = {};  // of a member of an object, likewise
  uint32_t end = 0;            // number of the node behind this one and all in it
  uint32_t count = 0;          // members or elements
  JsonType type = JsonType::kNull;
};

class Document {
 public:
  Document();
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  Result<void> Parse(std::string_view text);
  // In the order of the text; the root is the first. The children of node n are n + 1, its end, the
  // end of that, ... up to the end of n.
  std::span<const Node> nodes() const { return nodes_; }

  // Where a singular path leads, as a piece of `text` itself. Nothing: nowhere.
  Result<std::optional<std::string_view>> Find(std::string_view text,
                                               const std::vector<Step>& steps);

  // Gives back what a large document needed.
  void Shrink();

 private:
  class Parser;

  std::string padded_;
  std::vector<Node> nodes_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace larder::json_path

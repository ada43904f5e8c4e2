// Arbitrary bytes: a path, a line's end, a document. Both are refused, or the path is followed;
// what was selected can be written and is JSON again, and the way without an index leads to the
// same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "json_path/document.h"
#include "json_path/json_text.h"
#include "json_path/path.h"
#include "json_path/select.h"

namespace {

using larder::json_path::Document;

void Check(bool held) {
  if (!held) std::abort();
}

std::string Write(const Document& document, uint32_t node) {
  std::string text;
  larder::json_path::AppendNode(document, node, {}, 0, text);
  return text;
}

void CheckRoundTrip(const std::string& text) {
  static Document again;
  Check(again.Parse(text).has_value());
  Check(Write(again, 0) == text);
}

void CheckShortWay(std::string_view json, const std::vector<larder::json_path::Step>& steps,
                   const std::vector<std::string>& selected) {
  if (!larder::json_path::IsSingular(steps)) return;
  static Document direct;
  const auto found = direct.Find(json, steps);
  Check(found.has_value() && found->has_value() == !selected.empty());
  if (!*found) return;
  const std::string piece(**found);
  Check(direct.Parse(piece).has_value());
  Check(Write(direct, 0) == selected[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Document document;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view path = input.substr(0, input.find('\n'));
  const std::string_view json = input.substr(std::min(path.size() + 1, input.size()));
  const larder::json_path::PathText read(path);
  const auto steps = larder::json_path::Compile(read.dollar);
  if (!steps || !document.Parse(json)) return 0;
  std::vector<uint32_t> matches;
  if (!larder::json_path::Select(document, *steps, matches)) return 0;
  std::vector<std::string> selected;
  if (matches.size() > 64) matches.resize(64);
  for (const uint32_t match : matches) selected.push_back(Write(document, match));
  for (const std::string& text : selected) CheckRoundTrip(text);
  CheckShortWay(json, *steps, selected);
  return 0;
}

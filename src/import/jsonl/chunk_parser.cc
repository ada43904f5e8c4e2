#include "import/jsonl/chunk_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "import/jsonl/json_token.h"

namespace larder::importer {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// As much of a key as a message has room for.
constexpr size_t kShownKeyBytes = 80;

bool StartsCharacter(char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }

// Keys are UTF-8 here; what could break a log line is shown as \xNN.
std::string ShownKey(std::string_view key) {
  size_t shown = std::min(key.size(), kShownKeyBytes);
  while (shown < key.size() && shown > 0 && !StartsCharacter(key[shown])) --shown;
  std::string out = "\"";
  for (const char c : key.substr(0, shown)) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += shown < key.size() ? "...\"" : "\"";
  return out;
}

// One line, without its newline.
bool ParseLine(RecordParser& parser, std::string_view line, uint64_t max_line_bytes,
               ParsedChunk& out) {
  ++out.lines;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > max_line_bytes) {
    out.bad_line =
        LineError{ErrorCode::kLimit, static_cast<size_t>(max_line_bytes),
                  fmt::format("the line is longer than {} bytes", max_line_bytes), std::nullopt};
    return false;
  }
  if (IsBlank(line)) {
    ++out.blank_lines;
    return true;
  }
  auto content = parser.Parse(line);
  if (!content) {
    out.bad_line = std::move(content).error();
    return false;
  }
  if (*content == LineContent::kEmptyCollection) {
    ++out.empty_collections;
    return true;
  }
  ++out.records;
  if (auto added = out.batch->Add(parser.record()); !added) {
    out.bad_line = LineError{added.error().code(), 0, added.error().message(),
                             std::string(parser.record().key)};
    return false;
  }
  return true;
}

}  // namespace

ParsedChunk ParseChunk(RecordParser& parser, std::string_view text, bool first,
                       uint64_t max_line_bytes, std::unique_ptr<RecordBatch> batch) {
  ParsedChunk out;
  out.batch = std::move(batch);
  out.text_bytes = text.size();
  if (first && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const bool last = newline == std::string_view::npos;
    if (!ParseLine(parser, text.substr(0, newline), max_line_bytes, out)) break;
    text.remove_prefix(last ? text.size() : newline + 1);
  }
  return out;
}

Error ErrorAt(const std::string& path, uint64_t line, const LineError& error) {
  std::string message = fmt::format("{}:{}:{}: {}", path, line, error.offset + 1, error.reason);
  if (error.key) message += fmt::format(" (key {})", ShownKey(*error.key));
  return {error.code, std::move(message)};
}

}  // namespace larder::importer

#include "import/jsonl/chunk_parser.h"

#include <algorithm>
#include <cstring>
#include <expected>
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

// An error of a batch that is the record's, and not one of whatever the batch is made of.
bool IsOfRecord(const Error& error) {
  return error.code() == ErrorCode::kLimit || error.code() == ErrorCode::kRefused;
}

// One line, without its newline.
std::expected<void, LineError> ParseLine(RecordParser& parser, std::string_view line,
                                         uint64_t max_line_bytes, ParsedChunk& out) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > max_line_bytes) {
    return std::unexpected(LineError{
        .code = ErrorCode::kLimit,
        .offset = static_cast<size_t>(max_line_bytes),
        .reason = fmt::format("the line is longer than {} bytes", max_line_bytes),
        .skippable = false,
    });
  }
  if (IsBlank(line)) {
    ++out.blank_lines;
    return {};
  }
  auto content = parser.Parse(line);
  if (!content) return std::unexpected(std::move(content).error());
  if (*content == LineContent::kEmptyCollection) {
    ++out.empty_collections;
    return {};
  }
  if (auto added = out.batch->Add(parser.record()); !added) {
    return std::unexpected(LineError{
        .code = added.error().code(),
        .reason = added.error().message(),
        .key = std::string(parser.key_text()),
        .skippable = IsOfRecord(added.error()),
    });
  }
  ++out.records;
  out.depends_on_mtime = out.depends_on_mtime || parser.depends_on_mtime();
  return {};
}

// Returns false when the parse ends with it.
bool NoteBadLine(LineError error, const LineLimits& limits, ParsedChunk& out) {
  if (!error.skippable) {
    out.fatal_line = BadLine{out.lines, std::nullopt, std::move(error)};
    return false;
  }
  if (out.bad_lines.size() < kShownBadLines) {
    out.bad_lines.push_back(BadLine{out.lines, std::nullopt, std::move(error)});
  }
  return ++out.bad_line_count <= limits.bad_lines;
}

}  // namespace

ParsedChunk ParseChunk(RecordParser& parser, std::string_view text, bool first,
                       const LineLimits& limits, std::unique_ptr<RecordBatch> batch) {
  ParsedChunk out;
  out.batch = std::move(batch);
  out.text_bytes = text.size();
  if (first && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const bool last = newline == std::string_view::npos;
    ++out.lines;
    auto parsed = ParseLine(parser, text.substr(0, newline), limits.max_line_bytes, out);
    if (!parsed && !NoteBadLine(std::move(parsed).error(), limits, out)) break;
    text.remove_prefix(last ? text.size() : newline + 1);
  }
  return out;
}

Error ErrorAt(const std::string& path, const LinePosition& position, const LineError& error) {
  std::string message =
      fmt::format("{}:{}:{}: {}", path, position.line, position.column, error.reason);
  if (error.key) message += fmt::format(" (key {})", ShownKey(*error.key));
  return {error.code, std::move(message)};
}

}  // namespace larder::importer

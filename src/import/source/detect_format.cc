// DetectFormat: the rules of docs/formats/json.md, "Told from JSONL", one after the other.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/file_magic.h"
#include "import/importer.h"
#include "import/jsonl/json_token.h"
#include "import/pointer/pointer_text.h"
#include "import/source_stream.h"

namespace larder::importer {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kJsonSpace = " \t\r\n";

// A first line that does not end within so much is the whole of a document.
constexpr size_t kMostLookedAt = size_t{1} << 20;
static_assert(kMostLookedAt > kMaxPointerBytes);

// The text's start.
struct Start {
  std::string text;
  bool whole = false;  // there is no more
  bool plain = false;  // known when whole
};

Result<Start> ReadStart(io::FileSystem& files, const std::string& path) {
  LARDER_ASSIGN(const auto stream, SourceStream::Open(files, path));
  Start start;
  start.text.resize(kMostLookedAt);
  size_t bytes = 0;
  // Mostly a line ends in the first piece, and then nothing more is needed but for a small file.
  while (bytes < kMaxPointerBytes + 1 ||
         (bytes < kMostLookedAt && start.text.find('\n') >= bytes)) {
    LARDER_ASSIGN(const size_t got,
                  stream->Read(start.text.data() + bytes, start.text.size() - bytes));
    bytes += got;
    if (got > 0) continue;
    start.whole = true;
    start.plain = stream->raw_bytes_read() == stream->text_bytes_read();
    break;
  }
  start.text.resize(bytes);
  return start;
}

bool HasName(std::string_view path, std::string_view ending) {
  constexpr std::array<std::string_view, 3> kPacked = {".gz", ".zst", ".zstd"};
  for (const std::string_view packed : kPacked) {
    if (!path.ends_with(packed)) continue;
    path.remove_suffix(packed.size());
    break;
  }
  return path.ends_with(ending);
}

// Whether the object that `line` starts with is closed in it, whatever stands between.
bool ClosesItsObject(std::string_view line) {
  return FindObjectEnd(std::string(line) + ' ') <= line.size();
}

struct Guess {
  Format format;
  bool sure;
};

Guess FormatOfText(const Start& start) {
  std::string_view text = start.text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(kJsonSpace), text.size()));
  if (text.starts_with('[')) return {Format::kJson, true};
  if (!text.starts_with('{')) return {Format::kJsonl, false};
  const size_t newline = text.find('\n');
  if (newline == std::string_view::npos && !start.whole) return {Format::kJson, false};
  const std::string_view line = text.substr(0, newline);
  const bool more =
      !start.whole || text.find_first_not_of(kJsonSpace, line.size()) != std::string_view::npos;
  if (ClosesItsObject(line)) return {Format::kJsonl, more};
  return {more ? Format::kJson : Format::kJsonl, false};
}

}  // namespace

Result<Format> DetectFormat(io::FileSystem& files, const std::string& path) {
  LARDER_ASSIGN(const Start start, ReadStart(files, path));
  if (start.text.starts_with(kSnapshotMagic)) return Format::kSnapshot;
  if (start.whole && start.plain && start.text.size() <= kMaxPointerBytes &&
      LooksLikePointer(start.text)) {
    return Format::kPointer;
  }
  const Guess guess = FormatOfText(start);
  if (guess.sure) return guess.format;
  if (HasName(path, ".json")) return Format::kJson;
  if (HasName(path, ".jsonl") || HasName(path, ".ndjson")) return Format::kJsonl;
  return guess.format;
}

}  // namespace larder::importer

// CheckIndex: rostore writes its index in the order of the keys, so it is read first and sorted by
// offset: 16 bytes a record. Then the records are read once, front to back, as their compression
// demands; offsets count the bytes of the text, whatever the file is packed with. Which line of the
// index a difference is in is not kept; for the one message that needs it the index is read again.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "import/importer.h"
#include "import/pointer/record_line.h"
#include "import/pointer/source_lines.h"

namespace larder::importer {
namespace {

constexpr uint64_t kMaxIndexLineBytes = uint64_t{1} << 20;  // a key, escaped, and some numbers
constexpr uint64_t kMaxRecordLineBytes = uint64_t{512} << 20;
constexpr uint64_t kLinesPerProgress = 4096;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A line of the index: where its record is, and a hash of all else that it says.
struct IndexEntry {
  uint64_t offset = 0;
  uint64_t says = 0;
  auto operator<=>(const IndexEntry&) const = default;
};

uint64_t HashOfHead(std::string_view key, std::string_view type) {
  return HashBytes(key, HashBytes(type, 0));
}

// An odd factor, so that no two lengths fall together.
uint64_t WithLength(uint64_t head, uint64_t bytes) { return head + bytes * 0x9e3779b97f4a7c15U; }

// With quotes, and safe for a log.
std::string Shown(std::string_view key) {
  constexpr size_t kShownBytes = 80;
  const bool whole = key.size() <= kShownBytes;
  const nlohmann::json text = std::string(key.substr(0, kShownBytes)) + (whole ? "" : "...");
  return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool IsBlankLine(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class IndexCheck {
 public:
  IndexCheck(io::FileSystem& files, const Pointer& pointer,
             const std::function<bool(uint64_t, uint64_t)>& progress)
      : files_(files), pointer_(pointer), progress_(progress) {}

  Result<void> Run();

 private:
  struct Place {
    uint64_t line = 0;
    uint64_t offset = 0;
    std::string shown_key;
  };

  Result<void> ReadIndex();
  Result<void> ReadRecords();
  Result<void> CheckLine(const SourceLine& line);
  Result<void> CheckRecord(const SourceLine& line, const RecordHead& head, size_t entries);
  Result<void> NoteRecordWithoutEntry(const SourceLine& line, const RecordHead& head);
  Result<void> TakeRepeated(const SourceLine& line, const RecordHead& head, size_t repeated);
  Result<void> Progress(const SourceStream& stream, uint64_t line);
  // The line of the index that starts this offset, and what is wrong with it.
  Error EntryError(uint64_t offset, const std::string& what_is_there);
  Error NoEntryError(const Place& place) const;
  std::string AtRecord(const SourceLine& line) const;

  io::FileSystem& files_;
  const Pointer& pointer_;
  const std::function<bool(uint64_t, uint64_t)>& progress_;
  LineHeadParser parser_;
  std::vector<IndexEntry> entries_;
  size_t next_entry_ = 0;
  uint64_t index_bytes_ = 0;    // raw
  uint64_t records_bytes_ = 0;  // raw

  // rostore knows of a repeated key only its last record, but writes its line once for each. So
  // records may lack a line, as many as there are lines too many for a later record of the key.
  size_t repeated_entries_ = 0;
  std::multimap<uint64_t, Place> without_entry_;  // by the hash of the key
};

Result<void> IndexCheck::Run() {
  LARDER_ASSIGN(const io::FileInfo info, files_.Stat(pointer_.records_path));
  records_bytes_ = info.bytes;
  LARDER_TRY(ReadIndex());
  return ReadRecords();
}

Result<void> IndexCheck::ReadIndex() {
  LARDER_ASSIGN(auto lines, SourceLines::Open(files_, pointer_.index_path, kMaxIndexLineBytes));
  SourceLine line;
  for (;;) {
    LARDER_ASSIGN(const bool more, lines->Next(line));
    if (!more) break;
    if (IsBlankLine(line.text)) continue;
    const auto head = parser_.ParseIndex(line.text);
    if (!head) {
      LARDER_TRY(lines->stream().CheckUnchanged());
      return Fail(ErrorCode::kRefused,
                  fmt::format("{}:{}: not a line of an index, {{\"key\":..., \"offset\":..., "
                              "\"len\":..., \"type\":...}}: {}",
                              pointer_.index_path, line.number, head.error()));
    }
    entries_.push_back({head->offset, WithLength(HashOfHead(head->key, head->type), head->bytes)});
    LARDER_TRY(Progress(lines->stream(), line.number));
  }
  index_bytes_ = lines->stream().raw_bytes_read();
  if (!std::ranges::is_sorted(entries_)) std::ranges::sort(entries_);
  for (size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i] == entries_[i - 1]) ++repeated_entries_;
  }
  return {};
}

Result<void> IndexCheck::ReadRecords() {
  LARDER_ASSIGN(auto lines, SourceLines::Open(files_, pointer_.records_path, kMaxRecordLineBytes));
  SourceLine line;
  for (;;) {
    LARDER_ASSIGN(const bool more, lines->Next(line));
    if (!more) break;
    if (auto checked = CheckLine(line); !checked) {
      LARDER_TRY(lines->stream().CheckUnchanged());
      return checked;
    }
    LARDER_TRY(Progress(lines->stream(), line.number));
  }
  if (next_entry_ < entries_.size()) {
    return std::unexpected(EntryError(entries_[next_entry_].offset, "the records end before"));
  }
  const auto first = std::ranges::min_element(
      without_entry_, {}, [](const auto& place) { return place.second.offset; });
  if (first != without_entry_.end()) return std::unexpected(NoEntryError(first->second));
  return {};
}

Result<void> IndexCheck::CheckLine(const SourceLine& line) {
  if (next_entry_ < entries_.size() && entries_[next_entry_].offset < line.offset) {
    return std::unexpected(
        EntryError(entries_[next_entry_].offset,
                   fmt::format("that is inside the line before {}:{}, at offset {}",
                               pointer_.records_path, line.number, line.offset)));
  }
  size_t entries = 0;
  while (next_entry_ + entries < entries_.size() &&
         entries_[next_entry_ + entries].offset == line.offset) {
    ++entries;
  }
  if (IsBlankLine(line.text)) {
    if (entries == 0) return {};
    return std::unexpected(EntryError(line.offset, AtRecord(line) + " is empty"));
  }
  std::string_view text = line.text;
  if (line.offset == 0 && text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const auto head = parser_.ParseRecord(text);
  if (!head) {
    // A bad line that the index does not count as a record is for the importer to judge.
    if (entries == 0) return {};
    return std::unexpected(
        EntryError(line.offset, AtRecord(line) + " is no record: " + head.error()));
  }
  if (entries > 0) return CheckRecord(line, *head, entries);
  return NoteRecordWithoutEntry(line, *head);
}

// Lengths are with or without the line's end.
Result<void> IndexCheck::CheckRecord(const SourceLine& line, const RecordHead& head,
                                     size_t entries) {
  const uint64_t bytes = line.text.size();
  const uint64_t hash = HashOfHead(head.key, head.type);
  const auto matches = [&](const IndexEntry& entry) {
    return entry.says == WithLength(hash, bytes) ||
           (line.has_newline && entry.says == WithLength(hash, bytes + 1)) ||
           (line.text.ends_with('\r') && entry.says == WithLength(hash, bytes - 1));
  };
  for (size_t i = 0; i < entries; ++i) {
    if (matches(entries_[next_entry_ + i])) continue;
    return std::unexpected(
        EntryError(line.offset, fmt::format("{} has {} bytes and is the {} {}", AtRecord(line),
                                            bytes, head.type, Shown(head.key))));
  }
  next_entry_ += entries;
  return entries == 1 ? Result<void>() : TakeRepeated(line, head, entries - 1);
}

Result<void> IndexCheck::NoteRecordWithoutEntry(const SourceLine& line, const RecordHead& head) {
  Place place{line.number, line.offset, Shown(head.key)};
  if (without_entry_.size() >= repeated_entries_) return std::unexpected(NoEntryError(place));
  without_entry_.emplace(HashBytes(head.key, 0), std::move(place));
  return {};
}

Result<void> IndexCheck::TakeRepeated(const SourceLine& line, const RecordHead& head,
                                      size_t repeated) {
  repeated_entries_ -= repeated;
  const uint64_t hash = HashBytes(head.key, 0);
  for (; repeated > 0; --repeated) {
    const auto earlier = without_entry_.find(hash);
    if (earlier == without_entry_.end()) {
      return std::unexpected(
          EntryError(line.offset,
                     "another line of the index says the same, and no earlier record of the key "
                     "is without one"));
    }
    without_entry_.erase(earlier);
  }
  return {};
}

Result<void> IndexCheck::Progress(const SourceStream& stream, uint64_t line) {
  if (!progress_ || line % kLinesPerProgress != 0) return {};
  const uint64_t done = index_bytes_ + stream.raw_bytes_read();
  const uint64_t total = records_bytes_ + (index_bytes_ > 0 ? index_bytes_ : stream.raw_bytes());
  if (progress_(std::min(done, total), total)) return {};
  return Fail(ErrorCode::kCancelled, pointer_.index_path + ": the check was cancelled");
}

std::string IndexCheck::AtRecord(const SourceLine& line) const {
  return fmt::format("{}:{}, at offset {},", pointer_.records_path, line.number, line.offset);
}

Error IndexCheck::NoEntryError(const Place& place) const {
  return {ErrorCode::kRefused,
          fmt::format("{}: the index has no line for the record {} of {}:{}, at offset {}; "
                      "write the index of these records",
                      pointer_.index_path, place.shown_key, pointer_.records_path, place.line,
                      place.offset)};
}

Error IndexCheck::EntryError(uint64_t offset, const std::string& what_is_there) {
  auto lines = SourceLines::Open(files_, pointer_.index_path, kMaxIndexLineBytes);
  if (!lines) return std::move(lines).error();
  SourceLine line;
  for (;;) {
    const auto more = (*lines)->Next(line);
    if (!more) return more.error();
    if (!*more) break;
    const auto head = parser_.ParseIndex(line.text);
    if (!head || head->offset != offset) continue;
    return {ErrorCode::kRefused,
            fmt::format("{}:{}: the index says that the {} {} is at offset {}, {} bytes long; {}; "
                        "write the index of these records",
                        pointer_.index_path, line.number, head->type, Shown(head->key), offset,
                        head->bytes, what_is_there)};
  }
  return {ErrorCode::kRefused, pointer_.index_path + ": the file changed while it was read"};
}

}  // namespace

Result<void> CheckIndex(io::FileSystem& files, const Pointer& pointer,
                        const std::function<bool(uint64_t done, uint64_t total)>& progress) {
  return IndexCheck(files, pointer, progress).Run();
}

}  // namespace larder::importer

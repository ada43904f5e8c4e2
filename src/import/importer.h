// Importers: foreign files to records.
//
// Formats: docs/formats/jsonl.md, docs/formats/json.md, docs/formats/pointer.md
//
// A source is opened once, read front to back as a stream (plain, gzip or zstd, told apart by its
// first bytes), parsed on all cores and handed to a RecordSink in the order of the file.
// IdentifySource tells, in a pass of its own at memory speed, whether a content is already known.
//
// Threads:    an Import call runs its own threads and returns when they have ended.
// Errors:     kCorrupt for a bad line: "FILE:LINE:COLUMN: reason (key K)"; kRefused when the file
//             changed while it was read; what the sink returns. The sink then holds a part: drop
//             it.
// Cost:       memory is bounded by the chunks in flight and the longest line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "io/file_system.h"
#include "larder/importer.h"
#include "larder/record.h"
#include "larder/source.h"

namespace larder::importer {

using Format = SourceFormat;
using Shape = SourceShape;
using larder::kSkipAllBadLines;
using larder::SourceOptions;
std::string_view FormatName(Format format);  // "auto", "jsonl", "json", "pointer", "snapshot"

std::string_view ShapeName(Shape shape);  // "auto", "typed", "short", "rows"

// The same as text, for a version's metadata: equal text and equal bytes give equal records (but
// see ImportOutcome::depends_on_mtime).
std::string SourceOptionsText(const SourceOptions& options);

struct ImportOptions {
  SourceOptions source;
  unsigned threads = 0;                           // parsers; 0: all cores
  uint64_t max_line_bytes = uint64_t{512} << 20;  // a longer line refuses the file
  // Called now and then with raw bytes read and the raw size; returning false cancels.
  std::function<bool(uint64_t done, uint64_t total)> progress;
};

// How many skipped lines are shown.
inline constexpr size_t kShownBadLines = 10;

struct ImportOutcome : ImportReport {
  Format format = Format::kAuto;       // what it was read as
  std::vector<std::string> bad_lines;  // the first kShownBadLines of skipped_lines, with reasons
  bool depends_on_mtime = false;       // a ttl_ms was counted from the file's mtime
};

// What the file is, told by its first bytes (behind the compression) and, where these fit both
// JSONL and JSON, by its name: ".json" is JSON. Never kAuto. Errors: those of reading.
Result<Format> DetectFormat(io::FileSystem& files, const std::string& path);

// Reads `path` as what the options say, or as what DetectFormat finds. kInvalidArgument for
// kPointer and kSnapshot, which hold no records: the dataset takes them.
Result<ImportOutcome> ImportSource(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                   const ImportOptions& options);

// rostore's pointer file. Paths are as in the file, relative ones resolved against its directory.
struct Pointer {
  std::string records_path;
  std::string index_path;  // empty: none is named
};
// Errors: kCorrupt (what is wrong with it, where).
Result<Pointer> ReadPointer(io::FileSystem& files, const std::string& path);

// Whether every line of the index is true of the records file, and every record has its line.
// kRefused with the first difference; kCancelled.
Result<void> CheckIndex(io::FileSystem& files, const Pointer& pointer,
                        const std::function<bool(uint64_t done, uint64_t total)>& progress = {});

// What a source's content is recognised by, read in one pass over the raw file.
struct SourceIdentity {
  io::FileInfo info;                       // before and after reading the same, or kRefused
  std::string checksum;                    // XXH3-128, 32 hexadecimal digits
  std::optional<std::string> md5, sha256;  // when asked for
};
// `progress` as in ImportOptions; when it returns false: kCancelled.
Result<SourceIdentity> IdentifySource(
    io::FileSystem& files, const std::string& path, bool md5, bool sha256,
    const std::function<bool(uint64_t done, uint64_t total)>& progress = {});

// Digest files beside `path`: PATH.md5 and PATH.sha256, in the form of md5sum and sha256sum (also a
// bare digest). Returns the digests that stand there. Errors: kRefused for a file of another form.
struct DigestFiles {
  std::optional<std::string> md5, sha256;
};
Result<DigestFiles> ReadDigestFiles(io::FileSystem& files, const std::string& path);

}  // namespace larder::importer

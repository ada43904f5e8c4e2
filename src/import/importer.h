// Importers: foreign files to records.
//
// Format: docs/formats/jsonl.md
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
#include <optional>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "base/record.h"
#include "io/file_system.h"

namespace larder::importer {

struct ImportOptions {
  unsigned threads = 0;                           // parsers; 0: all cores
  uint64_t max_line_bytes = uint64_t{512} << 20;  // a longer line refuses the file
  // Called now and then with raw bytes read and the raw size; returning false cancels.
  std::function<bool(uint64_t done, uint64_t total)> progress;
};

struct ImportReport {
  uint64_t records = 0;
  uint64_t empty_collections = 0;  // lines that are no key because their collection is empty
  uint64_t blank_lines = 0;
  uint64_t raw_bytes = 0;   // as they are in the file
  uint64_t text_bytes = 0;  // after decompression
};

// Typed JSONL (docs/formats/jsonl.md).
Result<ImportReport> ImportJsonl(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                 const ImportOptions& options);

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

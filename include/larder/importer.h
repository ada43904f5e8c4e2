// Importer: a format of source files, for programs that add one of their own.
//
// An importer reads the text of a source from front to back and hands records to a sink, in the
// order of the file: of several records of one key the last counts. The formats that Larder knows
// (JSONL, JSON, ...) need none; one of a program's own is named in larder/dataset.h's options.
//
// Ownership:  shared; one importer may serve several datasets. name() and settings() are asked once
//             by each, when it is opened.
// Threads:    Import may be called from several threads at once, for different sources.
// Errors:     Import returns what is wrong with the source ("FILE:LINE: ..."); the sink then holds
//             a part, which is dropped. It must not throw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/api.h"
#include "larder/error.h"
#include "larder/record.h"

namespace larder {

// The text of a source, decompressed on the way (gzip and zstd are told by their first bytes).
class SourceText {
 public:
  virtual ~SourceText() = default;
  // Fills `to` with the next bytes; returns how many, 0 only at the end. The end is reached only
  // when the whole file was read, its compressed form was sound and it did not change meanwhile.
  virtual Result<size_t> Read(char* to, size_t room) = 0;
  // For messages.
  virtual const std::string& path() const = 0;
};

struct ImportReport {
  uint64_t records = 0;
  uint64_t empty_collections = 0;  // lines that are no key because their collection is empty
  uint64_t blank_lines = 0;
  uint64_t skipped_lines = 0;  // bad ones that were allowed
  uint64_t raw_bytes = 0;      // as they are in the file
  uint64_t text_bytes = 0;     // after decompression
};

// SourceLines: the lines of a text, for importers of formats that have some.
//
//   larder::SourceLines lines(text);
//   while (const auto line = lines.Next()) ...
//   if (!lines.status()) return std::unexpected(lines.status().error());
//
// Ownership:  borrows the text; a line is good until the next.
// Errors:     Next ends early; status() says why: what the text says, kLimit (a line that is longer
//             than any record).
// Cost:       memory for the longest line.
class SourceLines {
 public:
  explicit SourceLines(SourceText& text) : text_(text) {}

  // The next line without its "\n" or "\r\n"; none behind the last.
  LARDER_API std::optional<std::string_view> Next();
  // Of the line that Next() returned, from 1.
  uint64_t number() const { return number_; }
  const Result<void>& status() const { return status_; }
  // To return when that line is bad: "FILE:LINE: reason".
  LARDER_API std::unexpected<Error> Bad(std::string_view reason) const;

 private:
  bool ReadMore();

  SourceText& text_;
  std::string held_;  // bytes from begin_ on are no line yet
  size_t begin_ = 0;
  bool at_end_ = false;
  uint64_t number_ = 0;
  Result<void> status_;
};

class Importer {
 public:
  virtual ~Importer() = default;
  // The format's name, in logs, errors and metadata: letters, digits, "-".
  virtual std::string_view name() const = 0;
  // What, besides the bytes of the source, decides the records, with a version of the importer:
  // a source that is known under the same settings is not imported again.
  virtual std::string settings() const = 0;
  // Appends batches of some thousand records; returns at the end of the text.
  virtual Result<ImportReport> Import(SourceText& text, RecordSink& sink) const = 0;
};

}  // namespace larder

// BuildSnapshot: compiles a source into a Snapshot file, without a Dataset.
//
// Threads:    any; parsing uses as many as the options say, all ended when it returns.
// Errors:     kCorrupt (a bad line: file, line, reason), kRefused (a checksum file beside the
//             source that does not match, a source that changed meanwhile, a duplicate under
//             Duplicates::kError), kNoSpace, kIoError, kCancelled; what was at `output` stays.
// Durability: when it returns well, the file is whole under its name and survives a power cut.
// Cost:       memory_bytes for the index, beyond it runs go to disk; the disk's and parsers' time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/api.h"
#include "larder/error.h"
#include "larder/record.h"
#include "larder/source.h"

namespace larder {

struct BuildOptions {
  SourceOptions import = {};
  Duplicates duplicates = Duplicates::kLast;
  std::optional<char> separator = '/';  // ends a key's collection; none: no collections
  uint64_t memory_bytes = uint64_t{1} << 30;
  unsigned threads = 0;  // 0: all cores
  // Called now and then, on several threads, with the step and its share; false cancels.
  std::function<bool(std::string_view step, double share)> progress = {};
};

struct BuildReport {
  uint64_t records = 0;
  uint64_t duplicates = 0;  // records that another of the same key replaced
  uint64_t file_bytes = 0;
  uint64_t skipped_lines = 0;          // SourceOptions::bad_lines
  std::vector<std::string> bad_lines;  // the first ten of them, with reasons
};

LARDER_API Result<BuildReport> BuildSnapshot(const std::string& source, const std::string& output,
                                             const BuildOptions& options = {});

}  // namespace larder

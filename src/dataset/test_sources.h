// For tests: sources of other kinds than JSONL, with the records of SourceOf (test_dataset.h).
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dataset/compile.h"
#include "dataset/test_dataset.h"

namespace larder::dataset {

// The bytes of a Snapshot as `larder build` makes it, of records that all say `word`.
inline std::string SnapshotOf(const std::string& word, std::optional<char> separator = '/') {
  io::FaultyFileSystem files;
  Options options;
  options.source = "/pub/features.jsonl";
  options.threads = 1;
  options.separator = separator;
  files.PutFile(options.source, SourceOf(word));
  const std::atomic<bool> cancelled{false};
  CompileRequest request;
  request.path = "/pub/features.snap";
  request.cancelled = &cancelled;
  const auto built = CompileSource(files, options, request);
  EXPECT_TRUE(built) << built.error().message();
  return files.Contents(request.path).value_or("");
}

// The index that rostore writes of lines without blanks before them.
inline std::string IndexOf(std::string_view records) {
  std::string index;
  for (size_t at = 0, number = 0; at < records.size(); ++number) {
    const size_t end = records.find('\n', at);
    index += fmt::format(R"({{"key":"key/{}","offset":{},"len":{},"type":"string"}})"
                         "\n",
                         number, at, end - at);
    at = end + 1;
  }
  return index;
}

inline std::string PointerTo(const std::string& records, const std::string& index) {
  return fmt::format(R"({{"records_file_name":"{}","index_file_name":"{}"}})", records, index);
}

}  // namespace larder::dataset

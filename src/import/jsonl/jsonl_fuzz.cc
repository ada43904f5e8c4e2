// Arbitrary bytes as a file of JSONL, read under every shape and policy: an error with a place in
// the text, or records that are the same when they are written and read once more; and chunks make
// no difference.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/jsonl/record_json.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace {

using larder::SourceOptions;
using larder::SourceShape;
using larder::importer::RecordCopy;
using larder::importer::RecordJson;

struct Outcome {
  std::optional<std::string> error;
  std::vector<RecordCopy> records;
  std::vector<std::string> bad_lines;
  bool operator==(const Outcome&) const = default;
};

Outcome Import(std::string text, const SourceOptions& source, size_t chunk_bytes) {
  larder::importer::MemoryFiles files;
  files.Put("fuzz", std::move(text));
  files.At("fuzz").info.mtime_ns = 1'700'000'000'000'000'000;
  larder::importer::RecordCopies sink;
  larder::importer::ImportOptions options;
  options.source = source;
  options.threads = 1;
  const auto report =
      larder::importer::ImportJsonlInChunks(files, "fuzz", sink, options, chunk_bytes);
  if (!report) return {report.error().message(), {}, {}};
  if (report->records != sink.records().size()) std::abort();
  if (report->skipped_lines > source.bad_lines) std::abort();
  return {std::nullopt, sink.records(), report->bad_lines};
}

std::vector<SourceOptions> AllOptions() {
  std::vector<SourceOptions> all(6);
  all[1].key_field = "id";
  all[1].key_prefix = "p/";
  all[2].shape = SourceShape::kTyped;
  all[3].shape = SourceShape::kShort;
  all[3].bad_lines = 2;
  all[4].shape = SourceShape::kRows;
  all[4].key_field = "key";
  all[5].key_field = "id";
  all[5].bad_lines = larder::kSkipAllBadLines;
  return all;
}

void CheckReadsBack(const std::vector<RecordCopy>& records) {
  std::string typed;
  std::string short_lines;
  std::vector<RecordCopy> typable;
  RecordJson json;
  for (const RecordCopy& record : records) {
    short_lines += json.ShortLine(record) + '\n';
    if (!RecordJson::IsTypable(record)) continue;
    typable.push_back(record);
    typed += json.Line(record) + '\n';
  }
  if (Import(typed, {}, size_t{1} << 16) != Outcome{std::nullopt, typable, {}}) std::abort();
  if (Import(short_lines, {}, size_t{1} << 16) != Outcome{std::nullopt, records, {}}) std::abort();
}

void Check(const std::string& text, const SourceOptions& source) {
  const Outcome outcome = Import(text, source, size_t{1} << 16);
  const Outcome in_chunks = Import(text, source, 7);
  if (!outcome.error) {
    if (in_chunks != outcome) std::abort();
    CheckReadsBack(outcome.records);
    return;
  }
  if (!outcome.error->starts_with("fuzz:")) std::abort();
  if (!in_chunks.error) std::abort();
  // How far damaged compressed bytes can be read depends on the room there is for the text.
  const bool plain = larder::DetectCompression(text) == larder::Compression::kNone;
  if (plain && in_chunks != outcome) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<SourceOptions> options = AllOptions();
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const SourceOptions& source : options) Check(text, source);
  return 0;
}

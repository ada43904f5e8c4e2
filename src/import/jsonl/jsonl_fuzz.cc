// Arbitrary bytes as a file of typed JSONL: an error with a place in the text, or records that are
// the same when they are written and read once more; and chunks make no difference.
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

using larder::importer::RecordCopy;

struct Outcome {
  std::optional<std::string> error;
  std::vector<RecordCopy> records;
  bool operator==(const Outcome&) const = default;
};

Outcome Import(std::string text, size_t chunk_bytes) {
  larder::importer::MemoryFiles files;
  files.Put("fuzz", std::move(text));
  larder::importer::RecordCopies sink;
  larder::importer::ImportOptions options;
  options.threads = 1;
  const auto report =
      larder::importer::ImportJsonlInChunks(files, "fuzz", sink, options, chunk_bytes);
  if (!report) return {report.error().message(), {}};
  if (report->records != sink.records().size()) std::abort();
  return {std::nullopt, sink.records()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Outcome outcome = Import(text, size_t{1} << 16);
  const Outcome in_chunks = Import(text, 7);
  if (outcome.error) {
    if (!outcome.error->starts_with("fuzz:")) std::abort();
    if (!in_chunks.error) std::abort();
    // How far damaged compressed bytes can be read depends on the room there is for the text.
    const bool plain = larder::DetectCompression(text) == larder::Compression::kNone;
    if (plain && in_chunks != outcome) std::abort();
    return 0;
  }
  if (in_chunks != outcome) std::abort();
  std::string again;
  larder::importer::RecordJson json;
  for (const RecordCopy& record : outcome.records) again += json.Line(record) + '\n';
  if (Import(again, size_t{1} << 16) != outcome) std::abort();
  return 0;
}

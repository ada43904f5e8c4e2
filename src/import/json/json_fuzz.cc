// Arbitrary bytes as a JSON document, in every form: an error with a place in the text, or lines
// that are the same however they are cut into chunks.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/compression.h"
#include "import/json/json_importer.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace {

using larder::importer::RecordCopy;

struct Outcome {
  std::optional<std::string> error;
  std::vector<RecordCopy> records;
  bool operator==(const Outcome&) const = default;
};

Outcome Import(const std::string& text, const larder::importer::SourceOptions& source,
               size_t chunk_bytes) {
  larder::importer::MemoryFiles files;
  files.Put("fuzz", text);
  larder::importer::RecordCopies sink;
  larder::importer::ImportOptions options;
  options.threads = 1;
  options.source = source;
  const auto report =
      larder::importer::ImportJsonInChunks(files, "fuzz", sink, options, chunk_bytes);
  if (!report) return {report.error().message(), {}};
  if (report->records != sink.records().size()) std::abort();
  return {std::nullopt, sink.records()};
}

void Check(const std::string& text, const larder::importer::SourceOptions& source) {
  const Outcome outcome = Import(text, source, size_t{1} << 16);
  const Outcome in_chunks = Import(text, source, 7);
  if (outcome.error && !outcome.error->starts_with("fuzz:")) std::abort();
  // How far damaged compressed bytes can be read depends on the room there is for the text.
  const bool plain = larder::DetectCompression(text) == larder::Compression::kNone;
  if (outcome.error.has_value() != in_chunks.error.has_value()) std::abort();
  if ((plain || !outcome.error) && in_chunks != outcome) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  larder::importer::SourceOptions options;
  Check(text, options);
  options.levels = 2;
  Check(text, options);
  options.key_field = "id";
  Check(text, options);
  options.levels = 1;
  options.bad_lines = 2;
  Check(text, options);
  return 0;
}

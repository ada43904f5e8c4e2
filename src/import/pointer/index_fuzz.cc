// Arbitrary bytes as the records, and behind the first NUL the index of them: an answer, always the
// same; and what passes still does when the index's first line is moved to its end.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/compression.h"
#include "import/importer.h"
#include "import/memory_files.h"

namespace {

larder::Result<void> Check(std::string_view records, std::string_view index) {
  larder::importer::MemoryFiles files;
  files.Put("records", std::string(records));
  files.Put("index", std::string(index));
  return larder::importer::CheckIndex(files, {"records", "index"});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t nul = text.find('\0');
  const std::string_view records = text.substr(0, nul);
  const std::string_view index = nul == std::string_view::npos ? "" : text.substr(nul + 1);
  const auto checked = Check(records, index);
  if (!checked) {
    if (checked.error().message().empty()) std::abort();
    return 0;
  }
  if (larder::DetectCompression(index) != larder::Compression::kNone) return 0;
  const size_t newline = index.find('\n');
  if (newline == std::string_view::npos) return 0;
  std::string turned(index.substr(newline + 1));
  if (!turned.empty() && !turned.ends_with('\n')) turned += '\n';
  turned += index.substr(0, newline + 1);
  if (larder::DetectCompression(turned) == larder::Compression::kNone && !Check(records, turned)) {
    std::abort();
  }
  return 0;
}

// Until src/import has them.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "import/importer.h"
#include "import/source_stream.h"

namespace larder::importer {

__attribute__((weak)) std::string_view FormatName(Format format) {
  switch (format) {
    case Format::kAuto:
      return "auto";
    case Format::kJsonl:
      return "jsonl";
    case Format::kJson:
      return "json";
    case Format::kPointer:
      return "pointer";
    case Format::kSnapshot:
      return "snapshot";
  }
  return "unknown";
}

__attribute__((weak)) Result<Format> DetectFormat(io::FileSystem& files, const std::string& path) {
  LARDER_ASSIGN(const auto stream, SourceStream::Open(files, path));
  std::string start(64, '\0');
  LARDER_ASSIGN(const size_t got, stream->Read(start.data(), start.size()));
  start.resize(got);
  if (start.starts_with("LARDSNAP")) return Format::kSnapshot;
  if (start.find("records_file_name") != std::string::npos) return Format::kPointer;
  return Format::kJsonl;
}

__attribute__((weak)) Result<Pointer> ReadPointer(io::FileSystem& files, const std::string& path) {
  LARDER_ASSIGN(const std::string text, io::ReadWholeFile(files, path, 1 << 20));
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return Fail(ErrorCode::kCorrupt, path + ": is no pointer file");
  const auto resolve = [&](const std::string& name) {
    return name.empty() ? name : (std::filesystem::path(path).parent_path() / name).string();
  };
  return Pointer{.records_path = resolve(document.value("records_file_name", "")),
                 .index_path = resolve(document.value("index_file_name", ""))};
}

__attribute__((weak)) Result<void> CheckIndex(
    io::FileSystem& /*files*/, const Pointer& /*pointer*/,
    const std::function<bool(uint64_t done, uint64_t total)>& /*progress*/) {
  return {};
}

}  // namespace larder::importer

#include "dataset/source_files.h"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dataset/origin_file.h"

namespace larder::dataset {

namespace {

using importer::Format;

// A file of such a name that is no Snapshot is told so, not that its first line is no record.
bool HasSnapshotName(std::string_view path) {
  constexpr std::array<std::string_view, 4> kEndings = {".snap", ".snap.zst", ".snap.zstd",
                                                        ".snap.gz"};
  for (const std::string_view ending : kEndings) {
    if (path.ends_with(ending)) return true;
  }
  return false;
}

std::string_view DuplicatesName(snapshot::Duplicates duplicates) {
  switch (duplicates) {
    case snapshot::Duplicates::kLast:
      return "last";
    case snapshot::Duplicates::kFirst:
      return "first";
    case snapshot::Duplicates::kError:
      return "error";
  }
  return "unknown";
}

Result<void> CheckDigest(const std::string& data, std::string_view suffix,
                         const std::optional<std::string>& expected,
                         const std::optional<std::string>& found) {
  if (!expected || expected == found) return {};
  return Fail(ErrorCode::kRefused,
              fmt::format("{} does not match {}{}: {} is expected, it has {}", data, data, suffix,
                          *expected, found.value_or("none")));
}

}  // namespace

Result<Format> FindFormat(io::FileSystem& files, const Options& options) {
  if (options.import.importer != nullptr) return Format::kAuto;
  if (options.import.format != Format::kAuto) return options.import.format;
  if (HasSnapshotName(options.source)) return Format::kSnapshot;
  return importer::DetectFormat(files, options.source);
}

Result<SourceFiles> FindFiles(io::FileSystem& files, const Options& options, Format format) {
  SourceFiles found{.format = format, .data = options.source, .index = ""};
  if (format != Format::kPointer) return found;
  LARDER_ASSIGN(auto pointer, importer::ReadPointer(files, options.source));
  found.data = std::move(pointer.records_path);
  found.index = std::move(pointer.index_path);
  return found;
}

Result<SourceFiles> ResolveSource(io::FileSystem& files, const Options& options) {
  LARDER_ASSIGN(const Format format, FindFormat(files, options));
  return FindFiles(files, options, format);
}

importer::SourceOptions ReadingOptions(const Options& options, Format format) {
  importer::SourceOptions reading = options.import;
  // An index has an entry a line: what a pointer file names are lines.
  reading.format = format == Format::kPointer ? Format::kJsonl : format;
  return reading;
}

std::string ImportOptionsText(const Options& options, Format format) {
  if (format == Format::kSnapshot) return std::string(kSnapshotImportOptions);
  const std::string separator =
      options.separator ? fmt::format("{:02x}", static_cast<unsigned char>(*options.separator))
                        : "none";
  return fmt::format("{} duplicates={} separator={}",
                     importer::SourceOptionsText(ReadingOptions(options, format)),
                     DuplicatesName(options.duplicates), separator);
}

Result<importer::SourceIdentity> IdentifyData(
    io::FileSystem& files, const std::string& data,
    const std::function<bool(uint64_t done, uint64_t total)>& progress) {
  LARDER_ASSIGN(const auto digests, importer::ReadDigestFiles(files, data));
  LARDER_ASSIGN(auto identity, importer::IdentifySource(files, data, digests.md5.has_value(),
                                                        digests.sha256.has_value(), progress));
  LARDER_TRY(CheckDigest(data, ".md5", digests.md5, identity.md5));
  LARDER_TRY(CheckDigest(data, ".sha256", digests.sha256, identity.sha256));
  return identity;
}

}  // namespace larder::dataset

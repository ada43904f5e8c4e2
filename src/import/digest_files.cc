#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "import/digest_lines.h"
#include "import/importer.h"

namespace larder::importer {
namespace {

// md5sum of a directory's files is a line each; more is not a digest file.
constexpr uint64_t kMaxDigestFileBytes = uint64_t{1} << 20;

std::string BaseName(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

Result<std::optional<std::string>> ReadDigestFile(io::FileSystem& files, const std::string& source,
                                                  std::string_view suffix, size_t digits) {
  const std::string path = source + std::string(suffix);
  const auto info = files.Stat(path);
  if (!info) {
    if (info.error().code() == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(info.error());
  }
  const auto text = io::ReadWholeFile(files, path, kMaxDigestFileBytes);
  if (!text) {
    const bool too_large = text.error().code() == ErrorCode::kLimit;
    return Fail(too_large ? ErrorCode::kRefused : text.error().code(), text.error().message());
  }
  auto digest = FindDigest(*text, BaseName(source), digits);
  if (!digest) return std::unexpected(digest.error().Within(path));
  return *std::move(digest);
}

}  // namespace

Result<DigestFiles> ReadDigestFiles(io::FileSystem& files, const std::string& path) {
  DigestFiles digests;
  LARDER_ASSIGN(digests.md5, ReadDigestFile(files, path, ".md5", kMd5Digits));
  LARDER_ASSIGN(digests.sha256, ReadDigestFile(files, path, ".sha256", kSha256Digits));
  return digests;
}

}  // namespace larder::importer

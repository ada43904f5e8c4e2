#include <memory>
#include <utility>

#include "import/importer.h"
#include "import/source_stream.h"

namespace larder::importer {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

}  // namespace

Result<SourceIdentity> IdentifySource(
    io::FileSystem& files, const std::string& path, bool md5, bool sha256,
    const std::function<bool(uint64_t done, uint64_t total)>& progress) {
  LARDER_ASSIGN(const auto file, OpenSource(files, path));
  SourceIdentity identity;
  LARDER_ASSIGN(identity.info, file->Info());
  file->AdviseSequential();
  ContentHasher checksum;
  std::optional<DigestHasher> md5_hasher, sha256_hasher;
  if (md5) md5_hasher.emplace(DigestKind::kMd5);
  if (sha256) sha256_hasher.emplace(DigestKind::kSha256);
  const auto buffer = std::make_unique_for_overwrite<char[]>(kReadBytes);
  uint64_t offset = 0;
  for (;;) {
    LARDER_ASSIGN(const size_t got, file->ReadAt(offset, buffer.get(), kReadBytes));
    if (got == 0) break;
    const std::string_view bytes(buffer.get(), got);
    offset += got;
    checksum.Update(bytes);
    if (md5_hasher) md5_hasher->Update(bytes);
    if (sha256_hasher) sha256_hasher->Update(bytes);
    if (progress && !progress(offset, identity.info.bytes)) {
      return Fail(ErrorCode::kCancelled, path + ": reading its checksum was cancelled");
    }
  }
  LARDER_TRY(RequireUnchanged(*file, identity.info, offset));
  identity.checksum = checksum.HexDigest();
  if (md5_hasher) identity.md5 = md5_hasher->HexDigest();
  if (sha256_hasher) identity.sha256 = sha256_hasher->HexDigest();
  return identity;
}

}  // namespace larder::importer

#include "dataset/snapshot_copy.h"

#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "dataset/origin_file.h"
#include "dataset/status_board.h"
#include "import/source_stream.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

double Share(uint64_t done, uint64_t total) {
  return total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
}

Result<void> Go(const SnapshotCopy& copy, std::string_view step, double share) {
  if (copy.progress) copy.progress(step, share);
  if (!copy.cancelled->load(std::memory_order_relaxed)) return {};
  return Fail(ErrorCode::kCancelled, fmt::format("taking {} was cancelled", copy.source));
}

// As much as there is, up to a whole piece: what is decompressed comes in smaller ones.
Result<size_t> ReadPiece(importer::SourceStream& source, char* piece) {
  size_t filled = 0;
  while (filled < kPieceBytes) {
    LARDER_ASSIGN(const size_t got, source.Read(piece + filled, kPieceBytes - filled));
    if (got == 0) break;
    filled += got;
  }
  return filled;
}

Result<void> CopyBytes(io::FileSystem& files, const SnapshotCopy& copy, io::WritableFile& target) {
  LARDER_ASSIGN(const auto source, importer::SourceStream::Open(files, copy.source));
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  for (;;) {
    LARDER_TRY(Go(copy, "copy", Share(source->raw_bytes_read(), source->raw_bytes())));
    LARDER_ASSIGN(const size_t got, ReadPiece(*source, piece.get()));
    if (got == 0) break;
    LARDER_TRY(target.Write({piece.get(), got}));
  }
  LARDER_ASSIGN(const io::FileInfo after, files.Stat(copy.source));
  if (after == copy.identity.info) return {};
  return Fail(ErrorCode::kRefused, fmt::format("{} changed while it was copied", copy.source));
}

// What is wrong is told of the source: whoever has published it knows that name only.
Result<SnapshotCopyReport> VerifyCopy(io::FileSystem& files, const SnapshotCopy& copy,
                                      const std::string& path) {
  LARDER_TRY(Go(copy, "verify", 0));
  LARDER_ASSIGN(auto mapping, files.Map(path));
  LARDER_ASSIGN(const auto snapshot,
                snapshot::Snapshot::OpenMapping(copy.source, std::move(mapping)));
  const snapshot::Header& header = snapshot->header();
  LARDER_TRY(snapshot::Verify(*snapshot, [&](uint64_t done) {
    return Go(copy, "verify", Share(done, header.file_bytes)).has_value();
  }));
  if (snapshot->damaged()) {
    return Fail(ErrorCode::kIoError, fmt::format("{}: a page could not be read back", path));
  }
  return SnapshotCopyReport{.records = header.record_count,
                            .file_bytes = header.file_bytes,
                            .separator = header.separator};
}

Result<void> PublishOrigin(io::FileSystem& files, const SnapshotCopy& copy) {
  const Origin origin{.source = copy.source,
                      .bytes = copy.identity.info.bytes,
                      .mtime_ns = copy.identity.info.mtime_ns,
                      .checksum = copy.identity.checksum,
                      .taken_at_ms = NowMs()};
  return io::PublishFile(files, EncodeOrigin(origin), copy.origin_path);
}

Result<SnapshotCopyReport> CopyTo(io::FileSystem& files, const SnapshotCopy& copy,
                                  const std::string& temporary) {
  LARDER_ASSIGN(auto target, files.Create(temporary));
  LARDER_TRY(CopyBytes(files, copy, *target));
  LARDER_ASSIGN(const auto report, VerifyCopy(files, copy, temporary));
  LARDER_TRY(PublishOrigin(files, copy));
  LARDER_TRY(io::PublishFile(files, std::move(target), copy.path));
  return report;
}

}  // namespace

Result<SnapshotCopyReport> CopySnapshot(io::FileSystem& files, const SnapshotCopy& copy) {
  const std::string temporary = copy.path + std::string(io::kTemporarySuffix);
  auto report = CopyTo(files, copy, temporary);
  if (report) return report;
  // A publish that failed half-way may have left a file under its name.
  for (const std::string& path : {temporary, copy.path, copy.origin_path}) {
    std::ignore = files.Remove(path);
  }
  return report;
}

}  // namespace larder::dataset

// The walk over the records in the order of the file.
#include <array>
#include <span>

#include <fmt/format.h>

#include "snapshot/bucket_table.h"
#include "snapshot/snapshot.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {
namespace {

// Hashed and prefetched together before the index is asked which of them live.
constexpr size_t kWalkBatch = 64;

struct WalkedRecord {
  StoredRecord record;
  uint64_t hash = 0;
};

}  // namespace

Result<void> Snapshot::ForEach(const std::function<bool(const Entry&)>& entry) const {
  const RecordSpace space = Records();
  const BucketTable index = Index();
  const bool all_live = header_.dead_records == 0;
  std::array<WalkedRecord, kWalkBatch> batch;
  uint64_t offset = kRecordsOffset;
  while (offset < header_.records_end) {
    size_t taken = 0;
    for (; taken < batch.size() && offset < header_.records_end; ++taken) {
      WalkedRecord& walked = batch[taken];
      if (!ReadRecord(space, offset, walked.record)) {
        return Fail(
            ErrorCode::kCorrupt,
            fmt::format("{}: byte {}: no record is here; larder verify says more", path_, offset));
      }
      offset += walked.record.bytes();
      if (all_live) continue;
      walked.hash = Hash(walked.record.key);
      index.Prefetch(walked.hash);
    }
    for (const WalkedRecord& walked : std::span(batch).first(taken)) {
      const uint64_t payload = walked.record.offset / kRecordAlignment;
      const auto is_this = [payload](uint64_t candidate) { return candidate == payload; };
      if (!all_live && index.Find(walked.hash, is_this) == 0) continue;
      const Entry found{.key = walked.record.key, .value = ToValue(space, walked.record)};
      if (!entry(found)) return {};
    }
  }
  if (!damaged()) return {};
  return Fail(ErrorCode::kCorrupt, fmt::format("{}: a part of it could not be read", path_));
}

}  // namespace larder::snapshot

#include "snapshot/index_section.h"

#include "snapshot/live_entries.h"

namespace larder::snapshot {
namespace {

constexpr size_t kPieceBytes = 1024 * kBucketBytes;  // handed to the file at once

}  // namespace

IndexSection::IndexSection(const SectionWorkspace& workspace, const StepProgress& progress)
    : workspace_(workspace),
      progress_(progress),
      entries_(workspace.files, workspace.prefix + std::string(io::kTemporarySuffix),
               workspace.memory_bytes) {}

Result<void> IndexSection::Resolve(RunSorter<IndexEntry>& sorted, const RecordSpace& space,
                                   Duplicates rule, Header& header) {
  const auto keep = [&](const IndexEntry& entry) -> Result<void> {
    if (++live_ % kEntriesPerProgress == 0) LARDER_TRY(progress_(live_));
    return entries_.Add(entry);
  };
  const auto dead = [&](const StoredRecord& record) {
    ++header.dead_records;
    header.dead_bytes += record.bytes();
    --header.records_by_type[record.head.type];
    if (const auto expiry = ToValue(space, record).expires_at_ms) header.expiries.Remove(*expiry);
  };
  LARDER_TRY(KeepLive(sorted, space, rule, keep, dead));
  LARDER_TRY(entries_.Finish());
  header.record_count = live_;
  return {};
}

Result<bool> IndexSection::Fits() const {
  BucketWriter writer(HomeBucketsFor(live_));
  Spool::Reader reader(entries_, workspace_.buffer_bytes);
  std::string buckets;
  for (IndexEntry entry;;) {
    LARDER_ASSIGN(const bool more, reader.Read(entry));
    if (!more) return true;
    if (!writer.Add(entry.hash, entry.payload, buckets)) return false;
    if (buckets.size() >= kPieceBytes) buckets.clear();
  }
}

Result<void> IndexSection::Write(BlockWriter& out, Header& header) const {
  LARDER_TRY(out.AlignTo(kTableAlignment));
  header.index_offset = out.size();
  header.index_home_buckets = HomeBucketsFor(live_);
  header.index_total_buckets = header.index_home_buckets + kSpareBuckets;
  BucketWriter writer(header.index_home_buckets);
  Spool::Reader reader(entries_, workspace_.buffer_bytes);
  std::string buckets;
  uint64_t done = 0;
  for (IndexEntry entry;;) {
    LARDER_ASSIGN(const bool more, reader.Read(entry));
    if (!more) break;
    if (!writer.Add(entry.hash, entry.payload, buckets)) {
      return Fail(ErrorCode::kInternal, "a chain of the index is too long after all");
    }
    if (buckets.size() >= kPieceBytes) {
      LARDER_TRY(out.Append(buckets));
      buckets.clear();
    }
    if (++done % kEntriesPerProgress == 0) LARDER_TRY(progress_(live_ + done));
  }
  writer.Finish(buckets);
  header.longest_chain = writer.longest_chain();
  return out.Append(buckets);
}

}  // namespace larder::snapshot

#include "snapshot/index_section.h"

#include <algorithm>
#include <utility>

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
  const bool in_place = sorted.all_in_memory();
  const std::span<IndexEntry> all = sorted.all();
  const auto keep = [&](const IndexEntry& entry) -> Result<void> {
    const uint64_t number = live_++;
    if (number % kEntriesPerProgress == 0) LARDER_TRY(progress_(number));
    if (!in_place) return entries_.Add(entry);
    all[number] = entry;
    return {};
  };
  const auto dead = [&](const StoredRecord& record) {
    ++header.dead_records;
    header.dead_bytes += record.bytes();
    --header.records_by_type[record.head.type];
    if (const auto expiry = ToValue(space, record).expires_at_ms) header.expiries.Remove(*expiry);
  };
  LARDER_TRY(KeepLive(sorted, space, rule, keep, dead));
  LARDER_TRY(entries_.Finish());
  if (in_place) in_memory_ = all.first(live_);
  header.record_count = live_;
  return {};
}

template <typename Each>
Result<void> IndexSection::ForEachEntry(Each&& each) const {
  for (const IndexEntry& entry : in_memory_) {
    if (!each(entry)) return {};
  }
  Spool::Reader reader(entries_, workspace_.buffer_bytes);
  for (IndexEntry entry;;) {
    LARDER_ASSIGN(const bool more, reader.Read(entry));
    if (!more || !each(entry)) return {};
  }
}

// Where BucketWriter would put them, without the buckets.
Result<bool> IndexSection::Fits() const {
  const uint64_t home_buckets = HomeBucketsFor(live_);
  uint64_t slot = 0;
  uint64_t longest = 0;
  LARDER_TRY(ForEachEntry([&](const IndexEntry& entry) {
    const uint64_t home = HomeBucket(entry.hash, home_buckets);
    slot = std::max(slot, home * kSlotsPerBucket);
    longest = std::max(longest, slot++ / kSlotsPerBucket - home + 1);
    return longest <= kMaxChain;
  }));
  return longest <= kMaxChain;
}

Result<void> IndexSection::Write(BlockWriter& out, Header& header) const {
  LARDER_TRY(out.AlignTo(kTableAlignment));
  header.index_offset = out.size();
  header.index_home_buckets = HomeBucketsFor(live_);
  header.index_total_buckets = header.index_home_buckets + kSpareBuckets;
  BucketWriter writer(header.index_home_buckets);
  std::string buckets;
  uint64_t done = 0;
  Result<void> written;
  const auto place = [&](const IndexEntry& entry) -> Result<void> {
    if (!writer.Add(entry.hash, entry.payload, buckets)) {
      return Fail(ErrorCode::kInternal, "a chain of the index is too long after all");
    }
    if (buckets.size() >= kPieceBytes) {
      LARDER_TRY(out.Append(buckets));
      buckets.clear();
    }
    if (++done % kEntriesPerProgress == 0) LARDER_TRY(progress_(live_ + done));
    return {};
  };
  LARDER_TRY(ForEachEntry([&](const IndexEntry& entry) {
    written = place(entry);
    return written.has_value();
  }));
  LARDER_TRY(std::move(written));
  writer.Finish(buckets);
  header.longest_chain = writer.longest_chain();
  return out.Append(buckets);
}

}  // namespace larder::snapshot

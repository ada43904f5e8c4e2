#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "snapshot/bucket_table.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/printable_key.h"
#include "snapshot/snapshot.h"
#include "snapshot/stored_record.h"
#include "snapshot/value_check.h"

namespace larder::snapshot {
namespace {

constexpr uint64_t kBytesPerProgress = uint64_t{4} << 20;
constexpr size_t kGroup = 16;          // records whose buckets are fetched side by side
constexpr uint64_t kBucketsAhead = 4;  // whose records are fetched while the index is walked

}  // namespace

class Verifier {
 public:
  Verifier(const Snapshot& snapshot, const std::function<bool(uint64_t)>& progress)
      : snapshot_(snapshot),
        header_(snapshot.header()),
        file_(snapshot.mapping().bytes()),
        space_(snapshot.Records()),
        progress_(progress) {}

  Result<VerifyReport> Run() {
    LARDER_TRY(CheckBlocks());
    LARDER_TRY(CheckFixedPages());
    LARDER_TRY(CheckGaps());
    LARDER_TRY(CheckRecords());
    LARDER_TRY(CheckCounts());
    LARDER_TRY(CheckIndex());
    LARDER_TRY(CheckDirectory());
    LARDER_TRY(CheckMetadata());
    return VerifyReport{.bytes = file_.size(),
                        .records = header_.record_count,
                        .collections = header_.collection_count};
  }

 private:
  struct Probe {
    StoredRecord record;
    uint64_t hash = 0;
  };

  std::unexpected<Error> Corrupt(uint64_t offset, std::string_view what) const {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: byte {}: {}", snapshot_.path(), offset, what));
  }
  std::unexpected<Error> CorruptRecord(const StoredRecord& record, std::string_view what) const {
    return Corrupt(record.offset,
                   fmt::format("the record of key {} {}", PrintableKey(record.key), what));
  }

  Result<void> Advance(uint64_t bytes);
  Result<void> CheckBlocks();
  Result<void> CheckFixedPages() const;
  Result<void> CheckGaps() const;
  Result<void> CheckZeros(uint64_t begin, uint64_t end) const;
  Result<void> CheckRecords();
  Result<void> ReadProbe(uint64_t at, Probe& probe) const;
  Result<void> CheckRecord(const StoredRecord& record, uint64_t hash);
  Result<void> CheckCounts() const;
  Result<void> CheckIndex() const;
  Result<void> CheckDirectory() const;
  Result<uint64_t> CheckCollections(std::string_view directory, uint64_t table_bytes) const;
  Result<void> CheckMembers(const DirectoryEntry& entry, const char* slots) const;
  Result<void> CheckCollectionIndex(std::string_view directory) const;
  Result<void> CheckMetadata() const;

  const Snapshot& snapshot_;
  const Header& header_;
  std::string_view file_;
  RecordSpace space_;
  const std::function<bool(uint64_t)>& progress_;
  uint64_t passed_ = 0;  // bytes; the records are passed twice, by the sums and by the look-ups
  uint64_t reported_ = 0;

  std::array<uint64_t, kValueTypeCount> by_type_{};
  uint64_t live_ = 0;
  Expiries expiries_;
  uint64_t dead_ = 0;
  uint64_t dead_bytes_ = 0;
  uint64_t in_collections_ = 0;
};

Result<void> Verifier::Advance(uint64_t bytes) {
  passed_ += bytes;
  if (!progress_ || passed_ - reported_ < kBytesPerProgress) return {};
  reported_ = passed_;
  if (progress_(passed_ / 2)) return {};
  return Fail(ErrorCode::kCancelled, "verifying was cancelled");
}

Result<void> Verifier::CheckBlocks() {
  const std::string_view sums = file_.substr(header_.checksums_offset, header_.checksum_count * 8);
  if (Checksum64(sums) != header_.checksums_checksum) {
    return Corrupt(header_.checksums_offset, "the block checksums are damaged");
  }
  for (uint64_t block = 0; block < header_.checksum_count; ++block) {
    const uint64_t begin = block * kBlockBytes;
    const uint64_t bytes = std::min(kBlockBytes, header_.checksums_offset - begin);
    const uint64_t found = Checksum64(file_.substr(begin, bytes));
    const auto expected = LoadLe<uint64_t>(sums.data() + block * 8);
    if (found != expected) {
      return Corrupt(begin, fmt::format("the block of {} bytes from here is damaged: checksum "
                                        "{:016x}, expected {:016x}",
                                        bytes, found, expected));
    }
    LARDER_TRY(Advance(bytes));
  }
  return {};
}

// Every number in the fixed pages is in the header, so making them anew shows all that is not.
Result<void> Verifier::CheckFixedPages() const {
  if (file_.substr(0, kHeaderPageBytes) != MakeHeaderPage()) {
    return Corrupt(0, "the header page holds more than it should");
  }
  if (file_.substr(file_.size() - kFooterBytes) != MakeFooter(header_)) {
    return Corrupt(file_.size() - kFooterBytes, "the footer holds more than it should");
  }
  return {};
}

Result<void> Verifier::CheckGaps() const {
  LARDER_TRY(CheckZeros(header_.records_end, header_.index_offset));
  LARDER_TRY(
      CheckZeros(header_.directory_offset + header_.directory_bytes, header_.metadata_offset));
  return CheckZeros(header_.metadata_offset + header_.metadata_bytes, header_.checksums_offset);
}

Result<void> Verifier::CheckZeros(uint64_t begin, uint64_t end) const {
  const size_t at = file_.substr(0, end).find_first_not_of('\0', begin);
  if (at != std::string_view::npos) return Corrupt(at, "a byte between sections is not zero");
  return {};
}

// A group at a time, so that the buckets of its keys come from memory side by side.
Result<void> Verifier::CheckRecords() {
  std::array<Probe, kGroup> group;
  for (uint64_t at = kRecordsOffset; at < header_.records_end;) {
    size_t size = 0;
    // A fault of the form is told after those of the records before it.
    Result<void> formed;
    while (size < kGroup && at < header_.records_end) {
      Probe& probe = group[size];
      formed = ReadProbe(at, probe);
      if (!formed) break;
      at += probe.record.bytes();
      ++size;
    }
    for (const Probe& probe : std::span(group).first(size)) {
      LARDER_TRY(CheckRecord(probe.record, probe.hash));
      LARDER_TRY(Advance(probe.record.bytes()));
    }
    LARDER_TRY(std::move(formed));
  }
  return {};
}

Result<void> Verifier::ReadProbe(uint64_t at, Probe& probe) const {
  StoredRecord& record = probe.record;
  if (!ReadRecord(space_, at, record)) return Corrupt(at, "no well-formed record");
  if (at + record.bytes() > header_.records_end) {
    return CorruptRecord(record, "reaches into the index");
  }
  probe.hash = snapshot_.Hash(record.key);
  snapshot_.PrefetchBucket(probe.hash);
  return {};
}

Result<void> Verifier::CheckRecord(const StoredRecord& record, uint64_t hash) {
  const uint64_t end = record.offset + record.bytes();
  LARDER_TRY(CheckZeros(
      static_cast<uint64_t>(record.value.data() - space_.base) + record.head.value_bytes, end));
  if ((record.head.flags & kRecordHasFlags) != 0) {
    const uint64_t at = record.offset + 8 + RecordExtraBytes(record.head.flags) - 4;
    if (LoadLe<uint32_t>(space_.base + at) != 0) {
      return Corrupt(at, "bytes after the memcached flags are not zero");
    }
  }
  if (const std::string fault = FindFault(ToValue(space_, record)); !fault.empty()) {
    return CorruptRecord(record, "has a wrong value: " + fault);
  }
  const auto found = snapshot_.Find(record.key, hash);
  if (!found) return CorruptRecord(record, "is not found by its key");
  if (found->encoded.data() != record.value.data()) {
    ++dead_;
    dead_bytes_ += record.bytes();
    return {};
  }
  ++live_;
  ++by_type_[record.head.type];
  if (found->expires_at_ms) expiries_.Add(*found->expires_at_ms);
  if (CollectionOf(record.key, header_.separator)) ++in_collections_;
  return {};
}

Result<void> Verifier::CheckCounts() const {
  if (live_ == header_.record_count && by_type_ == header_.records_by_type &&
      expiries_ == header_.expiries && dead_ == header_.dead_records &&
      dead_bytes_ == header_.dead_bytes) {
    return {};
  }
  return Corrupt(file_.size() - kFooterBytes,
                 fmt::format("the footer's counts are wrong: {} live and {} dead records are here",
                             live_, dead_));
}

// The live records were all found; that there is no other entry follows from the number of them.
Result<void> Verifier::CheckIndex() const {
  const BucketTable table = snapshot_.Index();
  PlacementCheck placement(table);
  uint64_t wrong_payload = 0;
  const auto visit = [&](uint64_t payload) {
    StoredRecord record;
    if (ReadRecord(space_, payload * kRecordAlignment, record) &&
        placement.Add(snapshot_.Hash(record.key), payload)) {
      return true;
    }
    wrong_payload = payload;
    return false;
  };
  const auto upcoming = [&](uint64_t payload) {
    const uint64_t offset = payload * kRecordAlignment;
    if (offset < space_.end) __builtin_prefetch(space_.base + offset);
  };
  table.WalkFrom<kBucketsAhead>(0, visit, upcoming);
  if (wrong_payload != 0) {
    return Corrupt(header_.index_offset,
                   fmt::format("the index holds a misplaced entry, of the record at byte {}",
                               wrong_payload * kRecordAlignment));
  }
  if (!placement.Finish() || placement.entries() != header_.record_count ||
      header_.index_home_buckets != HomeBucketsFor(header_.record_count) ||
      placement.longest_chain() != header_.longest_chain) {
    return Corrupt(header_.index_offset, "the index is not made as it should be");
  }
  return {};
}

Result<void> Verifier::CheckDirectory() const {
  if (header_.directory_bytes == 0) {
    if (in_collections_ == 0) return {};
    return Corrupt(header_.directory_offset, "the directory of collections is missing");
  }
  const std::string_view directory =
      file_.substr(header_.directory_offset, header_.directory_bytes);
  const uint64_t table_bytes = header_.directory_total_buckets * kBucketBytes;
  LARDER_ASSIGN(const uint64_t members, CheckCollections(directory, table_bytes));
  if (members != in_collections_ ||
      header_.directory_home_buckets != HomeBucketsFor(header_.collection_count)) {
    return Corrupt(header_.directory_offset, "the directory of collections is incomplete");
  }
  return CheckCollectionIndex(directory);
}

// Entries and member lists, front to back; returns the number of members of all.
Result<uint64_t> Verifier::CheckCollections(std::string_view directory,
                                            uint64_t table_bytes) const {
  uint64_t at = table_bytes;
  uint64_t members = 0;
  uint64_t first_list = 0;
  DirectoryEntry entry;
  for (uint64_t number = 0; number < header_.collection_count; ++number) {
    const uint64_t offset = header_.directory_offset + at;
    if (!ReadDirectoryEntry(directory, at, entry)) return Corrupt(offset, "no collection's entry");
    if (number == 0) first_list = entry.members_at;
    if (entry.members_at != first_list + members * 8 || entry.member_count == 0) {
      return Corrupt(offset, "the members of a collection are out of place");
    }
    const char* slots = directory.data() + entry.members_at;
    const auto found = snapshot_.FindCollection(entry.name);
    if (!found || found->slots != slots) {
      return Corrupt(offset, "a collection is not found by its name");
    }
    LARDER_TRY(CheckMembers(entry, slots));
    members += entry.member_count;
    const uint64_t end = at + kDirectoryEntryHeadBytes + entry.name.size();
    at = AlignUp(end, kSectionAlignment);
    if (LoadLe<uint32_t>(directory.data() + (offset - header_.directory_offset) + 4) != 0 ||
        at > directory.size()) {
      return Corrupt(offset, "a collection's entry is not ended by zeros");
    }
    LARDER_TRY(CheckZeros(header_.directory_offset + end, header_.directory_offset + at));
  }
  if (at != first_list || directory.size() - first_list != members * 8) {
    return Corrupt(header_.directory_offset, "the directory has bytes left over");
  }
  return members;
}

Result<void> Verifier::CheckMembers(const DirectoryEntry& entry, const char* slots) const {
  const auto offset = static_cast<uint64_t>(slots - file_.data());
  uint64_t hash_before = 0;
  uint64_t payload_before = 0;
  for (uint64_t number = 0; number < entry.member_count; ++number) {
    const auto slot = LoadLe<uint64_t>(slots + number * 8);
    const uint64_t payload = slot & kPayloadMask;
    StoredRecord record;
    if (!ReadRecord(space_, payload * kRecordAlignment, record) ||
        CollectionOf(record.key, header_.separator) != entry.name) {
      return Corrupt(offset + number * 8, "a member leads to no record of its collection");
    }
    const uint64_t hash = snapshot_.Hash(record.key);
    const auto found = snapshot_.Find(record.key, hash);
    const bool ascending = hash > hash_before || (hash == hash_before && payload > payload_before);
    if (!found || found->encoded.data() != record.value.data() ||
        slot >> kTagShift != hash >> kTagShift || !ascending) {
      return Corrupt(offset + number * 8, "the list of a collection's members is wrong");
    }
    hash_before = hash;
    payload_before = payload;
  }
  return {};
}

Result<void> Verifier::CheckCollectionIndex(std::string_view directory) const {
  const BucketTable table(directory.data(), header_.directory_home_buckets);
  PlacementCheck placement(table);
  bool placed = true;
  const auto visit = [&](uint64_t payload) {
    DirectoryEntry entry;
    placed = ReadDirectoryEntry(directory, payload * kSectionAlignment, entry) &&
             placement.Add(snapshot_.Hash(entry.name), payload);
    return placed;
  };
  table.WalkFrom(0, visit, [](uint64_t) {});
  if (placed && placement.Finish() && placement.entries() == header_.collection_count) return {};
  return Corrupt(header_.directory_offset, "the index of collections is wrong");
}

Result<void> Verifier::CheckMetadata() const {
  bool whole = false;
  const MetadataPairs pairs =
      ParseMetadata(file_.substr(header_.metadata_offset, header_.metadata_bytes), &whole);
  const bool sorted = std::is_sorted(
      pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (whole && sorted) return {};
  return Corrupt(header_.metadata_offset, "the metadata are not sorted pairs");
}

Result<VerifyReport> Verify(const Snapshot& snapshot,
                            const std::function<bool(uint64_t bytes_done)>& progress) {
  return Verifier(snapshot, progress).Run();
}

}  // namespace larder::snapshot

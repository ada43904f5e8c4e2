#include "snapshot/verify.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/mutex.h"
#include "snapshot/bucket_table.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/in_pieces.h"
#include "snapshot/printable_key.h"
#include "snapshot/snapshot.h"
#include "snapshot/stored_record.h"
#include "snapshot/value_check.h"

namespace larder::snapshot {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{4} << 20;  // that one thread checks at a time
constexpr uint64_t kPieceBuckets = uint64_t{1} << 14;
constexpr uint64_t kPieceMembers = uint64_t{1} << 16;  // a round of collections
constexpr uint64_t kMembersAhead = 8;                  // whose records are fetched
constexpr size_t kGroup = 16;          // records whose buckets are fetched side by side
constexpr uint64_t kBucketsAhead = 4;  // whose records are fetched while the index is walked

// What the records are, to be compared with the footer.
struct RecordCounts {
  std::array<uint64_t, kValueTypeCount> by_type{};
  uint64_t live = 0;
  Expiries expiries;
  uint64_t dead = 0;
  uint64_t dead_bytes = 0;
  uint64_t in_collections = 0;

  void Add(const RecordCounts& other) {
    for (size_t type = 0; type < by_type.size(); ++type) by_type[type] += other.by_type[type];
    live += other.live;
    expiries.Add(other.expiries);
    dead += other.dead;
    dead_bytes += other.dead_bytes;
    in_collections += other.in_collections;
  }
};

}  // namespace

class Verifier {
 public:
  Verifier(const Snapshot& snapshot, const VerifyOptions& options)
      : snapshot_(snapshot),
        header_(snapshot.header()),
        file_(snapshot.mapping().bytes()),
        space_(snapshot.Records()),
        progress_(options.progress),
        threads_(options.threads != 0 ? options.threads
                                      : std::max(1U, std::thread::hardware_concurrency())) {}

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

  Result<void> Report() const;
  Result<void> InPieces(uint64_t count, const PieceCheck& check) const;
  Result<void> CheckBlocks();
  Result<void> CheckBlock(uint64_t block) const;
  Result<void> CheckFixedPages() const;
  Result<void> CheckGaps() const;
  Result<void> CheckZeros(uint64_t begin, uint64_t end) const;
  Result<void> CheckRecords();
  std::vector<uint64_t> RecordStarts() const;
  Result<bool> CheckRecordsBetween(std::span<const uint64_t> starts);
  Result<uint64_t> CheckRecordPiece(uint64_t begin, uint64_t end, RecordCounts& counts);
  Result<void> ReadProbe(uint64_t at, Probe& probe) const;
  Result<void> CheckRecord(const StoredRecord& record, uint64_t hash, RecordCounts& counts) const;
  Result<void> CheckCounts() const;
  Result<void> CheckIndex() const;
  std::vector<uint64_t> CleanBuckets() const;
  Result<void> CheckBuckets(uint64_t first, PlacementCheck& placement) const;
  Result<void> CheckDirectory() const;
  Result<uint64_t> CheckCollections(std::string_view directory, uint64_t table_bytes) const;
  struct MemberList {
    std::string_view collection;
    const char* slots = nullptr;
    uint64_t first = 0;  // of its members, those from here to `last` - 1
    uint64_t last = 0;
  };
  Result<void> CheckLists(std::vector<MemberList>& lists) const;
  Result<void> CheckMembers(const MemberList& list) const;
  Result<uint64_t> CheckMember(const MemberList& list, uint64_t number) const;
  Result<void> CheckCollectionIndex(std::string_view directory) const;
  Result<void> CheckMetadata() const;

  const Snapshot& snapshot_;
  const Header& header_;
  std::string_view file_;
  RecordSpace space_;
  const std::function<bool(uint64_t)>& progress_;
  unsigned threads_;
  const std::thread::id caller_ = std::this_thread::get_id();
  // Bytes; the records are passed twice, by the sums and by the look-ups.
  std::atomic<uint64_t> passed_{0};
  RecordCounts counts_;
};

Result<void> Verifier::Report() const {
  if (!progress_ || progress_(passed_.load(std::memory_order_relaxed) / 2)) return {};
  return Fail(ErrorCode::kCancelled, "verifying was cancelled");
}

Result<void> Verifier::InPieces(uint64_t count, const PieceCheck& check) const {
  return CheckInPieces(count, threads_, check, [this] { return Report(); });
}

Result<void> Verifier::CheckBlocks() {
  const std::string_view sums = file_.substr(header_.checksums_offset, header_.checksum_count * 8);
  if (Checksum64(sums) != header_.checksums_checksum) {
    return Corrupt(header_.checksums_offset, "the block checksums are damaged");
  }
  constexpr uint64_t kBlocks = kPieceBytes / kBlockBytes;
  const uint64_t pieces = (header_.checksum_count + kBlocks - 1) / kBlocks;
  return InPieces(pieces, [this](uint64_t piece) -> Result<void> {
    const uint64_t end = std::min((piece + 1) * kBlocks, header_.checksum_count);
    for (uint64_t block = piece * kBlocks; block < end; ++block) LARDER_TRY(CheckBlock(block));
    passed_.fetch_add(kPieceBytes, std::memory_order_relaxed);
    return {};
  });
}

Result<void> Verifier::CheckBlock(uint64_t block) const {
  const uint64_t begin = block * kBlockBytes;
  const uint64_t bytes = std::min(kBlockBytes, header_.checksums_offset - begin);
  const uint64_t found = Checksum64(file_.substr(begin, bytes));
  const auto expected = LoadLe<uint64_t>(file_.data() + header_.checksums_offset + block * 8);
  if (found == expected) return {};
  return Corrupt(begin, fmt::format("the block of {} bytes from here is damaged: checksum "
                                    "{:016x}, expected {:016x}",
                                    bytes, found, expected));
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

// In pieces where the index tells where records start. Should one of these places be none where a
// walk from the first record comes by, then all is walked by one thread, which tells what is wrong.
Result<void> Verifier::CheckRecords() {
  LARDER_ASSIGN(const bool walked, CheckRecordsBetween(RecordStarts()));
  if (walked) return {};
  counts_ = {};
  const uint64_t first = kRecordsOffset;
  LARDER_TRY(CheckRecordsBetween({&first, 1}));
  return {};
}

// The first record, and of every piece of the file the first that the index knows of.
std::vector<uint64_t> Verifier::RecordStarts() const {
  std::vector<uint64_t> starts = {kRecordsOffset};
  const uint64_t pieces = header_.records_end / kPieceBytes + 1;
  if (threads_ == 1 || pieces == 1) return starts;
  std::vector<uint64_t> firsts(pieces, UINT64_MAX);
  const auto note = [&](uint64_t payload) {
    const uint64_t offset = payload * kRecordAlignment;
    if (offset >= header_.records_end) return true;
    uint64_t& first = firsts[offset / kPieceBytes];
    first = std::min(first, offset);
    return true;
  };
  snapshot_.Index().WalkFrom(0, note, [](uint64_t) {});
  for (const uint64_t first : firsts) {
    if (first != UINT64_MAX && first > starts.back()) starts.push_back(first);
  }
  return starts;
}

// False when a walk that begins at one of them passes over the next.
Result<bool> Verifier::CheckRecordsBetween(std::span<const uint64_t> starts) {
  Mutex mutex;
  std::atomic<bool> met = true;
  auto checked = InPieces(starts.size(), [&](uint64_t piece) -> Result<void> {
    const uint64_t end = piece + 1 < starts.size() ? starts[piece + 1] : header_.records_end;
    RecordCounts counts;
    LARDER_ASSIGN(const uint64_t reached, CheckRecordPiece(starts[piece], end, counts));
    if (reached != end) met.store(false);
    const MutexLock lock(mutex);
    counts_.Add(counts);
    return {};
  });
  if (checked || checked.error().code() == ErrorCode::kCancelled || met.load()) {
    LARDER_TRY(std::move(checked));
  }
  return met.load();
}

// A group at a time, so that the buckets of its keys come from memory side by side. Returns where
// the record after the last starts.
Result<uint64_t> Verifier::CheckRecordPiece(uint64_t begin, uint64_t end, RecordCounts& counts) {
  std::array<Probe, kGroup> group;
  uint64_t at = begin;
  while (at < end) {
    const uint64_t group_begin = at;
    size_t size = 0;
    // A fault of the form is told after those of the records before it.
    Result<void> formed;
    while (size < kGroup && at < end) {
      Probe& probe = group[size];
      formed = ReadProbe(at, probe);
      if (!formed) break;
      PrefetchRecords(space_, at, probe.record.bytes());
      at += probe.record.bytes();
      ++size;
    }
    for (const Probe& probe : std::span(group).first(size)) {
      LARDER_TRY(CheckRecord(probe.record, probe.hash, counts));
    }
    LARDER_TRY(std::move(formed));
    passed_.fetch_add(at - group_begin, std::memory_order_relaxed);
    // All records are one piece for one thread, and where the index does not tell their places.
    const bool told = at / kPieceBytes == group_begin / kPieceBytes;
    if (!told && std::this_thread::get_id() == caller_) LARDER_TRY(Report());
  }
  return at;
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

Result<void> Verifier::CheckRecord(const StoredRecord& record, uint64_t hash,
                                   RecordCounts& counts) const {
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
    ++counts.dead;
    counts.dead_bytes += record.bytes();
    return {};
  }
  ++counts.live;
  ++counts.by_type[record.head.type];
  if (found->expires_at_ms) counts.expiries.Add(*found->expires_at_ms);
  if (CollectionOf(record.key, header_.separator)) ++counts.in_collections;
  return {};
}

Result<void> Verifier::CheckCounts() const {
  if (counts_.live == header_.record_count && counts_.by_type == header_.records_by_type &&
      counts_.expiries == header_.expiries && counts_.dead == header_.dead_records &&
      counts_.dead_bytes == header_.dead_bytes) {
    return {};
  }
  return Corrupt(file_.size() - kFooterBytes,
                 fmt::format("the footer's counts are wrong: {} live and {} dead records are here",
                             counts_.live, counts_.dead));
}

// The live records were all found; that there is no other entry follows from the number of them.
Result<void> Verifier::CheckIndex() const {
  const BucketTable table = snapshot_.Index();
  const std::vector<uint64_t> firsts = CleanBuckets();
  std::atomic<uint64_t> entries{0};
  std::atomic<uint64_t> longest{0};
  const auto check = [&](uint64_t piece) -> Result<void> {
    const uint64_t end = piece + 1 < firsts.size() ? firsts[piece + 1] : table.total_buckets();
    PlacementCheck placement(table, firsts[piece], end);
    LARDER_TRY(CheckBuckets(firsts[piece], placement));
    entries.fetch_add(placement.entries());
    uint64_t before = longest.load();
    while (before < placement.longest_chain() &&
           !longest.compare_exchange_weak(before, placement.longest_chain())) {
    }
    return {};
  };
  LARDER_TRY(InPieces(firsts.size(), check));
  if (entries.load() != header_.record_count ||
      header_.index_home_buckets != HomeBucketsFor(header_.record_count) ||
      longest.load() != header_.longest_chain) {
    return Corrupt(header_.index_offset, "the index is not made as it should be");
  }
  return {};
}

// Buckets about kPieceBuckets apart, of which each follows one that has an empty slot: what is
// placed from there on does not depend on what is before.
std::vector<uint64_t> Verifier::CleanBuckets() const {
  const BucketTable table = snapshot_.Index();
  std::vector<uint64_t> firsts = {0};
  for (uint64_t bucket = kPieceBuckets; bucket < table.home_buckets(); ++bucket) {
    if (table.SlotAt(bucket - 1, kSlotsPerBucket - 1) != 0) continue;
    firsts.push_back(bucket);
    bucket += kPieceBuckets - 1;
  }
  return firsts;
}

Result<void> Verifier::CheckBuckets(uint64_t first, PlacementCheck& placement) const {
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
  placement.table().Walk<kBucketsAhead>(first, placement.end(), visit, upcoming);
  if (wrong_payload != 0) {
    return Corrupt(header_.index_offset,
                   fmt::format("the index holds a misplaced entry, of the record at byte {}",
                               wrong_payload * kRecordAlignment));
  }
  if (placement.Finish()) return {};
  return Corrupt(header_.index_offset, "the index is not made as it should be");
}

Result<void> Verifier::CheckDirectory() const {
  if (header_.directory_bytes == 0) {
    if (counts_.in_collections == 0) return {};
    return Corrupt(header_.directory_offset, "the directory of collections is missing");
  }
  const std::string_view directory =
      file_.substr(header_.directory_offset, header_.directory_bytes);
  const uint64_t table_bytes = header_.directory_total_buckets * kBucketBytes;
  LARDER_ASSIGN(const uint64_t members, CheckCollections(directory, table_bytes));
  if (members != counts_.in_collections ||
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
  std::vector<MemberList> lists;
  uint64_t listed = 0;
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
    for (uint64_t first = 0; first < entry.member_count; first += kPieceMembers) {
      const uint64_t last = std::min(first + kPieceMembers, entry.member_count);
      lists.push_back({entry.name, slots, first, last});
      listed += last - first;
      if (listed < threads_ * kPieceMembers) continue;
      LARDER_TRY(CheckLists(lists));
      listed = 0;
    }
    members += entry.member_count;
    const uint64_t end = at + kDirectoryEntryHeadBytes + entry.name.size();
    at = AlignUp(end, kSectionAlignment);
    if (LoadLe<uint32_t>(directory.data() + (offset - header_.directory_offset) + 4) != 0 ||
        at > directory.size()) {
      return Corrupt(offset, "a collection's entry is not ended by zeros");
    }
    LARDER_TRY(CheckZeros(header_.directory_offset + end, header_.directory_offset + at));
  }
  LARDER_TRY(CheckLists(lists));
  if (at != first_list || directory.size() - first_list != members * 8) {
    return Corrupt(header_.directory_offset, "the directory has bytes left over");
  }
  return members;
}

// Small lists go together to one thread.
Result<void> Verifier::CheckLists(std::vector<MemberList>& lists) const {
  const uint64_t each = lists.size() / (uint64_t{4} * threads_) + 1;
  const auto check = [&](uint64_t piece) -> Result<void> {
    const uint64_t end = std::min<uint64_t>((piece + 1) * each, lists.size());
    for (uint64_t at = piece * each; at < end; ++at) LARDER_TRY(CheckMembers(lists[at]));
    return {};
  };
  LARDER_TRY(InPieces((lists.size() + each - 1) / each, check));
  lists.clear();
  return {};
}

Result<void> Verifier::CheckMembers(const MemberList& list) const {
  const auto payload_of = [&list](uint64_t number) {
    return LoadLe<uint64_t>(list.slots + number * 8) & kPayloadMask;
  };
  uint64_t hash_before = 0;
  if (list.first > 0) {
    LARDER_ASSIGN(hash_before, CheckMember(list, list.first - 1));
  }
  for (uint64_t number = list.first; number < list.last; ++number) {
    if (number + kMembersAhead < list.last) {
      const uint64_t offset = payload_of(number + kMembersAhead) * kRecordAlignment;
      if (offset < space_.end) __builtin_prefetch(space_.base + offset);
    }
    LARDER_ASSIGN(const uint64_t hash, CheckMember(list, number));
    const bool ascending = number == 0 || hash > hash_before ||
                           (hash == hash_before && payload_of(number) > payload_of(number - 1));
    if (!ascending) {
      return Corrupt(static_cast<uint64_t>(list.slots - file_.data()) + number * 8,
                     "the list of a collection's members is wrong");
    }
    hash_before = hash;
  }
  return {};
}

// Returns the hash of the member's key.
Result<uint64_t> Verifier::CheckMember(const MemberList& list, uint64_t number) const {
  const char* const at = list.slots + number * 8;
  const auto offset = static_cast<uint64_t>(at - file_.data());
  const auto slot = LoadLe<uint64_t>(at);
  StoredRecord record;
  if (!ReadRecord(space_, (slot & kPayloadMask) * kRecordAlignment, record) ||
      CollectionOf(record.key, header_.separator) != list.collection) {
    return Corrupt(offset, "a member leads to no record of its collection");
  }
  const uint64_t hash = snapshot_.Hash(record.key);
  const auto found = snapshot_.Find(record.key, hash);
  if (!found || found->encoded.data() != record.value.data() ||
      slot >> kTagShift != hash >> kTagShift) {
    return Corrupt(offset, "the list of a collection's members is wrong");
  }
  return hash;
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

Result<VerifyReport> Verify(const Snapshot& snapshot, const VerifyOptions& options) {
  return Verifier(snapshot, options).Run();
}

Result<VerifyReport> Verify(const Snapshot& snapshot,
                            const std::function<bool(uint64_t bytes_done)>& progress) {
  return Verify(snapshot, VerifyOptions{.progress = progress});
}

}  // namespace larder::snapshot

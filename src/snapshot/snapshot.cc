#include "snapshot/snapshot.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "snapshot/bucket_table.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/scan_cursor.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {
namespace {

// The first lines of a record: head, key and the beginning of most values.
constexpr uint64_t kFirstLines = 128;

void PrefetchRecordAt(const char* base, uint64_t offset) {
  for (uint64_t at = 0; at < kFirstLines; at += 64) __builtin_prefetch(base + offset + at);
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::Open(io::FileSystem& files,
                                                       const std::string& path) {
  LARDER_ASSIGN(std::unique_ptr<io::Mapping> mapping, files.Map(path));
  return OpenMapping(path, std::move(mapping));
}

Result<std::shared_ptr<const Snapshot>> Snapshot::OpenResident(io::FileSystem& files,
                                                               const std::string& path,
                                                               Residency residency,
                                                               const std::function<bool()>& go_on) {
  LARDER_ASSIGN(std::unique_ptr<io::Mapping> mapping, files.Map(path));
  auto resident = io::MakeResident(std::move(mapping), residency, go_on);
  if (!resident) return std::unexpected(resident.error().Within(path));
  return OpenBytes(path, *std::move(resident));
}

Result<std::shared_ptr<const Snapshot>> Snapshot::OpenMapping(
    std::string name, std::unique_ptr<io::Mapping> mapping) {
  return OpenBytes(std::move(name), {.mapping = std::move(mapping)});
}

Result<std::shared_ptr<const Snapshot>> Snapshot::OpenBytes(std::string name,
                                                            io::ResidentMapping mapping) {
  auto header = ReadHeader(mapping.mapping->bytes());
  if (!header) return std::unexpected(header.error().Within(name));
  return std::shared_ptr<const Snapshot>(
      new Snapshot(std::move(name), std::move(mapping), *header));
}

Snapshot::Snapshot(std::string path, io::ResidentMapping mapping, const Header& header)
    : path_(std::move(path)),
      mapping_(std::move(mapping.mapping)),
      residency_(mapping.reached),
      residency_shortfall_(std::move(mapping.shortfall)),
      header_(header),
      base_(mapping_->bytes().data()),
      index_(base_ + header.index_offset) {}

Snapshot::~Snapshot() = default;

std::vector<std::pair<std::string, std::string>> Snapshot::Metadata() const {
  return ParseMetadata(mapping_->bytes().substr(header_.metadata_offset, header_.metadata_bytes));
}

RecordSpace Snapshot::Records() const {
  return {.base = base_, .end = header_.records_end, .member_seed = header_.member_seed};
}

FoundRecord Snapshot::Locate(std::string_view key, uint64_t hash) const {
  const RecordSpace space = Records();
  FoundRecord found;
  Index().Find(hash, [&](uint64_t candidate) {
    found = MatchRecord(space, candidate * kRecordAlignment, key);
    return found.value != nullptr;
  });
  return found;
}

std::optional<Value> Snapshot::Find(std::string_view key, uint64_t hash) const {
  const FoundRecord found = Locate(key, hash);
  if (found.value == nullptr) return std::nullopt;
  return found.ToValue(key.size(), header_.member_seed);
}

void Snapshot::PrefetchBucket(uint64_t hash) const { Index().Prefetch(hash); }

void Snapshot::PrefetchRecord(Lookup& lookup) const {
  const uint64_t end = header_.records_end;
  lookup.record = kRecordAlignment * Index().Find(lookup.hash, [&](uint64_t payload) {
    // A prefetch never faults; the check keeps the address one that pointer arithmetic allows.
    const uint64_t offset = payload * kRecordAlignment;
    if (offset < end) PrefetchRecordAt(base_, offset);
    return true;
  });
}

void Snapshot::PrefetchValue(const Lookup& lookup) const {
  const uint64_t record = lookup.record;
  const uint64_t end = header_.records_end;
  if (record == 0 || record + 8 > end) return;
  const RecordHead head = UnpackRecordHead(LoadLe<uint64_t>(base_ + record));
  const uint64_t bytes = 8 + RecordExtraBytes(head.flags) + head.key_bytes + head.value_bytes;
  if (bytes > kPrefetchBytes || bytes > end - record) return;
  // The first of these lines holds the byte behind those that were prefetched, wherever they began.
  const uint64_t before = record % 64;
  for (uint64_t at = kFirstLines; at < before + bytes; at += 64) {
    __builtin_prefetch(base_ + record - before + at);
  }
}

void Snapshot::Prefetch(std::span<Lookup> lookups) const {
  for (const Lookup& lookup : lookups) PrefetchBucket(lookup.hash);
  for (Lookup& lookup : lookups) PrefetchRecord(lookup);
  for (const Lookup& lookup : lookups) PrefetchValue(lookup);
}

std::optional<Value> Snapshot::Find(std::string_view key, const Lookup& lookup) const {
  std::optional<Value> found;
  FindInto(key, lookup, found);
  return found;
}

void Snapshot::FindInto(std::string_view key, const Lookup& lookup,
                        std::optional<Value>& found) const {
  found.reset();
  if (lookup.record == 0) return;
  FoundRecord match = MatchRecord(Records(), lookup.record, key);
  // Nobody has looked, or another key with the same tag stands before it.
  if (match.value == nullptr) [[unlikely]] {
    match = Locate(key, lookup.hash);
  }
  if (match.value != nullptr) found.emplace(match.ToValue(key.size(), header_.member_seed));
}

uint64_t Snapshot::Scan(uint64_t cursor, uint64_t count, const EntrySink& entry) const {
  const RecordSpace space = Records();
  const BucketTable index = Index();
  ScanStep step(cursor, count, header_.key_seed);
  const auto visit = [&](uint64_t payload) {
    StoredRecord record;
    if (!ReadRecord(space, payload * kRecordAlignment, record)) return true;
    const ScanStep::Verdict verdict = step.See(Hash(record.key));
    if (verdict == ScanStep::Verdict::kTake) {
      entry({.key = record.key, .value = ToValue(space, record)});
    }
    return verdict != ScanStep::Verdict::kStop;
  };
  const auto upcoming = [&](uint64_t payload) {
    const uint64_t offset = payload * kRecordAlignment;
    if (offset < space.end) PrefetchRecordAt(base_, offset);
  };
  index.WalkFrom(HomeBucket(step.start() << kPositionShift, index.home_buckets()), visit, upcoming);
  return step.next_cursor();
}

std::optional<Entry> Snapshot::RandomEntry(uint64_t random) const {
  if (header_.record_count == 0) return std::nullopt;
  const RecordSpace space = Records();
  const BucketTable index = Index();
  StoredRecord record;
  const auto entry_at = [&](uint64_t bucket, uint64_t slot) -> std::optional<Entry> {
    const uint64_t payload = index.SlotAt(bucket, slot) & kPayloadMask;
    if (payload == 0 || !ReadRecord(space, payload * kRecordAlignment, record)) return std::nullopt;
    return Entry{.key = record.key, .value = ToValue(space, record)};
  };
  // Slots drawn until one is taken: every entry is equally likely. Seven in ten slots of all but
  // the smallest tables are.
  constexpr int kMostDraws = 64;
  for (int draw = 0; draw < kMostDraws; ++draw) {
    const uint64_t bucket = HomeBucket(random, index.total_buckets());
    if (auto entry = entry_at(bucket, random % kSlotsPerBucket)) return entry;
    // One step of a 64-bit linear congruential generator (Knuth's MMIX constants).
    random = random * 6364136223846793005U + 1442695040888963407U;
    random ^= random >> 29;
  }
  const uint64_t start = HomeBucket(random, index.total_buckets());
  for (uint64_t step = 0; step < index.total_buckets(); ++step) {
    const uint64_t bucket = (start + step) % index.total_buckets();
    for (uint64_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      if (auto entry = entry_at(bucket, slot)) return entry;
    }
  }
  return std::nullopt;
}

BucketTable Snapshot::Index() const { return {index_, header_.index_home_buckets}; }

std::optional<Snapshot::MemberList> Snapshot::FindCollection(std::string_view name) const {
  if (header_.directory_bytes == 0) return std::nullopt;
  const std::string_view directory =
      mapping_->bytes().substr(header_.directory_offset, header_.directory_bytes);
  const BucketTable table(directory.data(), header_.directory_home_buckets);
  DirectoryEntry entry;
  const uint64_t payload = table.Find(Hash(name), [&](uint64_t candidate) {
    return ReadDirectoryEntry(directory, candidate * kSectionAlignment, entry) &&
           entry.name == name;
  });
  if (payload == 0) return std::nullopt;
  return MemberList{.slots = directory.data() + entry.members_at, .count = entry.member_count};
}

uint64_t Snapshot::CollectionSize(std::string_view collection) const {
  const auto members = FindCollection(collection);
  return members ? members->count : 0;
}

uint64_t Snapshot::ScanCollection(std::string_view collection, uint64_t cursor, uint64_t count,
                                  const EntrySink& entry) const {
  const auto members = FindCollection(collection);
  if (!members) return 0;
  const RecordSpace space = Records();
  ScanStep step(cursor, count, header_.key_seed);
  // The list tells the upper 16 bits of each hash: enough to begin near the position.
  const uint64_t upper = step.start() << kPositionShift >> kTagShift;
  uint64_t first = 0;
  for (uint64_t last = members->count; first < last;) {
    const uint64_t middle = first + (last - first) / 2;
    if (members->At(middle) >> kTagShift < upper) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  constexpr uint64_t kAhead = 8;
  for (uint64_t number = first; number < members->count; ++number) {
    if (number + kAhead < members->count) {
      const uint64_t ahead = (members->At(number + kAhead) & kPayloadMask) * kRecordAlignment;
      if (ahead < space.end) PrefetchRecordAt(base_, ahead);
    }
    StoredRecord record;
    const uint64_t offset = (members->At(number) & kPayloadMask) * kRecordAlignment;
    if (!ReadRecord(space, offset, record)) continue;
    const ScanStep::Verdict verdict = step.See(Hash(record.key));
    if (verdict == ScanStep::Verdict::kStop) break;
    if (verdict == ScanStep::Verdict::kTake) {
      entry({.key = record.key, .value = ToValue(space, record)});
    }
  }
  return step.next_cursor();
}

}  // namespace larder::snapshot

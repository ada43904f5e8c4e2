#include "snapshot/directory_section.h"

#include "snapshot/live_entries.h"

namespace larder::snapshot {
namespace {

constexpr size_t kPieceBytes = size_t{64} << 10;  // handed to the file at once

}  // namespace

uint64_t DirectorySection::Group::EntryBytes() const {
  return AlignUp(kDirectoryEntryHeadBytes + name_bytes, kSectionAlignment);
}

DirectorySection::DirectorySection(const SectionWorkspace& workspace, const RecordSpace& space,
                                   std::optional<char> separator)
    : workspace_(workspace),
      space_(space),
      separator_(separator),
      groups_(workspace.files, workspace.prefix + "groups" + std::string(io::kTemporarySuffix),
              workspace.memory_bytes / 2),
      lists_(workspace.files, workspace.prefix + "lists" + std::string(io::kTemporarySuffix),
             workspace.memory_bytes / 2) {}

Result<std::string_view> DirectorySection::NameOf(uint64_t payload) const {
  LARDER_ASSIGN(const StoredRecord record, ReadOwnRecord(space_, payload));
  return CollectionOf(record.key, separator_).value_or(std::string_view());
}

Result<void> DirectorySection::Resolve(RunSorter<CollectionEntry>& sorted, Duplicates rule) {
  const auto keep = [&](const CollectionEntry& entry) -> Result<void> {
    if (open_.members == 0 || entry.collection != open_.collection ||
        entry.name_bits() != name_bits_) {
      LARDER_TRY(FinishGroup());
      open_ = {.collection = entry.collection,
               .first_payload = entry.payload & kPayloadMask,
               .members = 0,
               .name_bytes = 0};
      name_bits_ = entry.name_bits();
    }
    ++open_.members;
    return lists_.Add(entry.hash >> kTagShift << kTagShift | (entry.payload & kPayloadMask));
  };
  LARDER_TRY(KeepLive(sorted, space_, rule, keep, [](const StoredRecord&) {}));
  LARDER_TRY(FinishGroup());
  LARDER_TRY(groups_.Finish());
  return lists_.Finish();
}

Result<void> DirectorySection::FinishGroup() {
  if (open_.members == 0) return {};
  LARDER_ASSIGN(const std::string_view name, NameOf(open_.first_payload));
  open_.name_bytes = name.size();
  ++group_count_;
  entries_bytes_ += open_.EntryBytes();
  return groups_.Add(open_);
}

uint64_t DirectorySection::TableBytes() const {
  return (HomeBucketsFor(group_count_) + kSpareBuckets) * kBucketBytes;
}

template <typename Each>
Result<void> DirectorySection::ForEachGroup(Each&& each) const {
  Spool::Reader reader(groups_, workspace_.buffer_bytes);
  uint64_t entry_at = TableBytes();
  for (Group group;;) {
    LARDER_ASSIGN(const bool more, reader.Read(group));
    if (!more) return {};
    LARDER_ASSIGN(const bool go_on, each(group, entry_at));
    if (!go_on) return {};
    entry_at += group.EntryBytes();
  }
}

Result<bool> DirectorySection::Fits() const {
  BucketWriter writer(HomeBucketsFor(group_count_));
  std::string buckets;
  bool fits = true;
  LARDER_TRY(ForEachGroup([&](const Group& group, uint64_t entry_at) -> Result<bool> {
    fits = writer.Add(group.collection, entry_at / kSectionAlignment, buckets);
    if (buckets.size() >= kPieceBytes) buckets.clear();
    return fits;
  }));
  return fits;
}

Result<void> DirectorySection::Write(BlockWriter& out, Header& header) const {
  LARDER_TRY(out.AlignTo(kTableAlignment));
  header.directory_offset = out.size();
  header.collection_count = group_count_;
  if (group_count_ == 0) return {};
  header.directory_home_buckets = HomeBucketsFor(group_count_);
  header.directory_total_buckets = header.directory_home_buckets + kSpareBuckets;
  header.directory_bytes = TableBytes() + entries_bytes_ + lists_.bytes();
  BucketWriter writer(header.directory_home_buckets);
  std::string buckets;
  const auto place = [&](const Group& group, uint64_t entry_at) -> Result<bool> {
    if (!writer.Add(group.collection, entry_at / kSectionAlignment, buckets)) {
      return Fail(ErrorCode::kInternal, "a chain of the collection index is too long after all");
    }
    if (buckets.size() >= kPieceBytes) {
      LARDER_TRY(out.Append(buckets));
      buckets.clear();
    }
    return true;
  };
  LARDER_TRY(ForEachGroup(place));
  writer.Finish(buckets);
  LARDER_TRY(out.Append(buckets));
  LARDER_TRY(WriteEntries(out));
  Spool::Reader lists(lists_, workspace_.buffer_bytes);
  for (;;) {
    LARDER_ASSIGN(const std::string_view piece, lists.Next(kPieceBytes));
    if (piece.empty()) return {};
    LARDER_TRY(out.Append(piece));
  }
}

Result<void> DirectorySection::WriteEntries(BlockWriter& out) const {
  uint64_t members_at = TableBytes() + entries_bytes_;
  std::string entry;
  return ForEachGroup([&](const Group& group, uint64_t) -> Result<bool> {
    LARDER_ASSIGN(const std::string_view name, NameOf(group.first_payload));
    entry.clear();
    AppendLe(entry, static_cast<uint64_t>(name.size()));  // name_bytes and four zeros
    AppendLe(entry, group.members);
    AppendLe(entry, members_at);
    entry.append(name);
    entry.resize(group.EntryBytes());
    members_at += group.members * 8;
    LARDER_TRY(out.Append(entry));
    return true;
  });
}

}  // namespace larder::snapshot

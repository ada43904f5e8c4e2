#include "snapshot/footer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"

namespace larder::snapshot {
namespace {

std::unexpected<Error> Corrupt(std::string message) {
  return Fail(ErrorCode::kCorrupt, std::move(message));
}

Result<void> CheckHeaderPage(std::string_view file) {
  if (file.empty()) return Corrupt("the file is empty, not a Snapshot");
  if (file.substr(0, kHeaderMagic.size()) != kHeaderMagic) {
    return Corrupt("not a Snapshot: the first bytes are not LARDSNAP");
  }
  if (file.size() < kHeaderPageBytes + kFooterBytes) {
    return Corrupt(fmt::format("truncated: {} bytes, a Snapshot has {} or more", file.size(),
                               kHeaderPageBytes + kFooterBytes));
  }
  const std::string_view page = file.substr(0, kHeaderPageBytes);
  const uint64_t expected = LoadLe<uint64_t>(page.data() + kHeaderChecksumAt);
  const uint64_t found = Checksum64(page.substr(0, kHeaderChecksumAt));
  if (found != expected) {
    return Corrupt(fmt::format("bytes 0 to {} are damaged: checksum {:016x}, expected {:016x}",
                               kHeaderPageBytes - 1, found, expected));
  }
  const auto version = LoadLe<uint32_t>(page.data() + kHeaderVersionAt);
  if (version != kFormatVersion) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("format {}; this program reads format {}", version, kFormatVersion));
  }
  return {};
}

Result<void> CheckFooterBytes(std::string_view file) {
  const std::string_view footer = file.substr(file.size() - kFooterBytes);
  if (footer.substr(0, kFooterMagic.size()) != kFooterMagic) {
    return Corrupt(
        fmt::format("truncated or overwritten: no footer at byte {}", file.size() - kFooterBytes));
  }
  const uint64_t expected = LoadLe<uint64_t>(footer.data() + footer_at::kChecksum);
  const uint64_t found = Checksum64(footer.substr(0, footer_at::kChecksum));
  if (found != expected) {
    return Corrupt(
        fmt::format("the footer is damaged: checksum {:016x}, expected {:016x}", found, expected));
  }
  const auto version = LoadLe<uint32_t>(footer.data() + footer_at::kVersion);
  if (version != kFormatVersion) {
    return Corrupt(
        fmt::format("the footer says format {}, the header page {}", version, kFormatVersion));
  }
  // What they would mean is not known here, so nothing in the file is.
  const auto flags = LoadLe<uint32_t>(footer.data() + footer_at::kFlags);
  if ((flags & ~(kFooterFlagSeparator | uint32_t{0xFF} << kFooterSeparatorShift)) != 0) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("the footer has flags that this Larder does not know: {:08x}", flags));
  }
  return {};
}

Header ParseFooter(const char* footer) {
  const auto number = [footer](uint64_t at) { return LoadLe<uint64_t>(footer + at); };
  Header header;
  header.format_version = LoadLe<uint32_t>(footer + footer_at::kVersion);
  const auto flags = LoadLe<uint32_t>(footer + footer_at::kFlags);
  if ((flags & kFooterFlagSeparator) != 0) {
    header.separator = static_cast<char>(flags >> kFooterSeparatorShift & 0xFF);
  }
  header.file_bytes = number(footer_at::kFileBytes);
  header.key_seed = number(footer_at::kKeySeed);
  header.member_seed = number(footer_at::kMemberSeed);
  header.records_end = number(footer_at::kRecordsEnd);
  header.index_offset = number(footer_at::kIndexOffset);
  header.index_home_buckets = number(footer_at::kIndexHomeBuckets);
  header.index_total_buckets = number(footer_at::kIndexTotalBuckets);
  header.directory_offset = number(footer_at::kDirectoryOffset);
  header.directory_bytes = number(footer_at::kDirectoryBytes);
  header.directory_home_buckets = number(footer_at::kDirectoryHomeBuckets);
  header.directory_total_buckets = number(footer_at::kDirectoryTotalBuckets);
  header.collection_count = number(footer_at::kCollectionCount);
  header.metadata_offset = number(footer_at::kMetadataOffset);
  header.metadata_bytes = number(footer_at::kMetadataBytes);
  header.checksums_offset = number(footer_at::kChecksumsOffset);
  header.checksum_count = number(footer_at::kChecksumCount);
  header.checksums_checksum = number(footer_at::kChecksumsChecksum);
  header.record_count = number(footer_at::kRecordCount);
  for (size_t type = 0; type < header.records_by_type.size(); ++type) {
    header.records_by_type[type] = number(footer_at::kRecordsByType + type * 8);
  }
  header.expiries.records = number(footer_at::kExpiringRecords);
  header.expiries.sum_ms = LoadLe<Int128>(footer + footer_at::kExpirySum);
  header.dead_records = number(footer_at::kDeadRecords);
  header.dead_bytes = number(footer_at::kDeadBytes);
  header.longest_chain = number(footer_at::kLongestChain);
  return header;
}

// Whether `bytes` from `offset` on end at or before `limit`, whatever the numbers.
bool Fits(uint64_t offset, uint64_t bytes, uint64_t limit) {
  return offset <= limit && bytes <= limit - offset;
}

// Whether a table of `home` buckets with its spare ones has `total` buckets and fits.
bool TableFits(uint64_t offset, uint64_t home, uint64_t total, uint64_t limit) {
  return home > 0 && offset <= limit && total <= (limit - offset) / kBucketBytes &&
         total > kSpareBuckets && home == total - kSpareBuckets;
}

// The name of the first section that is not where its predecessor ends, or is outside; "" if none.
std::string_view MisplacedSection(const Header& h, uint64_t limit) {
  if (h.records_end < kRecordsOffset || h.records_end > limit ||
      h.records_end % kRecordAlignment != 0) {
    return "records";
  }
  if (h.index_offset != AlignUp(h.records_end, kTableAlignment) ||
      !TableFits(h.index_offset, h.index_home_buckets, h.index_total_buckets, limit)) {
    return "index";
  }
  const uint64_t index_end = h.index_offset + h.index_total_buckets * kBucketBytes;
  if (h.directory_offset != index_end || !Fits(index_end, h.directory_bytes, limit)) {
    return "directory";
  }
  const uint64_t directory_end = h.directory_offset + h.directory_bytes;
  const bool directory = h.directory_bytes != 0;
  if (directory ? !TableFits(h.directory_offset, h.directory_home_buckets,
                             h.directory_total_buckets, directory_end)
                : h.directory_home_buckets != 0 || h.directory_total_buckets != 0 ||
                      h.collection_count != 0) {
    return "directory";
  }
  if (h.metadata_offset != AlignUp(directory_end, kSectionAlignment) ||
      !Fits(h.metadata_offset, h.metadata_bytes, limit)) {
    return "metadata";
  }
  if (h.checksums_offset != AlignUp(h.metadata_offset + h.metadata_bytes, kSectionAlignment) ||
      h.checksums_offset > limit || h.checksum_count != BlockCount(h.checksums_offset) ||
      h.checksums_offset + h.checksum_count * 8 != limit) {
    return "block checksums";
  }
  return "";
}

void Put(std::string& bytes, uint64_t at, uint64_t number) { StoreLe(bytes.data() + at, number); }

}  // namespace

Result<Header> ReadHeader(std::string_view file) {
  LARDER_TRY(CheckHeaderPage(file));
  LARDER_TRY(CheckFooterBytes(file));
  const Header header = ParseFooter(file.data() + file.size() - kFooterBytes);
  if (header.file_bytes != file.size()) {
    return Corrupt(
        fmt::format("the file has {} bytes, its footer says {}", file.size(), header.file_bytes));
  }
  const std::string_view section = MisplacedSection(header, file.size() - kFooterBytes);
  if (!section.empty()) {
    return Corrupt(fmt::format("the footer is wrong: the section \"{}\" is out of place", section));
  }
  return header;
}

std::string MakeHeaderPage() {
  std::string page(kHeaderPageBytes, '\0');
  std::copy(kHeaderMagic.begin(), kHeaderMagic.end(), page.begin());
  StoreLe(page.data() + kHeaderVersionAt, kFormatVersion);
  Put(page, kHeaderChecksumAt, Checksum64(std::string_view(page).substr(0, kHeaderChecksumAt)));
  return page;
}

std::string MakeFooter(const Header& header) {
  std::string footer(kFooterBytes, '\0');
  std::copy(kFooterMagic.begin(), kFooterMagic.end(), footer.begin());
  StoreLe(footer.data() + footer_at::kVersion, kFormatVersion);
  uint32_t flags = 0;
  if (header.separator) {
    flags = kFooterFlagSeparator | uint32_t{static_cast<unsigned char>(*header.separator)}
                                       << kFooterSeparatorShift;
  }
  StoreLe(footer.data() + footer_at::kFlags, flags);
  Put(footer, footer_at::kFileBytes, header.file_bytes);
  Put(footer, footer_at::kKeySeed, header.key_seed);
  Put(footer, footer_at::kMemberSeed, header.member_seed);
  Put(footer, footer_at::kRecordsEnd, header.records_end);
  Put(footer, footer_at::kIndexOffset, header.index_offset);
  Put(footer, footer_at::kIndexHomeBuckets, header.index_home_buckets);
  Put(footer, footer_at::kIndexTotalBuckets, header.index_total_buckets);
  Put(footer, footer_at::kDirectoryOffset, header.directory_offset);
  Put(footer, footer_at::kDirectoryBytes, header.directory_bytes);
  Put(footer, footer_at::kDirectoryHomeBuckets, header.directory_home_buckets);
  Put(footer, footer_at::kDirectoryTotalBuckets, header.directory_total_buckets);
  Put(footer, footer_at::kCollectionCount, header.collection_count);
  Put(footer, footer_at::kMetadataOffset, header.metadata_offset);
  Put(footer, footer_at::kMetadataBytes, header.metadata_bytes);
  Put(footer, footer_at::kChecksumsOffset, header.checksums_offset);
  Put(footer, footer_at::kChecksumCount, header.checksum_count);
  Put(footer, footer_at::kChecksumsChecksum, header.checksums_checksum);
  Put(footer, footer_at::kRecordCount, header.record_count);
  for (size_t type = 0; type < header.records_by_type.size(); ++type) {
    Put(footer, footer_at::kRecordsByType + type * 8, header.records_by_type[type]);
  }
  Put(footer, footer_at::kExpiringRecords, header.expiries.records);
  StoreLe(footer.data() + footer_at::kExpirySum, header.expiries.sum_ms);
  Put(footer, footer_at::kDeadRecords, header.dead_records);
  Put(footer, footer_at::kDeadBytes, header.dead_bytes);
  Put(footer, footer_at::kLongestChain, header.longest_chain);
  Put(footer, footer_at::kChecksum,
      Checksum64(std::string_view(footer).substr(0, footer_at::kChecksum)));
  return footer;
}

std::string MakeMetadata(MetadataPairs pairs) {
  std::sort(pairs.begin(), pairs.end());
  std::string section;
  for (const auto& [name, value] : pairs) {
    const std::string_view stored_name = std::string_view(name).substr(0, UINT16_MAX);
    const std::string_view stored_value = std::string_view(value).substr(0, UINT32_MAX);
    AppendLe(section, static_cast<uint16_t>(stored_name.size()));
    AppendLe(section, static_cast<uint32_t>(stored_value.size()));
    section.append(stored_name).append(stored_value);
  }
  return section;
}

MetadataPairs ParseMetadata(std::string_view section, bool* whole) {
  MetadataPairs pairs;
  while (section.size() >= kMetadataPairHeadBytes) {
    const uint64_t name_bytes = LoadLe<uint16_t>(section.data());
    const uint64_t value_bytes = LoadLe<uint32_t>(section.data() + 2);
    const std::string_view rest = section.substr(kMetadataPairHeadBytes);
    if (name_bytes + value_bytes > rest.size()) break;
    pairs.emplace_back(rest.substr(0, name_bytes), rest.substr(name_bytes, value_bytes));
    section = rest.substr(name_bytes + value_bytes);
  }
  if (whole != nullptr) *whole = section.empty();
  return pairs;
}

}  // namespace larder::snapshot

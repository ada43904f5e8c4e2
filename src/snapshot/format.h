// The numbers of docs/formats/snapshot.md. Each names the section that defines it; a change here
// without a change there, or of a number that stands in files, is a defect.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/file_magic.h"

namespace larder::snapshot {

// "Layout"
inline constexpr uint64_t kHeaderPageBytes = 4096;
inline constexpr uint64_t kRecordsOffset = kHeaderPageBytes;
inline constexpr uint64_t kRecordAlignment = 8;
inline constexpr uint64_t kTableAlignment = 64;
inline constexpr uint64_t kSectionAlignment = 8;
inline constexpr uint32_t kFormatVersion = 1;

// "Header page"
inline constexpr std::string_view kHeaderMagic = kSnapshotMagic;
inline constexpr uint64_t kHeaderVersionAt = 8;
inline constexpr uint64_t kHeaderChecksumAt = kHeaderPageBytes - 8;

// "Footer": where each number stands, from the footer's first byte.
inline constexpr uint64_t kFooterBytes = 512;
inline constexpr std::string_view kFooterMagic = "LARDFOOT";
namespace footer_at {
inline constexpr uint64_t kVersion = 8;
inline constexpr uint64_t kFlags = 12;
inline constexpr uint64_t kFileBytes = 16;
inline constexpr uint64_t kKeySeed = 24;
inline constexpr uint64_t kMemberSeed = 32;
inline constexpr uint64_t kRecordsEnd = 40;
inline constexpr uint64_t kIndexOffset = 48;
inline constexpr uint64_t kIndexHomeBuckets = 56;
inline constexpr uint64_t kIndexTotalBuckets = 64;
inline constexpr uint64_t kDirectoryOffset = 72;
inline constexpr uint64_t kDirectoryBytes = 80;
inline constexpr uint64_t kDirectoryHomeBuckets = 88;
inline constexpr uint64_t kDirectoryTotalBuckets = 96;
inline constexpr uint64_t kCollectionCount = 104;
inline constexpr uint64_t kMetadataOffset = 112;
inline constexpr uint64_t kMetadataBytes = 120;
inline constexpr uint64_t kChecksumsOffset = 128;
inline constexpr uint64_t kChecksumCount = 136;
inline constexpr uint64_t kChecksumsChecksum = 144;
inline constexpr uint64_t kRecordCount = 152;
inline constexpr uint64_t kRecordsByType = 160;
inline constexpr uint64_t kExpiringRecords = 208;
inline constexpr uint64_t kDeadRecords = 216;
inline constexpr uint64_t kDeadBytes = 224;
inline constexpr uint64_t kLongestChain = 232;
inline constexpr uint64_t kExpirySum = 240;
inline constexpr uint64_t kZeros = 256;
inline constexpr uint64_t kChecksum = kFooterBytes - 8;
}  // namespace footer_at
inline constexpr uint32_t kFooterFlagSeparator = 1;
inline constexpr uint32_t kFooterSeparatorShift = 8;

// "Hash"
inline constexpr int kPositionShift = 19;
constexpr uint64_t PositionOf(uint64_t hash) { return hash >> kPositionShift; }

// "Buckets"
inline constexpr uint64_t kBucketBytes = 64;
inline constexpr uint64_t kSlotsPerBucket = 8;
inline constexpr uint64_t kMaxChain = 16;
inline constexpr uint64_t kSpareBuckets = 17;
inline constexpr int kTagShift = 48;
inline constexpr uint64_t kPayloadMask = (uint64_t{1} << kTagShift) - 1;
// ceil(entries / 5.6), at least 1.
constexpr uint64_t HomeBucketsFor(uint64_t entries) {
  const uint64_t buckets = (entries * 5 + 27) / 28;
  return buckets == 0 ? 1 : buckets;
}

// "Record"
inline constexpr int kKeyBytesShift = 40;
inline constexpr int kTypeShift = 57;
inline constexpr int kFlagsShift = 60;
inline constexpr uint64_t kMaxValueBytes = (uint64_t{1} << kKeyBytesShift) - 1;
inline constexpr unsigned kRecordHasExpiry = 1;
inline constexpr unsigned kRecordHasVersion = 2;
inline constexpr unsigned kRecordHasFlags = 4;
inline constexpr unsigned kRecordUnusedFlag = 8;

// "Values"
inline constexpr uint64_t kCollectionHeadBytes = 24;
inline constexpr uint64_t kCollectionCountAt = 0;
inline constexpr uint64_t kCollectionWidthAt = 4;
inline constexpr uint64_t kCollectionWireHeadBytesAt = 5;
inline constexpr uint64_t kCollectionRunBytesAt = 8;
inline constexpr uint64_t kCollectionScoreRunBytesAt = 16;
inline constexpr uint64_t kMemberTableHeadBytes = 4;

// "Collection directory"
inline constexpr uint64_t kDirectoryEntryHeadBytes = 24;
inline constexpr uint64_t kDirectoryNameBytesAt = 0;
inline constexpr uint64_t kDirectoryMemberCountAt = 8;
inline constexpr uint64_t kDirectoryMembersAt = 16;

// "Metadata"
inline constexpr uint64_t kMetadataPairHeadBytes = 6;

// "Block checksums"
inline constexpr uint64_t kBlockBytes = 65536;
constexpr uint64_t BlockCount(uint64_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes; }

// "SCAN cursors"
inline constexpr int kCursorTagBits = 8;
inline constexpr uint64_t kCursorLimit = uint64_t{1} << 53;

}  // namespace larder::snapshot

// The numbers of docs/formats/log.md, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace larder::log {

inline constexpr uint32_t kFormatVersion = 1;
using LogId = std::array<char, 16>;

// "Files"
inline constexpr std::string_view kSegmentSuffix = ".seg";
inline constexpr std::string_view kIndexSuffix = ".idx";
inline constexpr std::string_view kNumbersSuffix = ".numbers";
inline constexpr std::string_view kControlSuffix = ".control";
inline constexpr std::string_view kLockSuffix = ".lock";
inline constexpr std::string_view kTurnSuffix = ".turn";
inline constexpr uint64_t kNumberDigits = 20;
inline constexpr uint64_t kMaxNameBytes = 255;

// So that the number behind any record's is one, too.
inline constexpr uint64_t kMaxNumber = UINT64_MAX - 1;

// All heads of files
inline constexpr uint64_t kHeadVersionAt = 8;
inline constexpr uint64_t kHeadLogIdAt = 16;

// "Segment"
inline constexpr std::string_view kSegmentMagic = "LARDSEGM";
inline constexpr uint64_t kSegmentHeadBytes = 4096;
namespace segment_at {
inline constexpr uint64_t kFirstNumber = 32;
inline constexpr uint64_t kMadeAtMs = 40;
inline constexpr uint64_t kLastBefore = 48;
inline constexpr uint64_t kMayBeMarked = 56;
}  // namespace segment_at
inline constexpr uint64_t kFirstAllocation = uint64_t{16} << 10;

// "Batch"
inline constexpr uint64_t kAlignment = 8;
inline constexpr uint64_t kBatchHeadBytes = 48;
namespace batch_at {
inline constexpr uint64_t kHeadChecksum = 0;
inline constexpr uint64_t kChecked = 8;  // from here to the end of the head
inline constexpr uint64_t kRecordsChecksum = 8;
inline constexpr uint64_t kBytes = 16;
inline constexpr uint64_t kRecords = 20;
inline constexpr uint64_t kFirstNumber = 24;
inline constexpr uint64_t kTimeMs = 32;
inline constexpr uint64_t kSynced = 40;
}  // namespace batch_at
inline constexpr uint64_t kMaxBatchBytes = UINT32_MAX & ~(kAlignment - 1);

// "Record"
inline constexpr uint64_t kRecordHeadBytes = 8;
inline constexpr uint64_t kRecordChecksumAt = 4;
inline constexpr uint32_t kMarkedRecord = uint32_t{1} << 31;  // in the word of its length
inline constexpr uint64_t kMaxRecordBytes = kMarkedRecord - 1;
inline constexpr uint64_t kNumberFactor = 0x9E3779B97F4A7C15;
constexpr uint64_t RecordSpace(uint64_t data_bytes) {
  return AlignUp(kRecordHeadBytes + data_bytes, kAlignment);
}

// "Index"
inline constexpr std::string_view kIndexMagic = "LARDLIDX";
inline constexpr uint64_t kIndexHeadBytes = 64;
inline constexpr uint64_t kIndexEntryBytes = 4;
inline constexpr uint64_t kFirstIndexAllocation = uint64_t{4} << 10;
inline constexpr uint64_t kMaxSegmentBytes = (uint64_t{UINT32_MAX} + 1) * kAlignment;

// "Numbers"
inline constexpr std::string_view kNumbersMagic = "LARDNUMS";
inline constexpr uint64_t kSmallFileBytes = 64;
inline constexpr uint64_t kIndexNumberAt = 32;
inline constexpr uint64_t kReservedAt = 32;
inline constexpr uint64_t kNumbersSyncedAt = 40;
inline constexpr uint64_t kNumbersBootAt = 48;

inline constexpr uint64_t kNumbersReservedAhead = uint64_t{1} << 20;

// "Control"
inline constexpr std::string_view kControlMagic = "LARDCTRL";
inline constexpr uint64_t kControlBytes = 4096;
namespace control_at {
inline constexpr uint64_t kVersion = 8;
inline constexpr uint64_t kState = 12;
inline constexpr uint64_t kLogId = 16;
inline constexpr uint64_t kBoot = 32;
inline constexpr uint64_t kReserved = 40;
inline constexpr uint64_t kSegment = 48;
inline constexpr uint64_t kEnd = 56;
inline constexpr uint64_t kCommitted = 64;
inline constexpr uint64_t kSynced = 72;
inline constexpr uint64_t kAppending = 80;
inline constexpr uint64_t kSegmentChanges = 84;
inline constexpr uint64_t kRecoveries = 88;
inline constexpr uint64_t kAnnouncements = 128;
inline constexpr uint64_t kSleepers = 132;
}  // namespace control_at

}  // namespace larder::log

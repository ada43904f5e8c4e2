#include "log/small_files.h"

#include <algorithm>
#include <charconv>
#include <random>

#include <fmt/format.h>

#include "base/hash.h"
#include "io/file_system.h"
#include "log/fixed_head.h"

namespace larder::log {
namespace {

constexpr std::string_view kBeforeNumber = "-";
static_assert(kSegmentSuffix.size() == kIndexSuffix.size());
constexpr uint64_t kLongestEnding =
    kBeforeNumber.size() + kNumberDigits + kSegmentSuffix.size() + io::kTemporarySuffix.size();

bool CanBeNumber(uint64_t number) { return number >= 1 && number <= kMaxNumber; }

std::string Name(std::string_view prefix, std::string_view suffix) {
  std::string name(prefix);
  name += suffix;
  return name;
}

std::string NumberedName(std::string_view prefix, uint64_t number, std::string_view suffix) {
  return fmt::format("{}{}{:0{}}{}", prefix, kBeforeNumber, number, kNumberDigits, suffix);
}

// "-NUMBER" and one of the two suffixes.
std::optional<FileName> ParseNumbered(std::string_view ending) {
  if (ending.size() != kBeforeNumber.size() + kNumberDigits + kSegmentSuffix.size() ||
      !ending.starts_with(kBeforeNumber)) {
    return std::nullopt;
  }
  const std::string_view suffix = ending.substr(kBeforeNumber.size() + kNumberDigits);
  if (suffix != kSegmentSuffix && suffix != kIndexSuffix) return std::nullopt;
  FileName name{.role = suffix == kSegmentSuffix ? FileRole::kSegment : FileRole::kIndex};
  const char* const first = ending.data() + kBeforeNumber.size();
  const char* const end = first + kNumberDigits;
  // Takes digits only, and no number that does not fit.
  const auto [parsed_to, error] = std::from_chars(first, end, name.number);
  if (error != std::errc() || parsed_to != end || !CanBeNumber(name.number)) return std::nullopt;
  return name;
}

}  // namespace

Result<void> CheckPrefix(std::string_view prefix) {
  constexpr uint64_t kMaxPrefixBytes = kMaxNameBytes - kLongestEnding;
  if (prefix.empty() || prefix.size() > kMaxPrefixBytes ||
      prefix.find('/') != std::string_view::npos || prefix.find('\0') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a log's prefix has 1 to {} bytes and neither / nor a zero among them",
                            kMaxPrefixBytes));
  }
  return {};
}

std::string SegmentName(std::string_view prefix, uint64_t number) {
  return NumberedName(prefix, number, kSegmentSuffix);
}

std::string IndexName(std::string_view prefix, uint64_t number) {
  return NumberedName(prefix, number, kIndexSuffix);
}

std::string NumbersName(std::string_view prefix) { return Name(prefix, kNumbersSuffix); }
std::string ControlName(std::string_view prefix) { return Name(prefix, kControlSuffix); }
std::string LockName(std::string_view prefix) { return Name(prefix, kLockSuffix); }
std::string TurnName(std::string_view prefix) { return Name(prefix, kTurnSuffix); }

std::optional<FileName> ParseFileName(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  std::string_view ending = name.substr(prefix.size());
  const bool temporary = ending.ends_with(io::kTemporarySuffix);
  if (temporary) ending.remove_suffix(io::kTemporarySuffix.size());
  std::optional<FileName> found;
  if (ending == kNumbersSuffix) found = FileName{.role = FileRole::kNumbers};
  if (ending == kControlSuffix) found = FileName{.role = FileRole::kControl};
  if (ending == kLockSuffix) found = FileName{.role = FileRole::kLock};
  if (!found) found = ParseNumbered(ending);
  if (found) found->temporary = temporary;
  return found;
}

LogFiles FindLogFiles(std::string_view prefix, const std::vector<std::string>& names) {
  LogFiles files;
  for (const std::string& name : names) {
    const auto parsed = ParseFileName(prefix, name);
    if (!parsed) continue;
    if (parsed->temporary) {
      files.temporaries.push_back(name);
    } else if (parsed->role == FileRole::kSegment) {
      files.segments.push_back(parsed->number);
    } else if (parsed->role == FileRole::kIndex) {
      files.indexes.push_back(parsed->number);
    } else if (parsed->role == FileRole::kNumbers) {
      files.has_numbers = true;
    }
  }
  std::ranges::sort(files.segments);
  std::ranges::sort(files.indexes);
  return files;
}

std::string MakeIndexHead(const IndexHead& head) {
  std::string bytes = BeginHead(kIndexMagic, head.id, kIndexHeadBytes);
  StoreLe(bytes.data() + kIndexNumberAt, head.first_number);
  SealHead(bytes);
  return bytes;
}

Result<IndexHead> ReadIndexHead(std::string_view index, std::string_view name) {
  if (index.size() < kIndexHeadBytes) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{}: {} bytes, an index has {} or more", name,
                                                 index.size(), kIndexHeadBytes));
  }
  const std::string_view bytes = index.substr(0, kIndexHeadBytes);
  LARDER_TRY(CheckHead(bytes, kIndexMagic, name));
  const IndexHead head{.id = LogIdOfHead(bytes),
                       .first_number = LoadLe<uint64_t>(bytes.data() + kIndexNumberAt)};
  LARDER_TRY(CheckRemade(bytes, CanBeNumber(head.first_number) ? MakeIndexHead(head) : "", name));
  return head;
}

LogId NewLogId() {
  std::random_device random;
  LogId id;
  for (size_t i = 0; i < id.size(); i += sizeof(uint32_t))
    StoreLe(id.data() + i, uint32_t{random()});
  return id;
}

uint64_t BootChecksum(std::string_view boot_id) {
  const uint64_t checksum = Checksum64(boot_id);
  return checksum == 0 ? 1 : checksum;
}

std::string MakeNumbersFile(const Numbers& numbers) {
  std::string bytes = BeginHead(kNumbersMagic, numbers.id, kSmallFileBytes);
  StoreLe(bytes.data() + kReservedAt, numbers.reserved);
  StoreLe(bytes.data() + kNumbersSyncedAt, numbers.synced);
  StoreLe(bytes.data() + kNumbersBootAt, numbers.boot);
  SealHead(bytes);
  return bytes;
}

Result<Numbers> ReadNumbersFile(std::string_view bytes, std::string_view name) {
  if (bytes.size() != kSmallFileBytes) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: {} bytes, not {}", name, bytes.size(), kSmallFileBytes));
  }
  LARDER_TRY(CheckHead(bytes, kNumbersMagic, name));
  const Numbers numbers{.id = LogIdOfHead(bytes),
                        .reserved = LoadLe<uint64_t>(bytes.data() + kReservedAt),
                        .synced = LoadLe<uint64_t>(bytes.data() + kNumbersSyncedAt),
                        .boot = LoadLe<uint64_t>(bytes.data() + kNumbersBootAt)};
  const bool can_be = numbers.reserved <= kMaxNumber && numbers.synced <= numbers.reserved;
  LARDER_TRY(CheckRemade(bytes, can_be ? MakeNumbersFile(numbers) : "", name));
  return numbers;
}

}  // namespace larder::log

// The fixed pages and the small sections of a Snapshot: header page, footer, metadata, directory
// entries. Reading checks every bound with arithmetic that hostile numbers cannot overflow.
// Format: docs/formats/snapshot.md, "Header page", "Footer", "Metadata", "Collection directory"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "snapshot/format.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {

// The footer of a whole file. Errors: kCorrupt, kUnsupported.
Result<Header> ReadHeader(std::string_view file);

std::string MakeHeaderPage();
std::string MakeFooter(const Header& header);

using MetadataPairs = std::vector<std::pair<std::string, std::string>>;
// Sorted by name; names of more than 65,535 bytes and values past 4 GiB are cut.
std::string MakeMetadata(MetadataPairs pairs);
// As many pairs as are whole; `whole` says whether they fill the section.
MetadataPairs ParseMetadata(std::string_view section, bool* whole = nullptr);

struct DirectoryEntry {
  std::string_view name;
  uint64_t member_count = 0;
  uint64_t members_at = 0;
};

// False when no well-formed entry stands at `at` (below 2^52) or its members are outside.
inline bool ReadDirectoryEntry(std::string_view directory, uint64_t at, DirectoryEntry& entry) {
  if (at + kDirectoryEntryHeadBytes > directory.size()) return false;
  const char* head = directory.data() + at;
  const uint64_t name_bytes = LoadLe<uint32_t>(head + kDirectoryNameBytesAt);
  entry.member_count = LoadLe<uint64_t>(head + kDirectoryMemberCountAt);
  entry.members_at = LoadLe<uint64_t>(head + kDirectoryMembersAt);
  if (name_bytes > directory.size() - at - kDirectoryEntryHeadBytes) return false;
  if (entry.members_at > directory.size()) return false;
  if (entry.member_count > (directory.size() - entry.members_at) / 8) return false;
  entry.name = {head + kDirectoryEntryHeadBytes, name_bytes};
  return true;
}

}  // namespace larder::snapshot

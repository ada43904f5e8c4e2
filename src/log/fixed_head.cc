#include "log/fixed_head.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace larder::log {
namespace {

constexpr uint64_t kChecksumBytes = 8;

}  // namespace

std::string BeginHead(std::string_view magic, const LogId& id, uint64_t bytes) {
  std::string head(bytes, '\0');
  magic.copy(head.data(), magic.size());
  StoreLe(head.data() + kHeadVersionAt, kFormatVersion);
  StoreLe(head.data() + kHeadLogIdAt, id);
  return head;
}

void SealHead(std::string& head) {
  const uint64_t at = head.size() - kChecksumBytes;
  StoreLe(head.data() + at, Checksum64(std::string_view(head).substr(0, at)));
}

Result<void> CheckHead(std::string_view head, std::string_view magic, std::string_view name) {
  if (head.substr(0, magic.size()) != magic) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{}: the first bytes are not {}", name, magic));
  }
  const uint64_t at = head.size() - kChecksumBytes;
  const auto expected = LoadLe<uint64_t>(head.data() + at);
  const uint64_t found = Checksum64(head.substr(0, at));
  if (found != expected) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: bytes 0 to {} are damaged: checksum {:016x}, expected {:016x}",
                            name, head.size() - 1, found, expected));
  }
  const auto version = LoadLe<uint32_t>(head.data() + kHeadVersionAt);
  if (version != kFormatVersion) {
    return Fail(ErrorCode::kUnsupported, fmt::format("{}: format {}; this program reads format {}",
                                                     name, version, kFormatVersion));
  }
  return {};
}

LogId LogIdOfHead(std::string_view head) { return LoadLe<LogId>(head.data() + kHeadLogIdAt); }

Result<void> CheckRemade(std::string_view head, std::string_view remade, std::string_view name) {
  if (head == remade) return {};
  return Fail(ErrorCode::kCorrupt,
              fmt::format("{}: its head has a right checksum and values that cannot be", name));
}

}  // namespace larder::log

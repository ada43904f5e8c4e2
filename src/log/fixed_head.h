// What the heads of a log's files have in common: a magic, the format's version, a checksum at the
// end.
//
// Errors:     kCorrupt, kUnsupported (a newer format); the message begins with the given file name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "log/format.h"

namespace larder::log {

// `bytes` of zeros with magic, version and log id.
std::string BeginHead(std::string_view magic, const LogId& id, uint64_t bytes);
// Puts the checksum into the last 8 bytes.
void SealHead(std::string& head);

// Whether `head` is whole and of a version that is known.
Result<void> CheckHead(std::string_view head, std::string_view magic, std::string_view name);
LogId LogIdOfHead(std::string_view head);

// Compares with what a writer would have made of the same values: no bit means nothing.
Result<void> CheckRemade(std::string_view head, std::string_view remade, std::string_view name);

}  // namespace larder::log

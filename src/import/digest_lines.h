// The text of a digest file, as md5sum and sha256sum write it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"

namespace larder::importer {

inline constexpr size_t kMd5Digits = 32;
inline constexpr size_t kSha256Digits = 64;

// The digest (lower case) that `text` gives for the file `name`: the bare digest, when that is all;
// otherwise that of the line which ends in this name ("HEX  name", "HEX *name", in front of a name
// with escapes a backslash). A directory in front of the name is not looked at. Errors: kRefused,
// also when two lines disagree.
Result<std::string> FindDigest(std::string_view text, std::string_view name, size_t digits);

}  // namespace larder::importer

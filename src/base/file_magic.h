// First bytes by which a file of Larder's own is told from foreign ones.
#pragma once

#include <string_view>

namespace larder {

// docs/formats/snapshot.md, "Header page".
inline constexpr std::string_view kSnapshotMagic = "LARDSNAP";

}  // namespace larder

// JSON for scripts: one document on stdout (nlohmann-json underneath).
#pragma once

#include <nlohmann/json.hpp>

namespace larder::cli {

using Json = nlohmann::ordered_json;

// Two-space indented, a newline at the end. Bytes that are not UTF-8 become U+FFFD: JSON has no
// other place for them.
void PrintJson(const Json& document);

}  // namespace larder::cli

#include "cli/json.h"

#include <cstdio>

#include <fmt/format.h>

namespace larder::cli {

void PrintJson(const Json& document) {
  constexpr int kIndent = 2;
  fmt::print("{}\n", document.dump(kIndent, ' ', false, Json::error_handler_t::replace));
}

}  // namespace larder::cli

// Times as the subcommands read and print them.
#pragma once

#include <cstdint>
#include <string>

namespace larder::cli {

// Unix time, now.
int64_t NowMs();
// "2026-03-01T12:00:00Z".
std::string TimeText(int64_t unix_ms);

}  // namespace larder::cli

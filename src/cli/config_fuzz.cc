// Arbitrary bytes as a configuration: accepted or refused with a place, never a fault.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "cli/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto config = larder::cli::ParseConfig(text, "larder.toml");
  if (!config && !config.error().message().starts_with("larder.toml:")) std::abort();
  if (config && config->server.listeners.empty()) std::abort();
  return 0;
}

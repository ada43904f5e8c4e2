#include "server/resident_memory.h"

#include <array>
#include <charconv>
#include <string_view>

#include <unistd.h>

#include "io/file_system.h"

namespace larder::server {
namespace {

// Takes the number at the begin of `text` off, and the blank behind it.
uint64_t TakeNumber(std::string_view& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return error == std::errc() ? number : 0;
}

}  // namespace

ResidentBytes ResidentMemory() {
  auto file = io::RealFileSystem().OpenForRead("/proc/self/statm");
  if (!file) return {};
  std::array<char, 128> buffer{};
  const auto bytes = (*file)->ReadAt(0, buffer.data(), buffer.size());
  // "total resident shared ...", in pages.
  std::string_view text(buffer.data(), bytes ? *bytes : 0);
  TakeNumber(text);
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const uint64_t resident = TakeNumber(text);
  const uint64_t of_files = TakeNumber(text);
  return {.total = resident * page, .of_files = of_files * page};
}

}  // namespace larder::server

#include "command/monitor_line.h"

#include <iterator>

#include <fmt/format.h>

namespace larder::command {
namespace {

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;

// As Redis quotes: what C has a letter for, everything else that is not printable ASCII as \xNN.
void AppendQuoted(std::string_view text, std::string& line) {
  line += '"';
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        line.append({'\\', c});
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\a':
        line += "\\a";
        break;
      case '\b':
        line += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          line += c;
        } else {
          fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  line += '"';
}

}  // namespace

std::string MonitorLine(int64_t unix_us, uint32_t database, std::string_view address,
                        Arguments args) {
  std::string line = fmt::format("{}.{:06} [{} {}]", unix_us / kMicrosecondsPerSecond,
                                 unix_us % kMicrosecondsPerSecond, database, address);
  for (const std::string_view argument : args) {
    line += ' ';
    AppendQuoted(argument, line);
  }
  return line;
}

}  // namespace larder::command

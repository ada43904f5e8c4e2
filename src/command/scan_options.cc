#include "command/scan_options.h"

#include "base/glob.h"
#include "command/arguments.h"

namespace larder::command {

bool ScanOptions::Matches(std::string_view text) const {
  return !pattern || GlobMatches(*pattern, text);
}

std::optional<uint64_t> ReadCursor(Context& context, std::string_view text) {
  const auto cursor = ParseCursor(text);
  if (!cursor) context.reply.Error("ERR invalid cursor");
  return cursor;
}

std::optional<ScanOptions> ReadScanOptions(Context& context, Arguments options, bool with_type) {
  ScanOptions read;
  for (size_t i = 0; i < options.size(); i += 2) {
    const bool has_value = i + 1 < options.size();
    if (has_value && IsOption(options[i], "count")) {
      const auto count = ParseInteger(options[i + 1]);
      if (!count || *count < 1) {
        context.reply.Error(count ? kSyntaxError : kNotAnInteger);
        return std::nullopt;
      }
      read.count = static_cast<uint64_t>(*count);
    } else if (has_value && IsOption(options[i], "match")) {
      read.pattern.reset();
      if (options[i + 1] != "*") read.pattern = options[i + 1];
    } else if (has_value && with_type && IsOption(options[i], "type")) {
      read.type = options[i + 1];
    } else {
      context.reply.Error(kSyntaxError);
      return std::nullopt;
    }
  }
  return read;
}

}  // namespace larder::command

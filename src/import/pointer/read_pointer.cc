#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "import/importer.h"
#include "import/pointer/pointer_text.h"

namespace larder::importer {
namespace {

std::string Resolve(const std::string& name, const std::string& pointer_path) {
  if (name.empty() || name.starts_with('/')) return name;
  const size_t slash = pointer_path.find_last_of('/');
  return slash == std::string::npos ? name : pointer_path.substr(0, slash + 1) + name;
}

Error FaultAt(const std::string& path, std::string_view text, const PointerFault& fault) {
  const std::string_view before = text.substr(0, fault.offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const size_t newline = before.find_last_of('\n');
  const size_t column =
      newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return {ErrorCode::kCorrupt,
          fmt::format("{}:{}:{}: {}; a pointer file is {{\"records_file_name\":\"...\", "
                      "\"index_file_name\":\"...\"}}",
                      path, line, column, fault.reason)};
}

}  // namespace

Result<Pointer> ReadPointer(io::FileSystem& files, const std::string& path) {
  auto text = io::ReadWholeFile(files, path, kMaxPointerBytes);
  if (!text) {
    if (text.error().code() != ErrorCode::kLimit) return std::unexpected(std::move(text).error());
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: a pointer file has at most {} bytes", path, kMaxPointerBytes));
  }
  const auto names = ParsePointer(*text);
  if (!names) return std::unexpected(FaultAt(path, *text, names.error()));
  return Pointer{Resolve(names->records, path), Resolve(names->index, path)};
}

}  // namespace larder::importer

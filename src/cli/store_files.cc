#include "cli/store_files.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataset/state_file.h"
#include "io/file_system.h"

namespace larder::cli {

namespace {

using dataset::VersionInfo;

std::string NumbersOf(const StoreFiles& files) {
  std::vector<std::string> numbers;
  numbers.reserve(files.versions.size());
  for (const VersionInfo& version : files.versions) {
    numbers.push_back(fmt::format("{}{}", version.number,
                                  version.current   ? " (current)"
                                  : version.refused ? " (refused)"
                                                    : ""));
  }
  return numbers.empty() ? "none" : fmt::format("{}", fmt::join(numbers, ", "));
}

std::unexpected<Error> NoVersion(const StoreFiles& files, std::string_view what) {
  return Fail(ErrorCode::kNotFound,
              fmt::format("{} has no {}; its versions: {}", files.store, what, NumbersOf(files)));
}

template <typename Test>
std::optional<VersionInfo> Newest(const StoreFiles& files, Test test) {
  for (const VersionInfo& version : files.versions | std::views::reverse) {
    if (test(version)) return version;
  }
  return std::nullopt;
}

// What STATE says; when it cannot be read, the newest good version counts as current, as it does
// for whoever opens the directory.
void MarkStates(const std::string& directory, StoreFiles& files) {
  const auto bytes = io::ReadWholeFile(io::RealFileSystem(),
                                       fmt::format("{}/{}", directory, dataset::kStateFileName),
                                       dataset::kMaxStateBytes);
  const auto state = bytes ? dataset::ParseState(*bytes) : std::unexpected(bytes.error());
  for (VersionInfo& version : files.versions) {
    version.current = state && version.number == state->current;
    version.damaged = state && state->damaged.contains(version.number);
    if (version.current) version.refused = false;
  }
  if (state && state->current != 0) return;
  const auto newest = Newest(files, [](const VersionInfo& version) { return !version.refused; });
  for (VersionInfo& version : files.versions) {
    version.current = newest && version.number == newest->number;
  }
}

}  // namespace

Result<StoreFiles> ReadStoreDirectory(const std::string& store, const std::string& directory) {
  StoreFiles files{.store = store, .directory = directory, .versions = {}};
  LARDER_ASSIGN(const std::vector<std::string> names, io::RealFileSystem().List(directory));
  const auto is_refused = [&names](uint64_t number) {
    return std::ranges::binary_search(names, dataset::VerdictFileName(number));
  };
  for (const std::string& name : names) {
    const auto number = dataset::ParseVersionFileName(name);
    if (!number) continue;
    VersionInfo& version = files.versions.emplace_back();
    version.number = *number;
    version.refused = is_refused(*number);
  }
  std::ranges::sort(files.versions, {}, &VersionInfo::number);
  MarkStates(directory, files);
  return files;
}

std::optional<VersionInfo> CurrentVersion(const StoreFiles& files) {
  return Newest(files, [](const VersionInfo& version) { return version.current; });
}

std::optional<VersionInfo> PreviousVersion(const StoreFiles& files) {
  const auto current = CurrentVersion(files);
  if (!current) return std::nullopt;
  return Newest(files, [&current](const VersionInfo& version) {
    return version.number < current->number && !version.refused && !version.damaged;
  });
}

std::optional<VersionInfo> RefusedVersion(const StoreFiles& files) {
  return Newest(files, [](const VersionInfo& version) { return version.refused; });
}

Result<VersionInfo> ChooseVersion(const StoreFiles& files, std::string_view which) {
  std::optional<VersionInfo> chosen;
  if (which.empty() || which == "current") {
    chosen = CurrentVersion(files);
    return chosen ? Result<VersionInfo>(*chosen) : NoVersion(files, "current version");
  }
  if (which == "previous") {
    chosen = PreviousVersion(files);
    return chosen ? Result<VersionInfo>(*chosen) : NoVersion(files, "version before the current");
  }
  if (which == "refused") {
    chosen = RefusedVersion(files);
    return chosen ? Result<VersionInfo>(*chosen) : NoVersion(files, "refused version");
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), number);
  if (error != std::errc() || end != which.data() + which.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}@{}: expected a number, current, previous or refused behind the @",
                            files.store, which));
  }
  chosen = Newest(files, [number](const VersionInfo& version) { return version.number == number; });
  return chosen ? Result<VersionInfo>(*chosen)
                : NoVersion(files, fmt::format("version {}", number));
}

}  // namespace larder::cli

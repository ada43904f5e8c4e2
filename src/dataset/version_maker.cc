#include "dataset/version_maker.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "dataset/snapshot_copy.h"
#include "dataset/state_file.h"
#include "snapshot/verify.h"

namespace larder::dataset {

namespace {

using importer::Format;

void LogSkipped(const Options& options, const importer::ImportOutcome& outcome) {
  if (outcome.skipped_lines == 0) return;
  LogWarning(fmt::format("dataset {}: {} bad lines of {} were skipped; the first {}:", options.name,
                         outcome.skipped_lines, options.source, outcome.bad_lines.size()));
  for (const std::string& line : outcome.bad_lines) {
    LogWarning(fmt::format("dataset {}: skipped {}", options.name, line));
  }
}

std::string SeparatorText(std::optional<char> separator) {
  return separator ? fmt::format("\"{}\"", *separator) : "none";
}

}  // namespace

Result<VersionMaker::Made> VersionMaker::Make(const Options& options, const SourceSight& sight,
                                              bool reread) {
  if (sight.problem) return std::unexpected(*sight.problem);
  std::optional<importer::SourceIdentity> identity;
  if (!reread) identity = Recognise(sight);
  if (!identity) {
    LARDER_ASSIGN(identity, Identify(sight));
  }
  const ContentKey content{.source_checksum = identity->checksum,
                           .import_options = ImportOptionsText(options, sight.files.format),
                           .source_mtime_ns = identity->info.mtime_ns};
  const auto known = versions_.FindContent(content);
  Made made{.number = known.value_or(0), .compiled = false};
  if (!known) {
    LARDER_ASSIGN(made, MakeAnew(options, {.files = sight.files, .identity = *identity}));
  }
  Remember(sight, *identity);
  return made;
}

std::optional<importer::SourceIdentity> VersionMaker::Recognise(const SourceSight& sight) const {
  for (const Remembered& known : remembered_) {
    if (known.data == sight.data) return known.identity;
  }
  return std::nullopt;
}

// Only what has a name of its own: under the one name of a plain source, another file with the
// size, time and inode of an earlier one is not unlikely enough.
void VersionMaker::Remember(const SourceSight& sight, const importer::SourceIdentity& identity) {
  if (sight.files.format != Format::kPointer) return;
  std::erase_if(remembered_, [&](const Remembered& known) { return known.data == sight.data; });
  if (remembered_.size() == kRememberedData) remembered_.erase(remembered_.begin());
  remembered_.push_back({sight.data, identity});
}

Result<importer::SourceIdentity> VersionMaker::Identify(const SourceSight& sight) const {
  const SeenFile& data = sight.data.front();
  auto identity =
      IdentifyData(files_, data.path, [this](uint64_t, uint64_t) { return !cancelled_.load(); });
  if (!identity) {
    if (data.path == sight.source.path) return identity;
    return std::unexpected(
        identity.error().Within(fmt::format("what {} names", sight.source.path)));
  }
  if (data.info == identity->info) return identity;
  return Fail(ErrorCode::kRefused, fmt::format("{} changed while it was read", data.path));
}

Result<VersionMaker::Made> VersionMaker::MakeAnew(const Options& options, IdentifiedSource source) {
  LARDER_TRY(CheckDirectory(options));
  LARDER_ASSIGN(const VersionSwitch::Birth birth, versions_.PrepareVersion());
  board_.ShowCompiling(true);
  const auto done = source.files.format == Format::kSnapshot
                        ? Copy(options, std::move(source), birth)
                        : Compile(options, std::move(source), birth);
  board_.ShowCompiling(false);
  if (!done) return std::unexpected(done.error());
  return Made{.number = birth.number, .compiled = true};
}

// Made anew here it would be another directory than the one that is locked.
Result<void> VersionMaker::CheckDirectory(const Options& options) const {
  const auto info = files_.Stat(options.directory);
  if (info || info.error().code() != ErrorCode::kNotFound) return {};
  return Fail(ErrorCode::kNotFound,
              fmt::format("{}, where versions are kept, was removed: {} cannot be taken; what is "
                          "served is served on, a restart makes the directory anew",
                          options.directory, options.source));
}

Result<void> VersionMaker::Compile(const Options& options, IdentifiedSource source,
                                   const VersionSwitch::Birth& birth) {
  LogInfo(fmt::format("dataset {}: compiling {} as version {}", options.name, source.files.data,
                      birth.number));
  auto built = CompileSource(files_, options,
                             {.path = birth.path,
                              .source = std::move(source),
                              .key_seed = birth.key_seed,
                              .member_seed = birth.member_seed,
                              .cancelled = &cancelled_});
  if (built && board_.current() != nullptr) {
    if (auto sound = VerifyWhole(options, birth.path); !sound) {
      built = std::unexpected(sound.error());
    }
  }
  if (!built) {
    // A publish that failed half-way may have left the file under its name.
    std::ignore = files_.Remove(birth.path);
    return std::unexpected(built.error());
  }
  LogSkipped(options, built->import);
  LogInfo(fmt::format("dataset {}: version {} has {} records ({} duplicates) in {} bytes",
                      options.name, birth.number, built->records, built->duplicates,
                      built->file_bytes));
  return {};
}

Result<void> VersionMaker::Copy(const Options& options, IdentifiedSource source,
                                const VersionSwitch::Birth& birth) {
  LogInfo(fmt::format("dataset {}: copying {} as version {}", options.name, source.files.data,
                      birth.number));
  LARDER_ASSIGN(const SnapshotCopyReport copied,
                CopySnapshot(files_, {.source = source.files.data,
                                      .identity = std::move(source.identity),
                                      .path = birth.path,
                                      .origin_path = fmt::format("{}/{}", options.directory,
                                                                 OriginFileName(birth.number)),
                                      .cancelled = &cancelled_,
                                      .progress = options.progress}));
  if (copied.separator != options.separator) {
    LogInfo(fmt::format("dataset {}: {} was built with the separator {}, which counts, not {}",
                        options.name, source.files.data, SeparatorText(copied.separator),
                        SeparatorText(options.separator)));
  }
  LogInfo(fmt::format("dataset {}: version {} has {} records in {} bytes", options.name,
                      birth.number, copied.records, copied.file_bytes));
  return {};
}

// The builder has looked every key up; this reads everything else too, as long as somebody else
// serves meanwhile.
Result<void> VersionMaker::VerifyWhole(const Options& options, const std::string& path) const {
  const auto goes = [&](double share) {
    if (options.progress) options.progress("verify", share);
    return !cancelled_.load();
  };
  if (!goes(0)) return Fail(ErrorCode::kCancelled, "verifying was cancelled");
  LARDER_ASSIGN(const auto snapshot, snapshot::Snapshot::Open(files_, path));
  const auto whole = static_cast<double>(snapshot->header().file_bytes);
  LARDER_TRY(
      snapshot::Verify(*snapshot, {.threads = options.threads, .progress = [&](uint64_t done) {
                                     return goes(static_cast<double>(done) / whole);
                                   }}));
  if (!snapshot->damaged()) return {};
  return Fail(ErrorCode::kIoError, fmt::format("{}: a page could not be read back", path));
}

}  // namespace larder::dataset

#include "dataset/source_taker.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "dataset/compile.h"

namespace larder::dataset {

namespace {

// Whether the same file may well be taken another time.
bool MayPass(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kBusy:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kNoSpace:
    case ErrorCode::kIoError:
      return true;
    default:
      return false;
  }
}

Result<std::optional<io::FileInfo>> StatIfThere(io::FileSystem& files, const std::string& path) {
  const auto info = files.Stat(path);
  if (info) return std::optional(*info);
  if (info.error().code() == ErrorCode::kNotFound) return std::nullopt;
  return std::unexpected(info.error());
}

Result<void> CheckDigest(const std::string& source, std::string_view suffix,
                         const std::optional<std::string>& expected,
                         const std::optional<std::string>& found) {
  if (!expected || expected == found) return {};
  return Fail(ErrorCode::kRefused,
              fmt::format("{} does not match {}{}: {} is expected, it has {}", source, source,
                          suffix, *expected, found.value_or("none")));
}

}  // namespace

SourceTaker::SourceTaker(io::FileSystem& files, const Options& options, VersionSwitch& versions,
                         StatusBoard& board)
    : files_(files), options_(options), versions_(versions), board_(board) {}

Result<SwitchReport> SourceTaker::Look(bool at_once) {
  MutexLock lock(mutex_);
  board_.ShowCheck();
  versions_.SaveAgain();
  if (options_.source.empty()) {
    if (!at_once) return versions_.Unchanged();
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("dataset {} has no source to load", options_.name));
  }
  const auto sight = See();
  if (!sight) {
    // A file that appears from here on may still be growing: only the first look takes at once.
    looked_ = true;
    seen_.reset();
    board_.ShowAttempt(sight.error().message());
    return std::unexpected(sight.error());
  }
  if (!IsDue(*sight, at_once)) return versions_.Unchanged();
  outcome_.reset();
  auto report = Take(*sight);
  if (report) {
    outcome_ = Outcome{*sight, ""};
    retry_.reset();
    board_.ShowAttempt("");
  } else {
    Conclude(*sight, report.error());
  }
  return report;
}

void SourceTaker::Resume() {
  MutexLock lock(mutex_);
  cancelled_.store(false);
}

Result<SourceTaker::Sight> SourceTaker::See() const {
  LARDER_ASSIGN(const io::FileInfo source, files_.Stat(options_.source));
  if (source.kind != io::FileKind::kRegular) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is {}; a source is a regular file", options_.source,
                            source.kind == io::FileKind::kDirectory ? "a directory" : "no file"));
  }
  LARDER_ASSIGN(const auto md5, StatIfThere(files_, options_.source + ".md5"));
  LARDER_ASSIGN(const auto sha256, StatIfThere(files_, options_.source + ".sha256"));
  return Sight{source, md5, sha256};
}

bool SourceTaker::IsDue(const Sight& sight, bool at_once) {
  const bool anew = anew_.exchange(false);
  const bool first = !std::exchange(looked_, true);
  const bool settled = seen_ == sight;
  seen_ = sight;
  if (retry_ && retry_->sight != sight) retry_.reset();
  if (at_once || anew || first) return true;
  if (outcome_ && outcome_->sight == sight) {
    // It may have been away in the meantime: say again how it ended.
    board_.ShowAttempt(outcome_->error);
    return false;
  }
  if (!settled) {
    LogDebug(fmt::format("dataset {}: {} has changed; waiting until it is whole", options_.name,
                         options_.source));
    return false;
  }
  return !retry_ || --retry_->looks_to_wait == 0;
}

Result<SwitchReport> SourceTaker::Take(const Sight& sight) {
  LARDER_ASSIGN(auto identity, Identify(sight));
  const auto known = versions_.FindContent(identity.checksum, ImportOptionsText(options_));
  if (known) return versions_.Take(*known, false);
  return Compile(std::move(identity));
}

Result<importer::SourceIdentity> SourceTaker::Identify(const Sight& sight) const {
  importer::DigestFiles digests;
  if (sight.md5 || sight.sha256) {
    LARDER_ASSIGN(digests, importer::ReadDigestFiles(files_, options_.source));
  }
  LARDER_ASSIGN(auto identity,
                importer::IdentifySource(files_, options_.source, digests.md5.has_value(),
                                         digests.sha256.has_value()));
  if (identity.info != sight.source) {
    return Fail(ErrorCode::kRefused, fmt::format("{} changed while it was read", options_.source));
  }
  LARDER_TRY(CheckDigest(options_.source, ".md5", digests.md5, identity.md5));
  LARDER_TRY(CheckDigest(options_.source, ".sha256", digests.sha256, identity.sha256));
  return identity;
}

Result<SwitchReport> SourceTaker::Compile(importer::SourceIdentity identity) {
  VersionSwitch::Birth birth = versions_.PrepareVersion();
  CompileRequest request{.path = birth.path,
                         .identity = std::move(identity),
                         .key_seed = birth.key_seed,
                         .member_seed = birth.member_seed,
                         .cancelled = &cancelled_};
  LogInfo(fmt::format("dataset {}: compiling {} as version {}", options_.name, options_.source,
                      birth.number));
  board_.ShowCompiling(true);
  const auto built = CompileSource(files_, options_, request);
  board_.ShowCompiling(false);
  if (!built) return std::unexpected(built.error());
  LogInfo(fmt::format("dataset {}: version {} has {} records ({} duplicates) in {} bytes",
                      options_.name, birth.number, built->records, built->duplicates,
                      built->file_bytes));
  return versions_.Take(birth.number, true);
}

void SourceTaker::Conclude(const Sight& sight, const Error& error) {
  if (error.code() == ErrorCode::kCancelled) {
    // Not the file's fault: the next look takes it up again.
    looked_ = false;
    return;
  }
  const auto now = See();
  const bool changed = !now || *now != sight;
  if (changed) {
    // Whatever was wrong with it, it is another file by now.
    if (now) seen_ = *now;
    board_.ShowAttempt(
        fmt::format("{} changed while it was taken ({})", options_.source, error.message()), true);
  } else if (MayPass(error.code())) {
    if (!retry_) retry_ = Retry{sight, 0, 0};
    ++retry_->failures;
    const unsigned wait = 1U << std::min(retry_->failures - 1, 4U);
    retry_->looks_to_wait = std::min(wait, kMaxLooksBetweenAttempts);
    board_.ShowAttempt(error.message());
  } else {
    outcome_ = Outcome{sight, error.message()};
    retry_.reset();
    board_.ShowAttempt(error.message(), true);
  }
}

}  // namespace larder::dataset

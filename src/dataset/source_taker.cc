#include "dataset/source_taker.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread_priority.h"
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

SourceTaker::SourceTaker(io::FileSystem& files, CurrentOptions& options, VersionSwitch& versions,
                         StatusBoard& board)
    : files_(files), options_(options), versions_(versions), board_(board) {}

Result<SwitchReport> SourceTaker::Look(bool at_once) {
  MutexLock lock(mutex_);
  const std::shared_ptr<const Options> now = options_.Get();
  const Options& options = *now;
  board_.ShowCheck();
  versions_.SaveAgain();
  if (options.source.empty()) {
    if (!at_once) return versions_.Unchanged();
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("dataset {} has no source to load", options.name));
  }
  const auto sight = See(options);
  if (!sight) {
    // A file that appears from here on may still be growing: only the first look takes at once.
    looked_ = true;
    seen_.reset();
    ShowFailure(sight.error().message(), false);
    return std::unexpected(sight.error());
  }
  if (!IsDue(options, *sight, at_once)) return versions_.Unchanged();
  outcome_.reset();
  CountAttempt();
  auto report = Take(options, *sight);
  CountAttempt();
  if (report) {
    outcome_ = Outcome{*sight, ""};
    retry_.reset();
    board_.ShowAttempt("");
  } else {
    Conclude(options, *sight, report.error());
  }
  return report;
}

void SourceTaker::Reconfigure(Options options) {
  Cancel();
  MutexLock lock(mutex_);
  board_.ShowOptions(options);
  options_.Set(std::move(options));
  looked_ = false;
  seen_.reset();
  outcome_.reset();
  retry_.reset();
  lost_.reset();
  EndCancel();
}

void SourceTaker::Cancel() {
  MutexLock lock(cancel_mutex_);
  ++cancels_;
  cancelled_.store(true);
}

void SourceTaker::Resume() {
  MutexLock lock(mutex_);
  EndCancel();
}

void SourceTaker::EndCancel() {
  MutexLock lock(cancel_mutex_);
  --cancels_;
  cancelled_.store(cancels_ > 0);
}

Result<SourceTaker::Sight> SourceTaker::See(const Options& options) const {
  LARDER_ASSIGN(const io::FileInfo source, files_.Stat(options.source));
  if (source.kind != io::FileKind::kRegular) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is {}; a source is a regular file", options.source,
                            source.kind == io::FileKind::kDirectory ? "a directory" : "no file"));
  }
  LARDER_ASSIGN(const auto md5, StatIfThere(files_, options.source + ".md5"));
  LARDER_ASSIGN(const auto sha256, StatIfThere(files_, options.source + ".sha256"));
  return Sight{source, md5, sha256};
}

bool SourceTaker::IsDue(const Options& options, const Sight& sight, bool at_once) {
  ApplyOverruling();
  const bool lost = anew_.exchange(false);
  const bool first = !std::exchange(looked_, true);
  const bool settled = seen_ == sight;
  seen_ = sight;
  if (retry_ && retry_->sight != sight) retry_.reset();
  const bool anew = lost && IsDueAnew(sight);
  if (at_once || anew || first) return true;
  if (lost) return false;
  if (outcome_ && outcome_->sight == sight) {
    // It may have been away in the meantime: say again how it ended.
    board_.ShowAttempt(outcome_->error);
    return false;
  }
  if (!settled) {
    LogDebug(fmt::format("dataset {}: {} has changed; waiting until it is whole", options.name,
                         options.source));
    return false;
  }
  return !retry_ || --retry_->looks_to_wait == 0;
}

// The version that was made of the source is lost: whether to make another one now.
bool SourceTaker::IsDueAnew(const Sight& sight) {
  outcome_.reset();
  if (!lost_ || lost_->sight != sight) {
    lost_ = Retry{sight, 0, 0};
    return true;
  }
  WaitLonger(lost_, sight);
  retry_ = lost_;
  return false;
}

// The n-th time in a row: 1, 2, 4, 8, then always kMaxLooksBetweenAttempts looks.
void SourceTaker::WaitLonger(std::optional<Retry>& retry, const Sight& sight) {
  if (!retry) retry = Retry{sight, 0, 0};
  ++retry->failures;
  const unsigned wait = 1U << std::min(retry->failures - 1, 4U);
  retry->looks_to_wait = std::min(wait, kMaxLooksBetweenAttempts);
}

Result<SwitchReport> SourceTaker::Take(const Options& options, const Sight& sight) {
  const bool served = board_.current() != nullptr;
  LARDER_ASSIGN(const Prepared prepared,
                served ? PrepareBesideReaders(options, sight) : Prepare(options, sight));
  return versions_.Take(prepared.number, prepared.compiled);
}

// On a thread of its own, because a thread that has lowered its priority cannot raise it again.
// Only what takes long: a switch holds a lock that others wait for.
Result<SourceTaker::Prepared> SourceTaker::PrepareBesideReaders(const Options& options,
                                                                const Sight& sight) {
  std::optional<Result<Prepared>> prepared;
  try {
    std::jthread([&] {
      LowerThreadPriority();
      prepared = Prepare(options, sight);
    }).join();
  } catch (const std::system_error& error) {
    return Fail(ErrorCode::kBusy, fmt::format("cannot start a thread: {}", error.what()));
  }
  return *std::move(prepared);
}

Result<SourceTaker::Prepared> SourceTaker::Prepare(const Options& options, const Sight& sight) {
  LARDER_ASSIGN(auto identity, Identify(options, sight));
  const auto known = versions_.FindContent(identity.checksum, ImportOptionsText(options));
  if (known) return Prepared{.number = *known, .compiled = false};
  return Compile(options, std::move(identity));
}

Result<importer::SourceIdentity> SourceTaker::Identify(const Options& options,
                                                       const Sight& sight) const {
  importer::DigestFiles digests;
  if (sight.md5 || sight.sha256) {
    LARDER_ASSIGN(digests, importer::ReadDigestFiles(files_, options.source));
  }
  LARDER_ASSIGN(auto identity,
                importer::IdentifySource(
                    files_, options.source, digests.md5.has_value(), digests.sha256.has_value(),
                    [this](uint64_t, uint64_t) { return !cancelled_.load(); }));
  if (identity.info != sight.source) {
    return Fail(ErrorCode::kRefused, fmt::format("{} changed while it was read", options.source));
  }
  LARDER_TRY(CheckDigest(options.source, ".md5", digests.md5, identity.md5));
  LARDER_TRY(CheckDigest(options.source, ".sha256", digests.sha256, identity.sha256));
  return identity;
}

Result<SourceTaker::Prepared> SourceTaker::Compile(const Options& options,
                                                   importer::SourceIdentity identity) {
  LARDER_ASSIGN(const VersionSwitch::Birth birth, versions_.PrepareVersion());
  CompileRequest request{.path = birth.path,
                         .identity = std::move(identity),
                         .key_seed = birth.key_seed,
                         .member_seed = birth.member_seed,
                         .cancelled = &cancelled_};
  LogInfo(fmt::format("dataset {}: compiling {} as version {}", options.name, options.source,
                      birth.number));
  board_.ShowCompiling(true);
  auto built = CompileSource(files_, options, request);
  if (built && board_.current() != nullptr) {
    if (auto sound = VerifyWhole(options, birth.path); !sound)
      built = std::unexpected(sound.error());
  }
  board_.ShowCompiling(false);
  if (!built) {
    // A publish that failed half-way may have left the file under its name.
    std::ignore = files_.Remove(birth.path);
    return std::unexpected(built.error());
  }
  LogInfo(fmt::format("dataset {}: version {} has {} records ({} duplicates) in {} bytes",
                      options.name, birth.number, built->records, built->duplicates,
                      built->file_bytes));
  return Prepared{.number = birth.number, .compiled = true};
}

// The builder has looked every key up; this reads everything else too, as long as somebody else
// serves meanwhile.
Result<void> SourceTaker::VerifyWhole(const Options& options, const std::string& path) const {
  const auto goes = [this, &options](double share) {
    if (options.progress) options.progress("verify", share);
    return !cancelled_.load();
  };
  if (!goes(0)) return Fail(ErrorCode::kCancelled, "verifying was cancelled");
  LARDER_ASSIGN(const auto snapshot, snapshot::Snapshot::Open(files_, path));
  const auto whole = static_cast<double>(snapshot->header().file_bytes);
  LARDER_TRY(snapshot::Verify(
      *snapshot, [&](uint64_t done) { return goes(static_cast<double>(done) / whole); }));
  if (!snapshot->damaged()) return {};
  return Fail(ErrorCode::kIoError, fmt::format("{}: a page could not be read back", path));
}

void SourceTaker::Conclude(const Options& options, const Sight& sight, const Error& error) {
  if (error.code() == ErrorCode::kCancelled) {
    // Not the file's fault: the next look takes it up again.
    looked_ = false;
    return;
  }
  const auto now = See(options);
  const bool changed = !now || *now != sight;
  if (changed) {
    // Whatever was wrong with it, it is another file by now.
    if (now) seen_ = *now;
    ShowFailure(fmt::format("{} changed while it was taken ({})", options.source, error.message()),
                true);
  } else if (MayPass(error.code())) {
    WaitLonger(retry_, sight);
    ShowFailure(error.message(), false);
  } else {
    outcome_ = Outcome{sight, error.message()};
    retry_.reset();
    ShowFailure(error.message(), true);
  }
}

// A refusal by the gates is on the board already, and told.
void SourceTaker::ShowFailure(const std::string& error, bool refused) {
  if (board_.ShowAttempt(error, refused)) versions_.TellFailure(error);
}

void SourceTaker::Overrule(std::string error) {
  MutexLock lock(overruling_mutex_);
  overruling_ = Overruling{attempts_, std::move(error)};
}

void SourceTaker::CountAttempt() {
  MutexLock lock(overruling_mutex_);
  ++attempts_;
}

void SourceTaker::ApplyOverruling() {
  MutexLock lock(overruling_mutex_);
  if (overruling_ && overruling_->attempts == attempts_ && outcome_) {
    outcome_->error = std::move(overruling_->error);
  }
  overruling_.reset();
}

}  // namespace larder::dataset

#include "dataset/source_taker.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread_priority.h"

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

// On a thread of its own, because a thread that has lowered its priority cannot raise it again.
// Only what takes long: a switch holds a lock that others wait for.
Result<VersionMaker::Made> MakeBesideReaders(VersionMaker& maker, const Options& options,
                                             const SourceSight& sight, bool reread) {
  std::optional<Result<VersionMaker::Made>> made;
  try {
    std::jthread([&options, &sight, reread, &made, &maker] {
      LowerThreadPriority();
      made = maker.Make(options, sight, reread);
    }).join();
  } catch (const std::system_error& error) {
    return Fail(ErrorCode::kBusy, fmt::format("cannot start a thread: {}", error.what()));
  }
  return *std::move(made);
}

}  // namespace

SourceTaker::SourceTaker(io::FileSystem& files, CurrentOptions& options, VersionSwitch& versions,
                         StatusBoard& board)
    : options_(options),
      versions_(versions),
      board_(board),
      observer_(files),
      maker_(files, versions, board, cancelled_) {}

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
  const auto sight = observer_.See(options);
  if (!sight) {
    // A file that appears from here on may still be growing: only the first look takes at once.
    looked_ = true;
    seen_.reset();
    ShowFailure(sight.error().message(), false);
    return std::unexpected(sight.error());
  }
  if (!IsDue(options, *sight, at_once)) return versions_.Unchanged();
  // Told to take once more what is there already: then somebody doubts it.
  const bool reread = at_once && outcome_ && outcome_->sight == *sight;
  outcome_.reset();
  CountAttempt();
  auto report = Take(options, *sight, reread);
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
  observer_.Forget();
  maker_.Forget();
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

bool SourceTaker::IsDue(const Options& options, const SourceSight& sight, bool at_once) {
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
bool SourceTaker::IsDueAnew(const SourceSight& sight) {
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
void SourceTaker::WaitLonger(std::optional<Retry>& retry, const SourceSight& sight) {
  if (!retry) retry = Retry{sight, 0, 0};
  ++retry->failures;
  const unsigned wait = 1U << std::min(retry->failures - 1, 4U);
  retry->looks_to_wait = std::min(wait, kMaxLooksBetweenAttempts);
}

Result<SwitchReport> SourceTaker::Take(const Options& options, const SourceSight& sight,
                                       bool reread) {
  const bool served = board_.current() != nullptr;
  LARDER_ASSIGN(const VersionMaker::Made made,
                served ? MakeBesideReaders(maker_, options, sight, reread)
                       : maker_.Make(options, sight, reread));
  return versions_.Take(made.number, made.compiled);
}

void SourceTaker::Conclude(const Options& options, const SourceSight& sight, const Error& error) {
  if (error.code() == ErrorCode::kCancelled) {
    // Not the file's fault: the next look takes it up again.
    looked_ = false;
    return;
  }
  const auto now = observer_.See(options);
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

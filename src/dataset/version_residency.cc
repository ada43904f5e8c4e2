// VersionSwitch: versions are brought into memory before they are served.
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/thread_priority.h"
#include "dataset/version_switch.h"

namespace larder::dataset {

namespace {

// On a thread of its own, because a thread that has lowered its priority cannot raise it again.
Result<VersionDirectory::SnapshotPointer> OpenBesideReaders(io::FileSystem& files,
                                                            const std::string& path,
                                                            Residency residency,
                                                            const std::atomic<unsigned>& cancels) {
  std::optional<Result<VersionDirectory::SnapshotPointer>> opened;
  try {
    std::jthread([&] {
      LowerThreadPriority();
      opened = snapshot::Snapshot::OpenResident(files, path, residency,
                                                [&cancels] { return cancels.load() == 0; });
    }).join();
  } catch (const std::system_error& error) {
    return Fail(ErrorCode::kBusy, fmt::format("cannot start a thread: {}", error.what()));
  }
  return *std::move(opened);
}

}  // namespace

Result<void> VersionSwitch::Prepare(uint64_t number) {
  const auto options = options_.Get();
  std::string path;
  {
    MutexLock lock(mutex_);
    prepared_ = {};
    if (!directory_->Opens(number)) return {};
    path = directory_->PathOf(number);
  }
  auto opened = OpenBesideReaders(files_, path, options->residency, cancels_);
  MutexLock lock(mutex_);
  if (opened) {
    const std::string& shortfall = (*opened)->residency_shortfall();
    const std::string_view reached = io::ResidencyName((*opened)->residency());
    if (shortfall.empty()) {
      LogInfo(
          fmt::format("dataset {}: version {} is in memory ({})", options->name, number, reached));
    } else {
      LogWarning(fmt::format("dataset {}: version {} is {}, not {}: {}", options->name, number,
                             reached, io::ResidencyName(options->residency), shortfall));
    }
    prepared_ = {number, *std::move(opened)};
    return {};
  }
  const ErrorCode code = opened.error().code();
  if (code == ErrorCode::kCorrupt) {
    directory_->MarkDamaged(number, opened.error().message());
    Show();
  }
  if (code == ErrorCode::kCorrupt || code == ErrorCode::kCancelled) {
    return std::unexpected(std::move(opened).error());
  }
  LogWarning(fmt::format("dataset {}: version {} is not brought into memory: {}", options->name,
                         number, opened.error().message()));
  return {};
}

void VersionSwitch::PrepareOther(std::optional<uint64_t> number) {
  if (!number || options_.Get()->residency == Residency::kMapped) return;
  {
    MutexLock lock(mutex_);
    if (*number == directory_->state().current || !directory_->IsGood(*number)) return;
  }
  std::ignore = Prepare(*number);
}

std::optional<uint64_t> VersionSwitch::Before() const {
  MutexLock lock(mutex_);
  return directory_->Before(directory_->state().current);
}

std::optional<uint64_t> VersionSwitch::Followed() const {
  MutexLock lock(mutex_);
  if (!directory_->state().pinned) return std::nullopt;
  return FollowedNumber();
}

uint64_t VersionSwitch::FollowedNumber() const {
  if (directory_->IsGood(followed_)) return followed_;
  // A pinned version is served, but what is served may have become unusable just now.
  return directory_->Newest().value_or(directory_->state().current);
}

std::optional<uint64_t> VersionSwitch::RefusedNumber() const {
  MutexLock lock(mutex_);
  const auto* const entry = directory_->Refused();
  if (entry == nullptr || directory_->state().pinned) return std::nullopt;
  return entry->info.number;
}

// What is found here is found again by Take, which judges by what is served then.
Result<void> VersionSwitch::PrepareTaken(uint64_t number, bool compiled) {
  {
    MutexLock lock(mutex_);
    if (compiled) {
      if (auto opened = directory_->OpenVersion(number); !opened) {
        Show();
        return std::unexpected(std::move(opened).error());
      }
    }
    const DirectoryState& state = directory_->state();
    if (state.pinned || state.current == number || !directory_->Opens(number)) return {};
    if (!directory_->IsGood(number)) LARDER_TRY(PassGates(number, compiled));
  }
  return Prepare(number);
}

Result<VersionSwitch::SnapshotPointer> VersionSwitch::OpenToServe(uint64_t number) {
  Opened prepared = std::move(prepared_);
  prepared_ = {};
  if (prepared.number == number && directory_->Opens(number)) return std::move(prepared.snapshot);
  return directory_->OpenVersion(number);
}

Result<void> VersionSwitch::Settle(uint64_t& number) {
  {
    MutexLock lock(mutex_);
    if (!unsettled_) return {};
    number = directory_->state().current;
  }
  auto done = Prepare(number);
  MutexLock lock(mutex_);
  if (!done) {
    const bool cancelled = done.error().code() == ErrorCode::kCancelled;
    unsettled_ = cancelled;
    return cancelled ? Result<void>() : done;
  }
  const auto served = board_.current();
  Opened prepared = std::move(prepared_);
  prepared_ = {};
  unsettled_ = false;
  const bool is_served = served != nullptr && served->number == number;
  if (is_served && prepared.number == number) {
    Serve(number, std::move(prepared.snapshot), served->probation);
  }
  return {};
}

}  // namespace larder::dataset

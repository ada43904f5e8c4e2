#include "dataset/version_switch.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace larder::dataset {

VersionSwitch::VersionSwitch(const CurrentOptions& options, EpochDomain& epochs, StatusBoard& board,
                             std::unique_ptr<VersionDirectory> directory)
    : options_(options), epochs_(epochs), board_(board), directory_(std::move(directory)) {}

void VersionSwitch::Begin(std::atomic<const Version*>& served) {
  MutexLock lock(mutex_);
  served_ = &served;
  if (!directory_->complaint().empty()) board_.ShowDirectoryError(directory_->complaint());
  const DirectoryState& state = directory_->state();
  const uint64_t wanted = state.current;
  Opened opened = OpenOrFallBack(wanted != 0 ? wanted : directory_->Newest().value_or(0));
  if (wanted != 0 && opened.number != wanted) {
    board_.ShowDirectoryError(
        opened.number == 0
            ? fmt::format("version {} cannot be served, and there is no other", wanted)
            : fmt::format("version {} cannot be served: serving {}", wanted, opened.number));
  }
  directory_->Assume(opened.number, state.pinned && opened.number != 0);
  if (opened.number != 0) Serve(opened.number, std::move(opened.snapshot));
  Show();
}

Result<SwitchReport> VersionSwitch::Rollback(std::optional<uint64_t> number) {
  if (number) return Pin(*number);
  MutexLock lock(mutex_);
  const uint64_t current = directory_->state().current;
  auto before = directory_->Before(current);
  while (before) {
    auto report = SwitchTo(*before, true);
    // A version that turns out to be corrupt is out of use now: the one before it, then.
    if (report || directory_->IsGood(*before)) return report;
    before = directory_->Before(*before);
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("dataset {}: no version before {} can be served; on disk: {}",
                          options_.Get()->name, current, directory_->ListNumbers()));
}

Result<SwitchReport> VersionSwitch::Pin(uint64_t number) {
  MutexLock lock(mutex_);
  LARDER_TRY(CheckGood(number));
  return SwitchTo(number, true);
}

Result<SwitchReport> VersionSwitch::Unpin() {
  MutexLock lock(mutex_);
  if (!directory_->state().pinned) return Report(directory_->state().current);
  const auto newest = directory_->IsGood(followed_) ? followed_ : directory_->Newest();
  // A pinned version is served, but what is served may have become unusable just now.
  return SwitchTo(newest.value_or(directory_->state().current), false);
}

Result<SwitchReport> VersionSwitch::LeaveDamaged(uint64_t number, const std::string& problem) {
  MutexLock lock(mutex_);
  const DirectoryState& state = directory_->state();
  const uint64_t previous = state.current;
  const bool known = directory_->entries().contains(number) && !state.damaged.contains(number);
  if (!known && number != previous) return Report(previous);
  directory_->MarkDamaged(number, problem);
  board_.ShowDamage(number, problem);
  if (followed_ == number) followed_ = 0;
  if (number != previous) {
    auto saved = Noted(directory_->SaveAnyway(previous, state.pinned));
    Show();
    if (!saved) return std::unexpected(std::move(saved).error());
    return Report(previous);
  }
  Opened opened = OpenOrFallBack(directory_->Fallback(number).value_or(0));
  // Better a version that a restart may not find again than one whose pages are zeros.
  auto saved = Noted(directory_->SaveAnyway(opened.number, state.pinned && opened.number != 0));
  Serve(opened.number, std::move(opened.snapshot));
  board_.CountSwitch();
  Show();
  if (!saved) return std::unexpected(std::move(saved).error());
  return Report(previous);
}

SwitchReport VersionSwitch::Unchanged() {
  MutexLock lock(mutex_);
  return Report(directory_->state().current);
}

VersionSwitch::Birth VersionSwitch::PrepareVersion() {
  MutexLock lock(mutex_);
  Birth birth;
  birth.number = directory_->GiveNumber();
  birth.path = directory_->PathOf(birth.number);
  birth.key_seed = key_seed_;
  birth.member_seed = member_seed_;
  return birth;
}

std::optional<uint64_t> VersionSwitch::FindContent(std::string_view source_checksum,
                                                   std::string_view import_options) {
  MutexLock lock(mutex_);
  return directory_->FindContent(source_checksum, import_options);
}

Result<SwitchReport> VersionSwitch::Take(uint64_t number, bool compiled) {
  MutexLock lock(mutex_);
  if (compiled) {
    if (auto opened = directory_->OpenVersion(number); !opened) {
      Show();
      return std::unexpected(std::move(opened).error());
    }
    Show();
  }
  LARDER_TRY(CheckGood(number));
  followed_ = number;
  const DirectoryState& state = directory_->state();
  SwitchReport report = Report(state.current);
  if (!state.pinned && state.current != number) {
    LARDER_ASSIGN(report, SwitchTo(number, false));
  }
  DropOld();
  report.compiled = compiled;
  return report;
}

void VersionSwitch::SaveAgain() {
  MutexLock lock(mutex_);
  if (directory_->unsaved()) std::ignore = Noted(directory_->SaveAgain());
}

Result<SwitchReport> VersionSwitch::SwitchTo(uint64_t number, bool pinned) {
  const uint64_t previous = directory_->state().current;
  SnapshotPointer snapshot;
  if (number != previous) {
    auto opened = directory_->OpenVersion(number);
    if (!opened) {
      Show();
      return std::unexpected(std::move(opened).error());
    }
    snapshot = *std::move(opened);
  }
  LARDER_TRY(Noted(directory_->Save(number, pinned)));
  if (number != previous) {
    Serve(number, std::move(snapshot));
    board_.CountSwitch();
    LogInfo(fmt::format("dataset {}: version {} is served, after {}", options_.Get()->name, number,
                        previous));
  }
  Show();
  return Report(previous);
}

void VersionSwitch::Serve(uint64_t number, SnapshotPointer snapshot) {
  std::shared_ptr<const Version> version;
  if (number != 0) {
    key_seed_ = snapshot->header().key_seed;
    member_seed_ = snapshot->header().member_seed;
    version = std::make_shared<const Version>(Version{number, std::move(snapshot), nullptr});
  }
  const Version* const bare = version.get();
  const auto old = board_.ReplaceCurrent(std::move(version));
  served_->store(bare, std::memory_order_seq_cst);
  epochs_.WaitForReaders();
}

VersionSwitch::Opened VersionSwitch::OpenOrFallBack(uint64_t number) {
  uint64_t candidate = number;
  std::vector<uint64_t> tried;
  while (candidate != 0) {
    if (directory_->IsGood(candidate)) {
      if (auto opened = directory_->OpenVersion(candidate)) return {candidate, *std::move(opened)};
    }
    tried.push_back(candidate);
    candidate = directory_->Fallback(candidate).value_or(0);
    // A file that cannot be opened now, but is not known to be bad, must not be tried for ever.
    if (std::ranges::find(tried, candidate) != tried.end()) break;
  }
  return {};
}

Result<void> VersionSwitch::CheckGood(uint64_t number) const {
  if (directory_->IsGood(number)) return {};
  return Fail(ErrorCode::kNotFound,
              fmt::format("dataset {}: there is no version {} that can be served; on disk: {}",
                          options_.Get()->name, number, directory_->ListNumbers()));
}

SwitchReport VersionSwitch::Report(uint64_t previous) const {
  const DirectoryState& state = directory_->state();
  return SwitchReport{
      .previous = previous, .current = state.current, .pinned = state.pinned, .compiled = false};
}

void VersionSwitch::DropOld() {
  for (const std::string& complaint : directory_->Drop(std::max(options_.Get()->keep, 1U))) {
    LogWarning(fmt::format("dataset {}: an old version stays on disk: {}", options_.Get()->name,
                           complaint));
  }
  Show();
}

void VersionSwitch::Show() {
  std::vector<VersionInfo> versions;
  for (const auto& [number, entry] : directory_->entries()) {
    versions.push_back(entry.info);
    versions.back().damaged = !entry.good();
  }
  board_.ShowVersions(std::move(versions));
  board_.ShowPinned(directory_->state().pinned);
}

Result<void> VersionSwitch::Noted(Result<void> saved) {
  board_.ShowDirectoryError(saved ? "" : saved.error().message());
  return saved;
}

}  // namespace larder::dataset

#include "dataset/version_switch.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "dataset/event_listeners.h"

namespace larder::dataset {

namespace {

// What was prepared for a switch that did not happen is not kept: it may be a copy in memory.
template <typename Prepared>
class ClearedAtEnd {
 public:
  explicit ClearedAtEnd(Prepared& prepared) : prepared_(prepared) {}
  ~ClearedAtEnd() { prepared_ = {}; }
  ClearedAtEnd(const ClearedAtEnd&) = delete;
  ClearedAtEnd& operator=(const ClearedAtEnd&) = delete;

 private:
  Prepared& prepared_;
};

// What a refused version is told with wherever it is met.
std::string RefusalText(const std::string& name, const Refusal& refusal) {
  return fmt::format(
      "version {} of {} is refused: {}. To take it all the same, once: larder accept {}, or LARDER "
      "ACCEPT {}",
      refusal.version, name, VerdictText(refusal.findings), name, name);
}

}  // namespace

VersionSwitch::VersionSwitch(const CurrentOptions& options, EpochDomain& epochs, StatusBoard& board,
                             std::unique_ptr<VersionDirectory> directory)
    : options_(options),
      epochs_(epochs),
      board_(board),
      files_(directory->files()),
      directory_(std::move(directory)) {}

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
  PrepareOther(Before());
  MutexLock lock(mutex_);
  const ClearedAtEnd unused(prepared_);
  const uint64_t current = directory_->state().current;
  auto before = directory_->Before(current);
  while (before) {
    auto report = SwitchTo({.number = *before, .pinned = true, .kind = Event::Kind::kRolledBack});
    // A version that turns out to be corrupt is out of use now: the one before it, then.
    if (report || directory_->IsGood(*before)) return report;
    before = directory_->Before(*before);
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("dataset {}: no version before {} can be served; on disk: {}",
                          options_.Get()->name, current, directory_->ListNumbers()));
}

Result<SwitchReport> VersionSwitch::Pin(uint64_t number) {
  PrepareOther(number);
  MutexLock lock(mutex_);
  const ClearedAtEnd unused(prepared_);
  LARDER_TRY(CheckGood(number));
  return SwitchTo({.number = number, .pinned = true, .kind = Event::Kind::kRolledBack});
}

Result<SwitchReport> VersionSwitch::Unpin() {
  PrepareOther(Followed());
  MutexLock lock(mutex_);
  const ClearedAtEnd unused(prepared_);
  if (!directory_->state().pinned) return Report(directory_->state().current);
  const uint64_t number = FollowedNumber();
  return SwitchTo({.number = number, .on_probation = unserved_.contains(number)});
}

Result<SwitchReport> VersionSwitch::Accept() {
  const auto refused = RefusedNumber();
  if (refused && options_.Get()->residency != Residency::kMapped) std::ignore = Prepare(*refused);
  MutexLock lock(mutex_);
  const ClearedAtEnd unused(prepared_);
  const std::string name = options_.Get()->name;
  const auto* const entry = directory_->Refused();
  if (entry == nullptr) {
    const std::string failure = board_.RefusedAttempt();
    return Fail(ErrorCode::kNotFound,
                failure.empty()
                    ? fmt::format("no version of {} is refused: there is nothing to accept", name)
                    : fmt::format("no version of {} is refused: there is nothing to accept, the "
                                  "last attempt failed before there was a version: {}",
                                  name, failure));
  }
  LARDER_TRY(CheckWaits(name, *entry->refusal));
  const uint64_t number = entry->info.number;
  const DirectoryState& state = directory_->state();
  SwitchReport report = Report(state.current);
  if (state.pinned) {
    LARDER_TRY(directory_->OpenVersion(number));
    LARDER_TRY(Noted(directory_->Save(state.current, true, number)));
    LARDER_TRY(Noted(directory_->Forgive(number)));
  } else {
    LARDER_ASSIGN(report, SwitchTo({.number = number}));
  }
  followed_ = number;
  LogInfo(fmt::format("dataset {}: version {} is accepted", name, number));
  board_.ShowAttempt("");
  DropOld();
  return report;
}

// The source may have been refused again since, for what it holds: then nobody means this version.
Result<void> VersionSwitch::CheckWaits(const std::string& name, const Refusal& refusal) const {
  const std::string failure = board_.RefusedAttempt();
  if (failure.empty() || failure == RefusalText(name, refusal)) return {};
  return Fail(ErrorCode::kNotFound,
              fmt::format("there is nothing to accept for {}: the last attempt failed before there "
                          "was a version: {} (version {}, refused earlier, was made of another "
                          "file)",
                          name, failure, refusal.version));
}

std::string VersionSwitch::CheckProbation(Probation::Clock::time_point now) {
  MutexLock lock(mutex_);
  if (!probation_.running()) return "";
  const auto options = options_.Get();
  const uint64_t number = probation_.number();
  const auto& refusal = directory_->entries().at(number).refusal;
  if (!refusal) {
    Verdict verdict = probation_.Check(options->probation);
    if (verdict.empty()) {
      if (probation_.over(now)) EndProbation("has stood its probation");
      return "";
    }
    const Refusal found{.version = number,
                        .refused_at_ms = NowMs(),
                        .by = Judge::kProbation,
                        .findings = std::move(verdict)};
    if (!Noted(directory_->Refuse(found))) return "";
  }
  const std::string problem = RefusalText(options->name, *refusal);
  const auto before = directory_->IsGood(probation_.previous())
                          ? std::optional(probation_.previous())
                          : directory_->Fallback(number);
  if (!before) {
    directory_->VoidVerdict(number);
    EndProbation("fails its probation, but there is no other version");
    return "";
  }
  // What cannot be written now is tried again the next time.
  if (!SwitchTo({.number = *before, .kind = Event::Kind::kRolledBack, .reason = problem})) {
    return "";
  }
  board_.ShowAttempt(problem, true);
  return problem;
}

void VersionSwitch::TellFailure(const std::string& problem) {
  MutexLock lock(mutex_);
  Tell({.kind = Event::Kind::kFailed, .reason = problem});
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
  probation_.End();
  Opened opened = OpenOrFallBack(directory_->Fallback(number).value_or(0));
  // Better a version that a restart may not find again than one whose pages are zeros.
  auto saved = Noted(directory_->SaveAnyway(opened.number, state.pinned && opened.number != 0));
  Serve(opened.number, std::move(opened.snapshot));
  board_.CountSwitch();
  Show();
  Tell({.kind = Event::Kind::kDamaged,
        .previous = previous,
        .version = number,
        .reason = fmt::format("version {} is damaged: {}", number, problem)});
  if (!saved) return std::unexpected(std::move(saved).error());
  return Report(previous);
}

SwitchReport VersionSwitch::Unchanged() {
  MutexLock lock(mutex_);
  return Report(directory_->state().current);
}

Result<VersionSwitch::Birth> VersionSwitch::PrepareVersion() {
  MutexLock lock(mutex_);
  LARDER_TRY(Noted(directory_->SaveFirst()));
  Birth birth;
  birth.number = directory_->GiveNumber();
  birth.path = directory_->PathOf(birth.number);
  birth.key_seed = key_seed_;
  birth.member_seed = member_seed_;
  return birth;
}

std::optional<uint64_t> VersionSwitch::FindContent(const ContentKey& content) {
  MutexLock lock(mutex_);
  return directory_->FindContent(content);
}

Result<SwitchReport> VersionSwitch::Take(uint64_t number, bool compiled) {
  if (options_.Get()->residency != Residency::kMapped) {
    LARDER_TRY(PrepareTaken(number, compiled));
  }
  MutexLock lock(mutex_);
  const ClearedAtEnd unused(prepared_);
  if (compiled) {
    if (auto opened = directory_->OpenVersion(number); !opened) {
      Show();
      return std::unexpected(std::move(opened).error());
    }
    Show();
  }
  if (!directory_->Opens(number)) return std::unexpected(CheckGood(number).error());
  const bool is_new = !directory_->IsGood(number);
  if (is_new) LARDER_TRY(PassGates(number, compiled));
  const DirectoryState& state = directory_->state();
  SwitchReport report = Report(state.current);
  if (!state.pinned && state.current != number) {
    LARDER_ASSIGN(report, SwitchTo({.number = number, .on_probation = is_new}));
  } else if (is_new) {
    LARDER_TRY(Noted(directory_->Save(state.current, state.pinned, number)));
    LARDER_TRY(Noted(directory_->Forgive(number)));
    unserved_.insert(number);
  }
  followed_ = number;
  DropOld(compiled);
  report.compiled = compiled;
  return report;
}

Result<void> VersionSwitch::PassGates(uint64_t number, bool compiled) {
  const auto& entry = directory_->entries().at(number);
  if (entry.refusal && entry.refusal->by == Judge::kProbation) return Refused(number);
  // What was made of a known content because the first file was damaged.
  if (directory_->PassedBefore(number)) return {};
  const auto served = board_.current();
  // That what it was compared with is lost does not make it better.
  if (served == nullptr && entry.refusal && !CanBeJudgedAlone(entry.refusal->findings)) {
    return Refused(number);
  }
  LARDER_ASSIGN(const SnapshotPointer candidate, directory_->OpenVersion(number));
  const int64_t now_ms = NowMs();
  Verdict verdict = CheckGates(options_.Get()->gate, *candidate, served.get(), now_ms);
  if (verdict.empty()) return {};
  if (!entry.refusal || entry.refusal->findings != verdict) {
    LARDER_TRY(Noted(directory_->Refuse(
        {.version = number, .refused_at_ms = now_ms, .findings = std::move(verdict)})));
  }
  if (compiled) Complain(directory_->DropRefused(number));
  return Refused(number);
}

Result<void> VersionSwitch::Refused(uint64_t number) {
  Show();
  const std::string problem =
      RefusalText(options_.Get()->name, *directory_->entries().at(number).refusal);
  if (board_.ShowAttempt(problem)) {
    Tell({.kind = Event::Kind::kRefused, .version = number, .reason = problem});
  }
  return Fail(ErrorCode::kRefused, problem);
}

void VersionSwitch::SaveAgain() {
  MutexLock lock(mutex_);
  if (directory_->unsaved()) std::ignore = Noted(directory_->SaveAgain());
}

Result<SwitchReport> VersionSwitch::SwitchTo(const Move& move) {
  const uint64_t previous = directory_->state().current;
  SnapshotPointer snapshot;
  if (move.number != previous) {
    auto opened = OpenToServe(move.number);
    if (!opened) {
      Show();
      return std::unexpected(std::move(opened).error());
    }
    snapshot = *std::move(opened);
  }
  LARDER_TRY(Noted(directory_->Save(move.number, move.pinned)));
  // Somebody has decided: what is pinned is not left.
  if (move.number != previous || move.pinned) probation_.End();
  if (move.number != previous) {
    Serve(move.number, std::move(snapshot), move.on_probation ? BeginProbation(move) : nullptr);
    directory_->VoidVerdict(move.number);
    board_.CountSwitch();
    LogInfo(fmt::format("dataset {}: version {} is served, after {}", options_.Get()->name,
                        move.number, previous));
  }
  Show();
  if (move.number != previous) {
    Tell({.kind = move.kind, .previous = previous, .version = move.number, .reason = move.reason});
  }
  return Report(previous);
}

std::shared_ptr<ReadCounts> VersionSwitch::BeginProbation(const Move& move) {
  const auto options = options_.Get();
  const auto served = board_.current();
  // With nothing to go back to there is nothing to find out.
  if (served == nullptr || options->probation.window <= std::chrono::milliseconds(0)) {
    return nullptr;
  }
  return probation_.Begin(move.number, served->number, options->probation.window);
}

void VersionSwitch::EndProbation(std::string_view how) {
  LogInfo(fmt::format("dataset {}: version {} {}", options_.Get()->name, probation_.number(), how));
  probation_.End();
  Show();
}

void VersionSwitch::Serve(uint64_t number, SnapshotPointer snapshot,
                          std::shared_ptr<ReadCounts> probation) {
  std::shared_ptr<const Version> version;
  unserved_.erase(number);
  unsettled_ = false;
  if (number != 0) {
    unsettled_ = snapshot->residency() == Residency::kMapped &&
                 options_.Get()->residency != Residency::kMapped;
    key_seed_ = snapshot->header().key_seed;
    member_seed_ = snapshot->header().member_seed;
    version =
        std::make_shared<const Version>(Version{number, std::move(snapshot), std::move(probation)});
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
  const auto options = options_.Get();
  const auto found = directory_->entries().find(number);
  const bool is_here = found != directory_->entries().end() && found->second.opens();
  if (is_here && found->second.refusal) {
    return Fail(ErrorCode::kRefused, RefusalText(options->name, *found->second.refusal));
  }
  if (is_here) {
    return Fail(ErrorCode::kRefused,
                fmt::format("dataset {}: version {} has not passed the gates yet: LARDER RELOAD {} "
                            "lets them judge it if its source still holds it",
                            options->name, number, options->name));
  }
  return Fail(ErrorCode::kNotFound,
              fmt::format("dataset {}: there is no version {} that can be served; on disk: {}",
                          options->name, number, directory_->ListNumbers()));
}

SwitchReport VersionSwitch::Report(uint64_t previous) const {
  const DirectoryState& state = directory_->state();
  return SwitchReport{
      .previous = previous, .current = state.current, .pinned = state.pinned, .compiled = false};
}

// A refused version stays until the next one is compiled; where probation may have to go back to
// stays too.
void VersionSwitch::DropOld(bool compiled) {
  std::set<uint64_t> spared = {probation_.previous()};
  const auto* const refused = directory_->Refused();
  if (refused != nullptr && !compiled) spared.insert(refused->info.number);
  Complain(directory_->Drop(std::max(options_.Get()->keep, 1U), spared));
  Show();
}

void VersionSwitch::Complain(const std::vector<std::string>& complaints) const {
  for (const std::string& complaint : complaints) {
    LogWarning(fmt::format("dataset {}: an old version stays on disk: {}", options_.Get()->name,
                           complaint));
  }
}

void VersionSwitch::Show() {
  std::vector<VersionInfo> versions;
  for (const auto& [number, entry] : directory_->entries()) {
    VersionInfo& version = versions.emplace_back(entry.info);
    version.damaged = !entry.opens();
    version.refused = entry.refusal.has_value();
    if (entry.refusal) version.verdict = VerdictText(entry.refusal->findings);
  }
  board_.ShowVersions(std::move(versions));
  const DirectoryState& state = directory_->state();
  const auto current = directory_->entries().find(state.current);
  StatusBoard::Judgement judgement;
  if (const auto* const refused = directory_->Refused()) {
    judgement.refused_version = refused->info.number;
    judgement.verdict = VerdictText(refused->refusal->findings);
  }
  if (current != directory_->entries().end()) {
    judgement.skipped_lines = current->second.skipped_lines;
  }
  judgement.probation_until_ms = probation_.until_ms();
  board_.ShowJudgement(std::move(judgement));
  board_.ShowPinned(state.pinned);
}

void VersionSwitch::Tell(Event event) {
  const auto options = options_.Get();
  if (!options->on_event && options->listeners == nullptr) return;
  event.store = options->name;
  event.served = board_.current();
  event.current = event.served == nullptr ? 0 : event.served->number;
  const bool moved = event.kind != Event::Kind::kRefused && event.kind != Event::Kind::kFailed;
  if (!moved) event.previous = event.current;
  if (options->on_event) options->on_event(event);
  if (options->listeners != nullptr) options->listeners->Tell(event);
}

Result<void> VersionSwitch::Noted(Result<void> saved) {
  board_.ShowDirectoryError(saved ? "" : saved.error().message());
  return saved;
}

}  // namespace larder::dataset

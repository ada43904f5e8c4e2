#include "dataset/status_board.h"

#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace larder::dataset {

int64_t NowMs() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

StatusBoard::StatusBoard(const Options& options) {
  status_.name = options.name;
  status_.source = options.source;
  status_.directory = options.directory;
}

void StatusBoard::ShowOptions(const Options& options) {
  MutexLock lock(mutex_);
  status_.name = options.name;
  status_.source = options.source;
  Say(attempt_error_, "");
}

Status StatusBoard::status() const {
  MutexLock lock(mutex_);
  return status_;
}

std::vector<VersionInfo> StatusBoard::versions() const {
  MutexLock lock(mutex_);
  std::vector<VersionInfo> versions = versions_;
  for (VersionInfo& version : versions) {
    version.current = version.number == status_.current;
    if (version.current && current_ != nullptr) version.damaged |= current_->snapshot->damaged();
  }
  return versions;
}

std::shared_ptr<const Version> StatusBoard::current() const {
  MutexLock lock(mutex_);
  return current_;
}

bool StatusBoard::WaitFor(const std::function<bool(const Status&)>& done,
                          std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mutex_);
  while (!done(status_)) {
    if (!changed_.WaitUntil(mutex_, deadline)) return done(status_);
  }
  return true;
}

void StatusBoard::ShowVersions(std::vector<VersionInfo> versions) {
  MutexLock lock(mutex_);
  versions_ = std::move(versions);
  changed_.NotifyAll();
}

void StatusBoard::ShowPinned(bool pinned) {
  MutexLock lock(mutex_);
  status_.pinned = pinned;
  changed_.NotifyAll();
}

std::shared_ptr<const Version> StatusBoard::ReplaceCurrent(std::shared_ptr<const Version> version) {
  MutexLock lock(mutex_);
  std::swap(current_, version);
  status_.current = current_ == nullptr ? 0 : current_->number;
  status_.records = current_ == nullptr ? 0 : current_->snapshot->record_count();
  status_.file_bytes = current_ == nullptr ? 0 : current_->snapshot->header().file_bytes;
  status_.residency = current_ == nullptr ? Residency::kMapped : current_->snapshot->residency();
  status_.residency_shortfall =
      current_ == nullptr ? "" : current_->snapshot->residency_shortfall();
  status_.resident_bytes = 0;
  changed_.NotifyAll();
  return version;
}

void StatusBoard::CountSwitch() {
  MutexLock lock(mutex_);
  ++status_.switches;
  status_.last_switch_ms = NowMs();
  changed_.NotifyAll();
}

void StatusBoard::ShowResident(const Version& version, uint64_t bytes) {
  MutexLock lock(mutex_);
  if (current_.get() == &version) status_.resident_bytes = bytes;
}

void StatusBoard::ShowCheck() {
  MutexLock lock(mutex_);
  status_.last_check_ms = NowMs();
  changed_.NotifyAll();
}

void StatusBoard::ShowCompiling(bool compiling) {
  MutexLock lock(mutex_);
  status_.compiling = compiling;
  changed_.NotifyAll();
}

bool StatusBoard::ShowAttempt(const std::string& error, bool refused) {
  MutexLock lock(mutex_);
  if (refused) {
    ++status_.refused;
    refused_attempt_ = error;
  }
  return Say(attempt_error_, error);
}

std::string StatusBoard::RefusedAttempt() const {
  MutexLock lock(mutex_);
  return refused_attempt_ == attempt_error_ ? refused_attempt_ : "";
}

void StatusBoard::ShowJudgement(Judgement judgement) {
  MutexLock lock(mutex_);
  status_.refused_version = judgement.refused_version;
  status_.verdict = std::move(judgement.verdict);
  status_.skipped_lines = judgement.skipped_lines;
  status_.probation_until_ms = judgement.probation_until_ms;
  changed_.NotifyAll();
}

void StatusBoard::ShowDirectoryError(const std::string& error) {
  MutexLock lock(mutex_);
  Say(directory_error_, error);
}

void StatusBoard::ShowDamage(uint64_t number, const std::string& problem) {
  MutexLock lock(mutex_);
  ++status_.damaged;
  Say(attempt_error_, fmt::format("version {} is damaged: {}", number, problem));
}

bool StatusBoard::Say(std::string& place, const std::string& error) {
  const bool other = place != error;
  if (other) {
    place = error;
    if (!error.empty()) {
      LogError(fmt::format("dataset {}: {}", status_.name, error));
      status_.last_error_ms = NowMs();
    }
    const bool both = !attempt_error_.empty() && !directory_error_.empty();
    status_.last_error = fmt::format("{}{}{}", directory_error_, both ? "; " : "", attempt_error_);
  }
  changed_.NotifyAll();
  return other && !error.empty();
}

}  // namespace larder::dataset

#include "dataset/dataset.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "io/file_system.h"
#include "larder/dataset.h"
#include "library/dataset_state.h"
#include "library/guarded_importer.h"

namespace larder {

namespace {

std::optional<SwitchEvent::Cause> CauseOf(dataset::Event::Kind kind) {
  switch (kind) {
    case dataset::Event::Kind::kSwitched:
      return SwitchEvent::Cause::kNewVersion;
    case dataset::Event::Kind::kRolledBack:
      return SwitchEvent::Cause::kRolledBack;
    case dataset::Event::Kind::kDamaged:
      return SwitchEvent::Cause::kDamaged;
    case dataset::Event::Kind::kRefused:
    case dataset::Event::Kind::kFailed:
      break;
  }
  return std::nullopt;
}

// What a configuration's reader would refuse with its line.
Result<void> CheckOptions(const DatasetOptions& options) {
  const auto bad = [&options](std::string_view what) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("dataset {}: {}", options.name, what));
  };
  if (options.watch < std::chrono::milliseconds(1)) {
    return bad(fmt::format("watch is {} ms: a source is looked at every millisecond at most",
                           options.watch.count()));
  }
  const GateOptions& gate = options.gate;
  const ProbationOptions& probation = options.probation;
  for (const auto& [name, share] : {std::pair("gate.max_record_shrink", gate.max_record_shrink),
                                    std::pair("gate.max_record_growth", gate.max_record_growth),
                                    std::pair("gate.max_byte_shrink", gate.max_byte_shrink),
                                    std::pair("gate.max_byte_growth", gate.max_byte_growth),
                                    std::pair("gate.max_duplicates", gate.max_duplicates),
                                    std::pair("probation.max_misses", probation.max_misses),
                                    std::pair("probation.max_errors", probation.max_errors)}) {
    // Also of what is no number.
    if (share && !(*share >= 0)) {
      return bad(fmt::format("{} is {}: a share is 0 or more, 0.3 is 30 %", name, *share));
    }
  }
  return {};
}

}  // namespace

Result<dataset::Options> Dataset::State::Complete(
    DatasetOptions options, const std::shared_ptr<library::SwitchListeners>& listeners) {
  LARDER_TRY(CheckOptions(options));
  LARDER_ASSIGN(options.import.importer, library::Guard(std::move(options.import.importer)));
  const auto tell = [listeners](const dataset::Event& event) {
    const auto cause = CauseOf(event.kind);
    if (!cause || event.previous == event.current) return;
    listeners->Tell({.cause = *cause,
                     .previous = event.previous,
                     .current = event.current,
                     .reason = event.reason,
                     .snapshot = Hold(event.served)});
  };
  return dataset::Options{{std::move(options)}, tell, nullptr};
}

Result<void> Dataset::State::MayChange() const {
  if (!listeners->TellingHere()) return {};
  return Fail(ErrorCode::kBusy,
              fmt::format("dataset {}: a callback of OnSwitch asks for a change, which would wait "
                          "for that callback: ask on another thread, and do not wait for it here",
                          dataset->options()->name));
}

Snapshot Dataset::State::Hold(std::shared_ptr<const dataset::Version> version) {
  if (version == nullptr) return {};
  const snapshot::Snapshot* const held = version->snapshot.get();
  const uint64_t number = version->number;
  return {std::shared_ptr<const snapshot::Snapshot>(std::move(version), held), number};
}

Result<Dataset> Dataset::Open(DatasetOptions options) {
  auto state = std::make_shared<State>();
  state->epochs = std::make_shared<EpochDomain>();
  state->listeners = std::make_shared<library::SwitchListeners>();
  LARDER_ASSIGN(auto complete, State::Complete(std::move(options), state->listeners));
  LARDER_ASSIGN(state->dataset,
                dataset::Dataset::Open(io::RealFileSystem(), *state->epochs, std::move(complete)));
  state->dataset->StartWatching();
  return Dataset(std::move(state));
}

Snapshot Dataset::Current() const { return State::Hold(state_->dataset->PinCurrent()); }

Result<Snapshot> Dataset::WaitForVersion(std::chrono::milliseconds timeout) const {
  // The status tells a moment before readers in an epoch see it.
  const auto served = [this](const DatasetStatus& status) {
    return status.current != 0 && state_->dataset->Current() != nullptr;
  };
  if (WaitFor(served, timeout)) return Current();
  const DatasetStatus now = status();
  return Fail(
      ErrorCode::kNotFound,
      fmt::format("dataset {}: no version to serve after {} ms: {}", now.name, timeout.count(),
                  now.last_error.empty() ? "its source has not been taken yet" : now.last_error));
}

bool Dataset::WaitFor(const std::function<bool(const DatasetStatus&)>& done,
                      std::chrono::milliseconds timeout) const {
  return state_->dataset->WaitFor(done, timeout);
}

std::optional<PinnedValue> Dataset::Find(std::string_view key, Expired expired) const {
  Snapshot current = Current();
  const std::optional<Value> value = current.Find(key, expired);
  if (!value) return std::nullopt;
  return PinnedValue(std::move(current), *value);
}

Snapshot Dataset::FindMany(std::span<const std::string_view> keys,
                           std::span<std::optional<Value>> values, Expired expired) const {
  Snapshot current = Current();
  current.FindMany(keys, values, expired);
  return current;
}

Subscription Dataset::OnSwitch(std::function<void(const SwitchEvent&)> callback) const {
  const uint64_t number = state_->listeners->Add(
      std::move(callback), [this] { return state_->dataset->status().current; });
  return {state_->listeners, number};
}

void Subscription::End() {
  if (listeners_ == nullptr) return;
  listeners_->Remove(number_);
  listeners_.reset();
}

DatasetOptions Dataset::options() const { return *state_->dataset->options(); }

DatasetStatus Dataset::status() const { return state_->dataset->status(); }

std::vector<VersionInfo> Dataset::versions() const { return state_->dataset->Versions(); }

Result<SwitchReport> Dataset::Refresh() const {
  LARDER_TRY(state_->MayChange());
  return state_->dataset->Refresh(true);
}

Result<SwitchReport> Dataset::Rollback(std::optional<uint64_t> number) const {
  LARDER_TRY(state_->MayChange());
  return state_->dataset->Rollback(number);
}

Result<SwitchReport> Dataset::Pin(uint64_t number) const {
  LARDER_TRY(state_->MayChange());
  return state_->dataset->Pin(number);
}

Result<SwitchReport> Dataset::Unpin() const {
  LARDER_TRY(state_->MayChange());
  return state_->dataset->Unpin();
}

Result<SwitchReport> Dataset::Accept() const {
  LARDER_TRY(state_->MayChange());
  return state_->dataset->Accept();
}

}  // namespace larder

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

}  // namespace

dataset::Options Dataset::State::Complete(
    DatasetOptions options, const std::shared_ptr<library::SwitchListeners>& listeners) {
  options.import.importer = library::Guard(std::move(options.import.importer));
  return {{std::move(options)}, [listeners](const dataset::Event& event) {
            const auto cause = CauseOf(event.kind);
            if (!cause || event.previous == event.current) return;
            listeners->Tell({.cause = *cause,
                             .previous = event.previous,
                             .current = event.current,
                             .reason = event.reason,
                             .snapshot = Hold(event.served)});
          }};
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
  LARDER_ASSIGN(state->dataset,
                dataset::Dataset::Open(io::RealFileSystem(), *state->epochs,
                                       State::Complete(std::move(options), state->listeners)));
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

Result<SwitchReport> Dataset::Refresh() const { return state_->dataset->Refresh(true); }

Result<SwitchReport> Dataset::Rollback(std::optional<uint64_t> number) const {
  return state_->dataset->Rollback(number);
}

Result<SwitchReport> Dataset::Pin(uint64_t number) const { return state_->dataset->Pin(number); }

Result<SwitchReport> Dataset::Unpin() const { return state_->dataset->Unpin(); }

Result<SwitchReport> Dataset::Accept() const { return state_->dataset->Accept(); }

}  // namespace larder

#include "snapshot/snapshot.h"

#include "io/file_system.h"
#include "larder/snapshot.h"
#include "library/finding.h"
#include "snapshot/format.h"
#include "snapshot/stored_record.h"

namespace larder {

namespace {

// Records asked for at a time while walking: their cache misses overlap, and one allocation serves
// the whole walk.
constexpr uint64_t kWalkStep = 256;

}  // namespace

Result<Snapshot> Snapshot::Open(const std::string& path, Residency residency) {
  auto opened = snapshot::Snapshot::OpenResident(io::RealFileSystem(), path, residency);
  if (!opened) return std::unexpected(std::move(opened).error());
  return Snapshot(*std::move(opened), 0);
}

uint64_t Snapshot::record_count() const { return snapshot_ ? snapshot_->record_count() : 0; }

std::string Snapshot::path() const { return snapshot_ ? snapshot_->path() : std::string(); }

std::vector<std::pair<std::string, std::string>> Snapshot::Metadata() const {
  if (!snapshot_) return {};
  return snapshot_->Metadata();
}

Residency Snapshot::residency() const {
  return snapshot_ ? snapshot_->residency() : Residency::kMapped;
}

bool Snapshot::damaged() const { return snapshot_ && snapshot_->damaged(); }

Result<void> Snapshot::Verify() const {
  if (!snapshot_) return {};
  auto verified = snapshot::Verify(*snapshot_);
  if (!verified) return std::unexpected(std::move(verified).error());
  return {};
}

Snapshot::Snapshot(std::shared_ptr<const snapshot::Snapshot> snapshot, uint64_t version_number)
    : snapshot_(std::move(snapshot)),
      version_number_(version_number),
      member_seed_(snapshot_ ? snapshot_->header().member_seed : 0) {}

Snapshot::Place Snapshot::Locate(std::string_view key) const {
  static_assert(kTypeShift == snapshot::kTypeShift && kFlagsShift == snapshot::kFlagsShift &&
                kValueBytes == snapshot::kMaxValueBytes);
  if (!snapshot_) return {.value = nullptr, .head = 0};
  const snapshot::FoundRecord found = snapshot_->Locate(key, snapshot_->Hash(key));
  return {.value = found.value, .head = found.head};
}

std::optional<Value> Snapshot::FindFlagged(std::string_view key, Expired expired) const {
  return library::FindIn(*snapshot_, key, expired);
}

void Snapshot::FindMany(std::span<const std::string_view> keys,
                        std::span<std::optional<Value>> values, Expired expired) const& {
  if (!snapshot_) return library::FindNothing(keys, values);
  library::FindManyIn(*snapshot_, keys, values, expired);
}

RecordRange Snapshot::Records(Expired expired) const { return {*this, {}, {}, expired}; }

RecordRange Snapshot::Collection(std::string_view name, Expired expired) const {
  return {*this, std::string(name), {}, expired};
}

RecordRange Snapshot::WithPrefix(std::string_view prefix, Expired expired) const {
  const auto separator = snapshot_ ? snapshot_->header().separator : std::nullopt;
  const size_t at = separator ? prefix.find(*separator) : std::string_view::npos;
  std::optional<std::string> collection;
  if (at != std::string_view::npos) collection = prefix.substr(0, at);
  return {*this, std::move(collection), std::string(prefix), expired};
}

uint64_t Snapshot::CollectionSize(std::string_view name) const {
  return snapshot_ ? snapshot_->CollectionSize(name) : 0;
}

void RecordRange::Restart() {
  cursor_ = 0;
  Fill();
}

void RecordRange::Fill() {
  at_ = 0;
  batch_.clear();
  if (!snapshot_) return;
  const snapshot::Snapshot& walked = *snapshot_.snapshot_;
  const auto take = [this](const snapshot::Entry& entry) {
    if (!entry.key.starts_with(prefix_) || library::IsLeftOut(entry.value, expired_)) return;
    batch_.push_back({.key = entry.key, .value = entry.value});
  };
  do {
    cursor_ = collection_ ? walked.ScanCollection(*collection_, cursor_, kWalkStep, take)
                          : walked.Scan(cursor_, kWalkStep, take);
  } while (batch_.empty() && cursor_ != 0);
}

}  // namespace larder

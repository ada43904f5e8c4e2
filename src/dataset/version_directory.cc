#include "dataset/version_directory.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace larder::dataset {

namespace {

VersionDirectory::Entry DescribeVersion(uint64_t number, const snapshot::Snapshot& snapshot) {
  VersionDirectory::Entry entry;
  entry.info.number = number;
  entry.info.records = snapshot.record_count();
  entry.info.file_bytes = snapshot.header().file_bytes;
  for (auto& [name, value] : snapshot.Metadata()) {
    if (name == "source") entry.info.source = std::move(value);
    if (name == "source_checksum") entry.info.source_checksum = std::move(value);
    if (name == "import_options") entry.import_options = std::move(value);
    if (name == "built_at_ms") {
      entry.info.built_at_ms = std::strtoll(value.c_str(), nullptr, 10);
    }
  }
  return entry;
}

}  // namespace

Result<std::unique_ptr<VersionDirectory>> VersionDirectory::Open(io::FileSystem& files,
                                                                 std::string path) {
  if (path.empty()) return Fail(ErrorCode::kInvalidArgument, "a dataset needs a directory");
  auto directory = std::make_unique<VersionDirectory>(OnlyOpen{}, files, std::move(path));
  LARDER_TRY(directory->MakeAndLock());
  LARDER_TRY(directory->ReadState());
  LARDER_TRY(directory->ReadVersions());
  return directory;
}

Result<void> VersionDirectory::MakeAndLock() {
  const auto info = files_.Stat(path_);
  if (info && info->kind != io::FileKind::kDirectory) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is not a directory; a dataset keeps its versions in one", path_));
  }
  if (!info) LARDER_TRY(files_.MakeDirectories(path_));
  LARDER_ASSIGN(lock_, files_.Lock(Join(kLockFileName)));
  return {};
}

Result<void> VersionDirectory::ReadState() {
  const std::string path = Join(kStateFileName);
  const auto bytes = io::ReadWholeFile(files_, path, kMaxStateBytes);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) return {};
  const auto state = bytes ? ParseState(*bytes) : std::unexpected(bytes.error());
  if (state) {
    state_ = *state;
  } else if (state.error().code() == ErrorCode::kUnsupported) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("{} was written by a newer Larder: {}", path, state.error().message()));
  } else {
    complaint_ = fmt::format("{} cannot be used ({}): serving the newest version that opens", path,
                             state.error().message());
  }
  return {};
}

Result<void> VersionDirectory::ReadVersions() {
  LARDER_ASSIGN(const auto names, files_.List(path_));
  for (const std::string& name : names) {
    if (IsUnfinishedFileName(name)) {
      if (auto removed = files_.Remove(Join(name)); !removed) LogWarning(removed.error().message());
      continue;
    }
    const auto number = ParseVersionFileName(name);
    if (!number) continue;
    state_.next = std::max(state_.next, *number + 1);
    if (auto opened = OpenVersion(*number); !opened) LogWarning(opened.error().message());
    if (state_.damaged.contains(*number)) entries_[*number].problem = "was found damaged earlier";
    entries_[*number].info.damaged |= state_.damaged.contains(*number);
  }
  return {};
}

bool VersionDirectory::IsGood(uint64_t number) const {
  const auto found = entries_.find(number);
  return found != entries_.end() && found->second.good();
}

std::optional<uint64_t> VersionDirectory::Newest() const { return Before(kVersionNumberLimit); }

std::optional<uint64_t> VersionDirectory::Before(uint64_t number) const {
  std::optional<uint64_t> best;
  for (const auto& [candidate, entry] : entries_) {
    if (candidate < number && entry.good()) best = candidate;
  }
  return best;
}

std::optional<uint64_t> VersionDirectory::Fallback(uint64_t number) const {
  if (const auto before = Before(number)) return before;
  const auto newest = Newest();
  return newest == number ? std::nullopt : newest;
}

std::optional<uint64_t> VersionDirectory::FindContent(std::string_view source_checksum,
                                                      std::string_view import_options) const {
  std::optional<uint64_t> found;
  for (const auto& [number, entry] : entries_) {
    if (entry.good() && entry.info.source_checksum == source_checksum &&
        entry.import_options == import_options) {
      // The one that is served already is the best of several.
      if (number == state_.current) return number;
      found = number;
    }
  }
  return found;
}

std::string VersionDirectory::ListNumbers() const {
  std::string text;
  for (const auto& [number, entry] : entries_) {
    if (!text.empty()) text += ", ";
    text += fmt::format("{}{}", number, entry.good() ? "" : " (unusable)");
  }
  return text.empty() ? "none" : text;
}

std::string VersionDirectory::PathOf(uint64_t number) const {
  return Join(VersionFileName(number));
}

Result<VersionDirectory::SnapshotPointer> VersionDirectory::OpenVersion(uint64_t number) {
  const bool was_good = IsGood(number);
  auto opened = snapshot::Snapshot::Open(files_, PathOf(number));
  if (opened) {
    if (was_good) return opened;
    Entry entry = DescribeVersion(number, **opened);
    if (!(*opened)->damaged()) {
      entries_[number] = std::move(entry);
      return opened;
    }
    opened = Fail(ErrorCode::kCorrupt, fmt::format("{}: a page could not be read", PathOf(number)));
  }
  Entry& entry = entries_[number];
  entry.info.number = number;
  entry.info.damaged = opened.error().code() == ErrorCode::kCorrupt;
  // What fails for another reason may succeed later: an entry that was good stays so.
  if (entry.info.damaged || !was_good) entry.problem = opened.error().message();
  return opened;
}

void VersionDirectory::MarkDamaged(uint64_t number, std::string problem) {
  Entry& entry = entries_[number];
  entry.info.number = number;
  entry.info.damaged = true;
  entry.problem = std::move(problem);
  state_.damaged.insert(number);
}

void VersionDirectory::Assume(uint64_t current, bool pinned) {
  state_.current = current;
  state_.pinned = pinned;
}

Result<void> VersionDirectory::Save(uint64_t current, bool pinned) {
  DirectoryState wanted = state_;
  wanted.current = current;
  wanted.pinned = pinned;
  LARDER_TRY(Write(wanted));
  state_ = std::move(wanted);
  return {};
}

Result<void> VersionDirectory::SaveAnyway(uint64_t current, bool pinned) {
  Assume(current, pinned);
  return Write(state_);
}

Result<void> VersionDirectory::Write(const DirectoryState& state) {
  const auto published = io::PublishFile(files_, EncodeState(state), Join(kStateFileName));
  unsaved_ = !published.has_value();
  return published;
}

bool VersionDirectory::IsDroppable(uint64_t number, const Entry& entry,
                                   uint64_t oldest_kept) const {
  if (number == state_.current) return false;
  return number < oldest_kept || entry.info.damaged;
}

std::vector<std::string> VersionDirectory::Drop(unsigned keep) {
  uint64_t oldest_kept = 0;
  unsigned kept = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && kept < keep; ++entry) {
    if (!entry->second.good()) continue;
    oldest_kept = entry->first;
    ++kept;
  }
  if (kept < keep) oldest_kept = 0;
  std::vector<uint64_t> dropped;
  std::vector<std::string> complaints;
  for (const auto& [number, entry] : entries_) {
    if (!IsDroppable(number, entry, oldest_kept)) continue;
    auto removed = files_.Remove(PathOf(number));
    if (removed || removed.error().code() == ErrorCode::kNotFound) {
      dropped.push_back(number);
    } else {
      complaints.push_back(removed.error().message());
    }
  }
  if (dropped.empty()) return complaints;
  const auto synced = files_.SyncDirectory(path_);
  if (!synced) complaints.push_back(synced.error().message());
  for (const uint64_t number : dropped) entries_.erase(number);
  // Until the directory is synced a power cut can bring a file back: damage must stay known.
  if (synced) {
    std::erase_if(state_.damaged, [this](uint64_t number) { return !entries_.contains(number); });
  }
  return complaints;
}

std::string VersionDirectory::Join(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

}  // namespace larder::dataset

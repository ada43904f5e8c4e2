#include "dataset/version_directory.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "dataset/origin_file.h"

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
    if (name == "depends_on_mtime") entry.depends_on_mtime = value == "yes";
    if (name == "source_mtime_ns") {
      entry.source_mtime_ns = std::strtoll(value.c_str(), nullptr, 10);
    }
    if (name == "built_at_ms") {
      entry.info.built_at_ms = std::strtoll(value.c_str(), nullptr, 10);
    }
    if (name == kSkippedLinesMetadata) {
      entry.skipped_lines = std::strtoull(value.c_str(), nullptr, 10);
    }
  }
  return entry;
}

}  // namespace

bool VersionDirectory::Entry::Holds(const ContentKey& content) const {
  return info.source_checksum == content.source_checksum &&
         import_options == content.import_options &&
         (!depends_on_mtime || source_mtime_ns == content.source_mtime_ns);
}

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
    stored_ = true;
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
  // Without a STATE nobody knows what has passed, and every version that is not refused counts.
  const uint64_t next = stored_ ? state_.next : kVersionNumberLimit;
  for (const std::string& name : names) {
    if (IsUnfinishedFileName(name)) RemoveLeftover(name);
    if (const auto number = ParseVersionFileName(name)) ReadVersion(*number, next);
  }
  for (const std::string& name : names) {
    const auto origin_of = ParseOriginFileName(name);
    if (origin_of && !entries_.contains(*origin_of)) {
      // Should it stay, then no other version may get its number.
      state_.next = std::max(state_.next, *origin_of + 1);
      RemoveLeftover(name);
    }
    const auto number = ParseVerdictFileName(name);
    if (!number) continue;
    state_.next = std::max(state_.next, *number + 1);
    // That of the current version is void: it was accepted, or is not left yet.
    if (*number == state_.current) {
      void_verdicts_.insert(*number);
    } else if (entries_.contains(*number)) {
      ReadVerdict(*number);
    } else {
      RemoveLeftover(name);
    }
  }
  if (auto removed = RemoveVoidVerdicts(); !removed) LogWarning(removed.error().message());
  return {};
}

void VersionDirectory::ReadVersion(uint64_t number, uint64_t next) {
  state_.next = std::max(state_.next, number + 1);
  if (auto opened = OpenVersion(number); !opened) LogWarning(opened.error().message());
  Entry& entry = entries_[number];
  entry.passed = number < next;
  if (!state_.damaged.contains(number)) return;
  entry.problem = "was found damaged earlier";
  entry.info.damaged = true;
}

// Whatever it holds, it is the mark of a refused version.
void VersionDirectory::ReadVerdict(uint64_t number) {
  const std::string path = VerdictPathOf(number);
  const auto bytes = io::ReadWholeFile(files_, path, kMaxVerdictBytes);
  auto refusal = bytes ? ParseVerdict(*bytes) : std::unexpected(bytes.error());
  if (!refusal) {
    const std::string problem =
        fmt::format("its verdict {} cannot be read: {}", path, refusal.error().message());
    LogWarning(fmt::format("version {}: {}", number, problem));
    refusal = Refusal{.findings = {{.gate = "verdict", .sentence = problem}}};
  }
  refusal->version = number;
  entries_[number].refusal = *std::move(refusal);
}

// What the version itself tells is how its publisher made it.
void VersionDirectory::ReadOrigin(Entry& entry) {
  const std::string path = OriginPathOf(entry.info.number);
  const auto bytes = io::ReadWholeFile(files_, path, kMaxOriginBytes);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) return;
  entry.has_origin = true;
  auto origin = bytes ? ParseOrigin(*bytes) : std::unexpected(bytes.error());
  if (!origin) {
    LogWarning(fmt::format("{} cannot be read: {}", path, origin.error().message()));
    return;
  }
  entry.info.source = std::move(origin->source);
  entry.info.source_checksum = std::move(origin->checksum);
  entry.import_options = kSnapshotImportOptions;
  entry.source_mtime_ns = origin->mtime_ns;
  entry.depends_on_mtime = false;
}

Result<void> VersionDirectory::RemoveVoidVerdicts() {
  if (void_verdicts_.empty()) return {};
  for (const uint64_t number : void_verdicts_) {
    const auto removed = files_.Remove(VerdictPathOf(number));
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
  }
  LARDER_TRY(files_.SyncDirectory(path_));
  void_verdicts_.clear();
  return {};
}

void VersionDirectory::RemoveLeftover(const std::string& name) {
  if (auto removed = files_.Remove(Join(name)); !removed) LogWarning(removed.error().message());
}

bool VersionDirectory::IsGood(uint64_t number) const {
  const auto found = entries_.find(number);
  return found != entries_.end() && found->second.good();
}

bool VersionDirectory::Opens(uint64_t number) const {
  const auto found = entries_.find(number);
  return found != entries_.end() && found->second.opens();
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

std::optional<uint64_t> VersionDirectory::FindContent(const ContentKey& content) const {
  std::optional<uint64_t> found;
  for (const auto& [number, entry] : entries_) {
    if (entry.opens() && entry.Holds(content)) {
      // The one that is served already is the best of several, then those that may be.
      if (number == state_.current) return number;
      if (!found || entry.good() || !IsGood(*found)) found = number;
    }
  }
  return found;
}

bool VersionDirectory::PassedBefore(uint64_t number) const {
  const Entry& wanted = entries_.at(number);
  if (wanted.info.source_checksum.empty()) return false;
  return std::ranges::any_of(entries_, [&](const auto& numbered) {
    const Entry& entry = numbered.second;
    return numbered.first != number && entry.passed && !entry.refusal &&
           entry.info.source_checksum == wanted.info.source_checksum &&
           entry.import_options == wanted.import_options;
  });
}

const VersionDirectory::Entry* VersionDirectory::Refused() const {
  const Entry* newest = nullptr;
  for (const auto& [number, entry] : entries_) {
    if (entry.refusal) newest = &entry;
  }
  return newest;
}

std::string VersionDirectory::ListNumbers() const {
  std::string text;
  for (const auto& [number, entry] : entries_) {
    if (!text.empty()) text += ", ";
    const std::string_view remark = entry.good()     ? ""
                                    : entry.refusal  ? " (refused)"
                                    : !entry.opens() ? " (unusable)"
                                                     : " (not judged yet)";
    text += fmt::format("{}{}", number, remark);
  }
  return text.empty() ? "none" : text;
}

std::string VersionDirectory::PathOf(uint64_t number) const {
  return Join(VersionFileName(number));
}

std::string VersionDirectory::OriginPathOf(uint64_t number) const {
  return Join(OriginFileName(number));
}

std::string VersionDirectory::VerdictPathOf(uint64_t number) const {
  return Join(VerdictFileName(number));
}

Result<VersionDirectory::SnapshotPointer> VersionDirectory::OpenVersion(uint64_t number) {
  const bool opened_before = Opens(number);
  auto opened = snapshot::Snapshot::Open(files_, PathOf(number));
  if (opened) {
    if (opened_before) return opened;
    Entry described = DescribeVersion(number, **opened);
    ReadOrigin(described);
    if (!(*opened)->damaged()) {
      Entry& entry = entries_[number];
      described.refusal = std::move(entry.refusal);
      described.passed = entry.passed;
      entry = std::move(described);
      return opened;
    }
    opened = Fail(ErrorCode::kCorrupt, fmt::format("{}: a page could not be read", PathOf(number)));
  }
  Entry& entry = entries_[number];
  entry.info.number = number;
  entry.info.damaged = opened.error().code() == ErrorCode::kCorrupt;
  // What fails for another reason may succeed later: an entry that opened before stays as it is.
  if (entry.info.damaged || !opened_before) entry.problem = opened.error().message();
  return opened;
}

void VersionDirectory::MarkDamaged(uint64_t number, std::string problem) {
  Entry& entry = entries_[number];
  entry.info.number = number;
  entry.info.damaged = true;
  entry.problem = std::move(problem);
  state_.damaged.insert(number);
}

Result<void> VersionDirectory::Refuse(Refusal refusal) {
  const uint64_t number = refusal.version;
  LARDER_TRY(io::PublishFile(files_, EncodeVerdict(refusal), VerdictPathOf(number)));
  entries_[number].refusal = std::move(refusal);
  return {};
}

Result<void> VersionDirectory::Forgive(uint64_t number) {
  const auto removed = files_.Remove(VerdictPathOf(number));
  if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
  LARDER_TRY(files_.SyncDirectory(path_));
  entries_[number].refusal.reset();
  return {};
}

void VersionDirectory::VoidVerdict(uint64_t number) {
  Entry& entry = entries_[number];
  if (!entry.refusal) return;
  entry.refusal.reset();
  void_verdicts_.insert(number);
  if (auto removed = RemoveVoidVerdicts(); !removed) LogWarning(removed.error().message());
}

void VersionDirectory::Assume(uint64_t current, bool pinned) {
  state_.current = current;
  state_.pinned = pinned;
}

Result<void> VersionDirectory::Save(uint64_t current, bool pinned, uint64_t passed) {
  DirectoryState wanted = state_;
  wanted.current = current;
  wanted.pinned = pinned;
  // STATE says of all numbers below `next` that they have passed. What was compiled before these
  // two and never judged is given up: its source has changed since.
  std::vector<uint64_t> given_up;
  for (const auto& [number, entry] : entries_) {
    const bool judged = entry.passed || entry.refusal || number == current || number == passed;
    if (!judged && number < std::max(current, passed)) given_up.push_back(number);
  }
  wanted.damaged.insert(given_up.begin(), given_up.end());
  LARDER_TRY(Write(wanted, passed));
  state_ = std::move(wanted);
  for (const uint64_t number : given_up) MarkDamaged(number, "was never judged by the gates");
  for (const uint64_t number : {current, passed}) {
    if (number == 0) continue;
    entries_[number].passed = true;
    if (number == unborn_) unborn_ = 0;
  }
  return {};
}

Result<void> VersionDirectory::SaveFirst() {
  if (stored_) return {};
  return Write(state_, 0);
}

Result<void> VersionDirectory::SaveAnyway(uint64_t current, bool pinned) {
  Assume(current, pinned);
  return Write(state_, 0);
}

Result<void> VersionDirectory::Write(const DirectoryState& state, uint64_t passed) {
  // One that is not current any more must not be met by a verdict that was void.
  LARDER_TRY(RemoveVoidVerdicts());
  DirectoryState written = state;
  const uint64_t judged = std::max(state.current, passed);
  const auto keep_open = [&](uint64_t number) {
    if (number > judged) written.next = std::min(written.next, number);
  };
  if (unborn_ != 0) keep_open(unborn_);
  for (const auto& [number, entry] : entries_) {
    if (!entry.passed) keep_open(number);
  }
  const auto published = io::PublishFile(files_, EncodeState(written), Join(kStateFileName));
  unsaved_ = !published.has_value();
  if (published) stored_ = true;
  return published;
}

std::vector<std::string> VersionDirectory::Drop(unsigned keep, const std::set<uint64_t>& spared) {
  uint64_t oldest_kept = 0;
  unsigned kept = 0;
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && kept < keep; ++entry) {
    if (!entry->second.good()) continue;
    oldest_kept = entry->first;
    ++kept;
  }
  if (kept < keep) oldest_kept = 0;
  std::vector<uint64_t> numbers;
  for (const auto& [number, entry] : entries_) {
    if (number == state_.current || spared.contains(number)) continue;
    if (number < oldest_kept || entry.info.damaged || entry.refusal) numbers.push_back(number);
  }
  return Unlink(numbers);
}

std::vector<std::string> VersionDirectory::DropRefused(uint64_t spared) {
  std::vector<uint64_t> numbers;
  for (const auto& [number, entry] : entries_) {
    if (number != state_.current && number != spared && entry.refusal) numbers.push_back(number);
  }
  return Unlink(numbers);
}

// A verdict goes after its version is gone for good: a crash must not leave the version without it.
std::vector<std::string> VersionDirectory::Unlink(const std::vector<uint64_t>& numbers) {
  std::vector<uint64_t> dropped;
  std::vector<std::string> complaints;
  const auto is_gone = [&complaints](const Result<void>& removed) {
    if (removed || removed.error().code() == ErrorCode::kNotFound) return true;
    complaints.push_back(removed.error().message());
    return false;
  };
  for (const uint64_t number : numbers) {
    if (is_gone(files_.Remove(PathOf(number)))) dropped.push_back(number);
  }
  if (dropped.empty()) return complaints;
  const auto synced = files_.SyncDirectory(path_);
  if (!synced) complaints.push_back(synced.error().message());
  for (const uint64_t number : dropped) {
    if (synced && entries_.at(number).refusal) is_gone(files_.Remove(VerdictPathOf(number)));
    if (synced && entries_.at(number).has_origin) is_gone(files_.Remove(OriginPathOf(number)));
    entries_.erase(number);
  }
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

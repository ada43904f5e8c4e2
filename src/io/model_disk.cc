#include "io/model_disk.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

namespace larder::io {

namespace {

constexpr uint64_t kDevice = 1;

std::unexpected<Error> FailWith(int reason, std::string_view operation, std::string_view path) {
  return std::unexpected(ErrnoError(reason, operation, path));
}

uint64_t Below(uint64_t limit, std::mt19937_64& random) {
  return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random);
}

}  // namespace

ModelDisk::ModelDisk() {
  directories_["/"].inode = ++last_inode_;
  directories_["."].inode = ++last_inode_;
}

std::string ModelDisk::Normalise(const std::string& path) {
  std::string normal = std::filesystem::path(path).lexically_normal().string();
  if (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal.empty() ? "." : normal;
}

ModelDisk::Place ModelDisk::Split(const std::string& path) {
  const std::filesystem::path normal(Normalise(path));
  const std::string parent = normal.parent_path().string();
  return {.directory = parent.empty() ? "." : parent, .name = normal.filename().string()};
}

Result<ModelDisk::Directory*> ModelDisk::FindDirectory(const std::string& directory,
                                                       std::string_view operation,
                                                       const std::string& path) {
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return FailWith(ENOENT, operation, path);
  return &found->second;
}

Result<ModelDisk::FilePointer> ModelDisk::Find(const std::string& path,
                                               std::string_view operation) const {
  if (directories_.contains(Normalise(path))) return FailWith(EISDIR, operation, path);
  const Place place = Split(path);
  const auto directory = directories_.find(place.directory);
  if (directory == directories_.end()) return FailWith(ENOENT, operation, path);
  const auto file = directory->second.names.find(place.name);
  if (file == directory->second.names.end()) return FailWith(ENOENT, operation, path);
  return file->second;
}

void ModelDisk::Apply(const NameChanges& changes, Names& names) {
  for (const NameChange& change : changes) {
    if (change.file == nullptr) {
      names.erase(change.name);
    } else {
      names[change.name] = change.file;
    }
  }
}

void ModelDisk::Change(Directory& directory, NameChanges changes) {
  Apply(changes, directory.names);
  directory.unsynced.push_back(std::move(changes));
}

Result<ModelDisk::FilePointer> ModelDisk::CreateOrEmpty(const std::string& path) {
  if (directories_.contains(Normalise(path))) return FailWith(EISDIR, "create", path);
  const Place place = Split(path);
  LARDER_ASSIGN(Directory * directory, FindDirectory(place.directory, "create", path));
  if (const auto found = directory->names.find(place.name); found != directory->names.end()) {
    ModelFile& file = *found->second;
    if (!file.before_truncation) file.before_truncation = file.bytes.substr(0, file.synced_bytes);
    file.bytes.clear();
    file.synced_bytes = 0;
    file.mtime_ns = Tick();
    return found->second;
  }
  auto file = std::make_shared<ModelFile>();
  file->inode = ++last_inode_;
  file->mtime_ns = Tick();
  Change(*directory, {{.name = place.name, .file = file}});
  return file;
}

void ModelDisk::Append(ModelFile& file, std::string_view bytes) {
  file.bytes.append(bytes);
  file.mtime_ns = Tick();
}

void ModelDisk::SyncFile(ModelFile& file) {
  file.synced_bytes = file.bytes.size();
  file.before_truncation.reset();
}

FileInfo ModelDisk::InfoOf(const ModelFile& file) {
  return {.kind = FileKind::kRegular,
          .bytes = file.bytes.size(),
          .mtime_ns = file.mtime_ns,
          .inode = file.inode,
          .device = kDevice};
}

Result<FileInfo> ModelDisk::Stat(const std::string& path) const {
  if (const auto found = directories_.find(Normalise(path)); found != directories_.end()) {
    FileInfo info;
    info.kind = FileKind::kDirectory;
    info.inode = found->second.inode;
    info.device = kDevice;
    return info;
  }
  LARDER_ASSIGN(const FilePointer file, Find(path, "stat"));
  return InfoOf(*file);
}

Result<std::vector<std::string>> ModelDisk::List(const std::string& path) const {
  const std::string directory = Normalise(path);
  const auto found = directories_.find(directory);
  if (found == directories_.end()) return FailWith(ENOENT, "list", path);
  std::vector<std::string> names;
  for (const auto& [name, file] : found->second.names) names.push_back(name);
  for (const auto& [other, unused] : directories_) {
    const Place place = Split(other);
    if (place.directory == directory && other != directory) names.push_back(place.name);
  }
  std::ranges::sort(names);
  return names;
}

Result<void> ModelDisk::MakeDirectories(const std::string& path) {
  std::filesystem::path made;
  for (const auto& part : std::filesystem::path(Normalise(path))) {
    made /= part;
    const std::string directory = made.string();
    if (directories_.contains(directory)) continue;
    if (Find(directory, "make directory")) return FailWith(ENOTDIR, "make directory", directory);
    directories_[directory].inode = ++last_inode_;
  }
  return {};
}

Result<void> ModelDisk::Remove(const std::string& path) {
  LARDER_TRY(Find(path, "remove"));
  const Place place = Split(path);
  LARDER_ASSIGN(Directory * directory, FindDirectory(place.directory, "remove", path));
  Change(*directory, {{.name = place.name, .file = nullptr}});
  return {};
}

Result<void> ModelDisk::MoveName(const std::string& from, const std::string& to) {
  const Place from_place = Split(from);
  const Place to_place = Split(to);
  const std::string both = fmt::format("{} to {}", from, to);
  if (from_place.directory != to_place.directory) return FailWith(EXDEV, "rename", both);
  if (directories_.contains(Normalise(to))) return FailWith(EISDIR, "rename", both);
  auto file = Find(from, "rename");
  if (!file) return FailWith(ENOENT, "rename", both);
  LARDER_ASSIGN(Directory * directory, FindDirectory(from_place.directory, "rename", both));
  NameChanges changes;
  if (from_place.name != to_place.name) {
    changes.push_back({.name = to_place.name, .file = *file});
    changes.push_back({.name = from_place.name, .file = nullptr});
  }
  Change(*directory, std::move(changes));
  return {};
}

Result<void> ModelDisk::SyncDirectory(const std::string& path) {
  LARDER_ASSIGN(Directory * directory, FindDirectory(Normalise(path), "sync directory", path));
  directory->synced_names = directory->names;
  directory->unsynced.clear();
  return {};
}

void ModelDisk::SyncName(const std::string& path) {
  const Place place = Split(path);
  const auto found = directories_.find(place.directory);
  if (found == directories_.end()) return;
  Directory& directory = found->second;
  for (NameChanges& changes : directory.unsynced) {
    std::erase_if(changes, [&](const NameChange& change) { return change.name == place.name; });
  }
  const auto file = directory.names.find(place.name);
  Apply({{.name = place.name, .file = file == directory.names.end() ? nullptr : file->second}},
        directory.synced_names);
}

void ModelDisk::TearNames(Directory& directory, std::mt19937_64& random) {
  // A journal replays changes in order up to some point; a file system without one keeps any.
  const bool in_order = Below(2, random) == 0;
  const uint64_t replayed = Below(directory.unsynced.size() + 1, random);
  Names names = directory.synced_names;
  for (size_t i = 0; i < directory.unsynced.size(); ++i) {
    const bool happened = in_order ? i < replayed : Below(2, random) == 0;
    if (happened) Apply(directory.unsynced[i], names);
  }
  directory.names = std::move(names);
}

void ModelDisk::TearFile(ModelFile& file, std::mt19937_64& random) {
  if (file.before_truncation && Below(2, random) == 0) {
    file.bytes = *std::move(file.before_truncation);
    return;
  }
  const uint64_t unsynced = file.bytes.size() - file.synced_bytes;
  const uint64_t tear = file.synced_bytes + Below(unsynced + 1, random);
  // The size may have reached the disk before the bytes did: then zeros stand at the end.
  const uint64_t size = tear + Below(file.bytes.size() - tear + 1, random);
  file.bytes.resize(tear);
  if (Below(2, random) == 0) file.bytes.resize(size);
}

void ModelDisk::PowerCut(Survival survival, std::mt19937_64& random) {
  std::map<uint64_t, FilePointer> files;
  for (auto& [path, directory] : directories_) {
    if (survival == Survival::kSyncedOnly) directory.names = directory.synced_names;
    if (survival == Survival::kTorn) TearNames(directory, random);
    directory.synced_names = directory.names;
    directory.unsynced.clear();
    for (const auto& [name, file] : directory.names) files.emplace(file->inode, file);
  }
  for (auto& [inode, file] : files) {
    if (survival == Survival::kSyncedOnly) {
      file->bytes = file->before_truncation.value_or(file->bytes.substr(0, file->synced_bytes));
    }
    if (survival == Survival::kTorn) TearFile(*file, random);
    SyncFile(*file);
  }
}

}  // namespace larder::io

#include "io/model_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace larder::io {

namespace {

constexpr uint64_t kDevice = 1;
constexpr uint64_t kBlockBytes = 4096;

std::unexpected<Error> FailWith(int reason, std::string_view operation, std::string_view path) {
  return std::unexpected(ErrnoError(reason, operation, path));
}

uint64_t Below(uint64_t limit, std::mt19937_64& random) {
  return std::uniform_int_distribution<uint64_t>(0, limit - 1)(random);
}

bool Coin(std::mt19937_64& random) { return Below(2, random) == 0; }

uint64_t WholeBlocks(uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// [begin, end) was written.
void MarkDirty(ModelFile& file, uint64_t begin, uint64_t end) {
  if (begin == end) return;
  for (uint64_t block = begin / kBlockBytes; block * kBlockBytes < end; ++block) {
    file.dirty.try_emplace(block);
  }
}

std::string_view BlockOf(std::string_view bytes, uint64_t block) {
  return bytes.substr(std::min(block * kBlockBytes, uint64_t{bytes.size()}), kBlockBytes);
}

// The block of `to` becomes `content`, and zeros behind it, up to `end`.
void PutBlock(std::string_view content, uint64_t block, uint64_t end, std::string& to) {
  const uint64_t begin = block * kBlockBytes;
  const uint64_t limit = std::min({begin + kBlockBytes, end, uint64_t{to.size()}});
  if (begin >= limit) return;
  std::memset(to.data() + begin, 0, limit - begin);
  content.copy(to.data() + begin, limit - begin);
}

}  // namespace

SharedBytes::SharedBytes(std::string_view bytes, size_t size) : size_(size) {
  data_ = static_cast<char*>(::operator new(size, std::align_val_t{kBlockBytes}));
  std::memset(data_, 0, size);
  bytes.copy(data_, size);
}

SharedBytes::~SharedBytes() { ::operator delete(data_, std::align_val_t{kBlockBytes}); }

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
  const auto found = Find(path, "create");
  if (!found) return CreateNew(path);
  Resize(**found, 0);
  (*found)->in_place = false;
  return *found;
}

Result<ModelDisk::FilePointer> ModelDisk::CreateNew(const std::string& path) {
  if (directories_.contains(Normalise(path))) return FailWith(EEXIST, "create", path);
  const Place place = Split(path);
  LARDER_ASSIGN(Directory * directory, FindDirectory(place.directory, "create", path));
  if (directory->names.contains(place.name)) return FailWith(EEXIST, "create", path);
  auto file = std::make_shared<ModelFile>();
  file->inode = ++last_inode_;
  file->mtime_ns = Tick();
  Change(*directory, {{.name = place.name, .file = file}});
  return file;
}

void ModelDisk::Append(ModelFile& file, std::string_view bytes) {
  const uint64_t begin = file.bytes.size();
  file.bytes.append(bytes);
  MarkDirty(file, begin, file.bytes.size());
  file.mtime_ns = Tick();
}

void ModelDisk::WriteAt(ModelFile& file, uint64_t offset, std::string_view bytes,
                        std::mt19937_64& random) {
  const uint64_t end = offset + bytes.size();
  const auto behind = file.dirty.lower_bound(WholeBlocks(end) / kBlockBytes);
  for (auto at = file.dirty.lower_bound(offset / kBlockBytes); at != behind; ++at) {
    // The kernel writes when it pleases: perhaps just before this.
    if (Coin(random)) at->second = BlockOf(file.bytes, at->first);
  }
  bytes.copy(file.bytes.data() + offset, bytes.size());
  MarkDirty(file, offset, end);
  file.mtime_ns = Tick();
}

void ModelDisk::Resize(ModelFile& file, uint64_t bytes) {
  const bool cut = bytes < file.bytes.size();
  file.bytes.resize(bytes);
  file.kept = std::min(file.kept, bytes);
  if (cut) {
    // Where the file ends within a block, the rest of that block has become zeros.
    file.dirty.erase(file.dirty.lower_bound(bytes / kBlockBytes), file.dirty.end());
    MarkDirty(file, bytes, WholeBlocks(bytes));
  }
  file.mtime_ns = Tick();
}

std::shared_ptr<SharedBytes> ModelDisk::Share(ModelFile& file, uint64_t bytes) {
  if (file.bytes.size() != bytes) Resize(file, bytes);
  if (file.shared == nullptr || file.shared->size() != bytes) {
    const auto before = std::move(file.shared);
    const std::string_view content = before == nullptr ? file.bytes : before->bytes();
    file.shared = std::make_shared<SharedBytes>(content, bytes);
  }
  return file.shared;
}

void ModelDisk::LeaveShared() {
  for (auto& [path, directory] : directories_) {
    for (auto& [name, file] : directory.names) {
      if (file->shared == nullptr) continue;
      file->shared = std::make_shared<SharedBytes>(file->shared->bytes(), file->shared->size());
    }
  }
}

void ModelDisk::SyncFile(ModelFile& file) {
  file.synced.resize(file.kept);
  file.synced.resize(file.bytes.size());
  for (const auto& [block, written] : file.dirty) {
    PutBlock(BlockOf(file.bytes, block), block, file.bytes.size(), file.synced);
  }
  file.dirty.clear();
  file.kept = file.bytes.size();
}

void ModelDisk::FailToSyncFile(ModelFile& file) { file.dirty.clear(); }

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

uint64_t ModelDisk::TornSize(const ModelFile& file, std::mt19937_64& random) {
  const uint64_t now = file.bytes.size();
  switch (Below(3, random)) {
    case 0:
      return file.kept;
    case 1:
      return now;
    default:
      break;
  }
  const uint64_t between = file.kept + Below(now - file.kept + 1, random);
  return file.in_place ? std::min(WholeBlocks(between), now) : between;
}

std::string ModelDisk::TornBytes(const ModelFile& file, std::mt19937_64& random) {
  std::string torn = file.synced;
  const bool cut_came_back = file.kept < file.synced.size() && Coin(random);
  // How far the new blocks go: behind a cut they lie elsewhere than the old.
  const uint64_t end = cut_came_back ? WholeBlocks(file.kept) : TornSize(file, random);
  if (!cut_came_back) {
    torn.resize(file.kept);
    torn.resize(end);
  }
  const bool all = Below(4, random) == 0;  // by chance alone, many blocks never survive together
  for (const auto& [block, written] : file.dirty) {
    const bool now = all || Coin(random);
    if (now || !written.empty()) {
      PutBlock(now ? BlockOf(file.bytes, block) : written, block, end, torn);
    }
  }
  if (!file.in_place && !cut_came_back && !all && end > file.kept && Coin(random)) {
    const uint64_t zeros = file.kept + Below(end - file.kept, random);
    std::fill(torn.begin() + static_cast<ptrdiff_t>(zeros), torn.end(), '\0');
  }
  return torn;
}

// By words: whatever the kernel wrote, and when, a word was written by one store.
void ModelDisk::TearShared(ModelFile& file, std::mt19937_64& random) {
  constexpr size_t kWord = sizeof(uint64_t);
  std::string left(file.shared->bytes().substr(0, file.bytes.size()));
  const uint64_t kind = Below(3, random);
  for (size_t at = 0; at < left.size(); at += kWord) {
    const bool lost = kind == 0 || (kind == 1 && Coin(random));
    if (lost) left.replace(at, kWord, std::min(kWord, left.size() - at), '\0');
  }
  file.shared = std::make_shared<SharedBytes>(left, left.size());
}

void ModelDisk::PowerCut(Survival survival, std::mt19937_64& random) {
  if (survival == Survival::kEverything) return;
  std::map<uint64_t, FilePointer> files;
  for (auto& [path, directory] : directories_) {
    if (survival == Survival::kSyncedOnly) directory.names = directory.synced_names;
    if (survival == Survival::kTorn) TearNames(directory, random);
    directory.synced_names = directory.names;
    directory.unsynced.clear();
    for (const auto& [name, file] : directory.names) files.emplace(file->inode, file);
  }
  for (auto& [inode, file] : files) {
    file->bytes = survival == Survival::kTorn ? TornBytes(*file, random) : file->synced;
    file->synced = file->bytes;
    file->kept = file->bytes.size();
    file->dirty.clear();
    if (file->shared != nullptr) TearShared(*file, random);
  }
}

}  // namespace larder::io

#include "store/catalogue.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace larder::store {

Catalogue::Catalogue(io::FileSystem& files) : files_(files) {}
Catalogue::~Catalogue() = default;

Result<dataset::Dataset*> Catalogue::AddDataset(uint32_t database, dataset::Options options) {
  if (database >= kDatabases) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("store {}: there is no database {}, they are numbered from 0 to {}",
                            options.name, database, kDatabases - 1));
  }
  if (const auto* other = ByDatabase(database)) {
    return Fail(ErrorCode::kAlreadyExists,
                fmt::format("store {}: database {} is taken by store {}", options.name, database,
                            other->options().name));
  }
  if (ByName(options.name) != nullptr) {
    return Fail(ErrorCode::kAlreadyExists,
                fmt::format("there is a store {} already", options.name));
  }
  LARDER_TRY(CheckDirectory(options));
  LARDER_ASSIGN(auto opened, dataset::Dataset::Open(files_, epochs_, std::move(options)));
  dataset::Dataset* const added = opened.get();
  entries_.push_back(Entry{database, std::move(opened)});
  by_database_[database] = added;
  return added;
}

dataset::Dataset* Catalogue::ByName(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.dataset->options().name == name) return entry.dataset.get();
  }
  return nullptr;
}

Result<void> Catalogue::CheckDirectory(const dataset::Options& options) const {
  const auto wanted = files_.Stat(options.directory);
  if (!wanted) return {};  // not there yet: nobody has it
  for (const Entry& entry : entries_) {
    const dataset::Options& other = entry.dataset->options();
    const auto taken = files_.Stat(other.directory);
    if (taken && taken->device == wanted->device && taken->inode == wanted->inode) {
      return Fail(ErrorCode::kAlreadyExists,
                  fmt::format("store {}: its directory {} is that of store {}", options.name,
                              options.directory, other.name));
    }
  }
  return {};
}

}  // namespace larder::store

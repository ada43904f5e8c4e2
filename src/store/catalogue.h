// Catalogue: the named stores of one server, by name and by database number.
//
// Ownership:  owns the stores and the epoch domain that protects their readers.
// Threads:    Add before readers start; look-ups from any thread.
// Cost:       ByDatabase is an array access.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/epoch.h"
#include "base/error.h"
#include "dataset/dataset.h"
#include "io/file_system.h"

namespace larder::store {

inline constexpr uint32_t kDatabases = 16;  // SELECT 0 .. 15, as Redis's default

class Catalogue {
 public:
  explicit Catalogue(io::FileSystem& files);
  ~Catalogue();

  // Opens the dataset and gives it the database number. Errors: those of Dataset::Open,
  // kAlreadyExists (name, directory or number taken), kInvalidArgument (number out of range).
  Result<dataset::Dataset*> AddDataset(uint32_t database, dataset::Options options);

  // Null: no store there (an empty database, as in Redis).
  dataset::Dataset* ByDatabase(uint32_t database) const { return by_database_[database]; }
  dataset::Dataset* ByName(std::string_view name) const;

  struct Entry {
    uint32_t database;
    std::unique_ptr<dataset::Dataset> dataset;
  };
  const std::vector<Entry>& entries() const { return entries_; }

  EpochDomain& epochs() { return epochs_; }

 private:
  Result<void> CheckDirectory(const dataset::Options& options) const;

  io::FileSystem& files_;
  EpochDomain epochs_;
  std::vector<Entry> entries_;
  std::array<dataset::Dataset*, kDatabases> by_database_{};
};

}  // namespace larder::store

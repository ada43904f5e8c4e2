// StoreFiles: where the versions of a store lie, for the subcommands that read them as files.
//
// A version's file never changes, so it is read without the directory's lock, whoever serves it.
//
// Errors: kNotFound (no such store, nothing readable here), those of asking a server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/store_access.h"
#include "dataset/dataset.h"

namespace larder::cli {

struct StoreFiles {
  std::string store;
  std::string directory;
  // Oldest first. What was found without a server has no more than numbers and marks.
  std::vector<dataset::VersionInfo> versions;
};

// Asks the server that has the store, or else reads its directory.
Result<StoreFiles> FindStoreFiles(const StoreArguments& arguments);

// What the directory itself says.
Result<StoreFiles> ReadStoreDirectory(const std::string& store, const std::string& directory);

// The version that is meant by what stands behind the "@": a number, "refused", "previous"; empty:
// the current one. kNotFound, kInvalidArgument.
Result<dataset::VersionInfo> ChooseVersion(const StoreFiles& files, std::string_view which);
// The same for those that may be there or not.
std::optional<dataset::VersionInfo> CurrentVersion(const StoreFiles& files);
std::optional<dataset::VersionInfo> PreviousVersion(const StoreFiles& files);
std::optional<dataset::VersionInfo> RefusedVersion(const StoreFiles& files);

}  // namespace larder::cli

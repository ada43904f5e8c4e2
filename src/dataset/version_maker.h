// VersionMaker: the version on disk that holds what a source holds: found, or made.
//
// Content decides. Data are read once for their checksum; what a version on disk holds is not made
// again. A Snapshot is copied, everything else compiled. What a pointer file names is recognised by
// path, size, time and inode when it was made a version of before in this process, and not read at
// all: naming it again goes back to that version in milliseconds.
//
// Threads: one at a time.
// Errors:  those of CompileSource and CopySnapshot; nothing is left on disk then.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/compile.h"
#include "dataset/dataset.h"
#include "dataset/source_sight.h"
#include "dataset/status_board.h"
#include "dataset/version_switch.h"
#include "io/file_system.h"

namespace larder::dataset {

// How many sets of files that a pointer file has named are recognised.
inline constexpr size_t kRememberedData = 16;

class VersionMaker {
 public:
  VersionMaker(io::FileSystem& files, VersionSwitch& versions, StatusBoard& board,
               const std::atomic<bool>& cancelled)
      : files_(files), versions_(versions), board_(board), cancelled_(cancelled) {}

  struct Made {
    uint64_t number = 0;
    bool compiled = false;  // or copied: its file was published just now
  };
  // `reread`: nothing is recognised without reading it.
  Result<Made> Make(const Options& options, const SourceSight& sight, bool reread);
  void Forget() { remembered_.clear(); }

 private:
  struct Remembered {
    std::vector<SeenFile> data;
    importer::SourceIdentity identity;
  };
  std::optional<importer::SourceIdentity> Recognise(const SourceSight& sight) const;
  void Remember(const SourceSight& sight, const importer::SourceIdentity& identity);
  Result<importer::SourceIdentity> Identify(const SourceSight& sight) const;
  Result<Made> MakeAnew(const Options& options, IdentifiedSource source);
  Result<void> CheckDirectory(const Options& options) const;
  Result<void> Compile(const Options& options, IdentifiedSource source,
                       const VersionSwitch::Birth& birth);
  Result<void> Copy(const Options& options, IdentifiedSource source,
                    const VersionSwitch::Birth& birth);
  Result<void> VerifyWhole(const Options& options, const std::string& path) const;

  io::FileSystem& files_;
  VersionSwitch& versions_;
  StatusBoard& board_;
  const std::atomic<bool>& cancelled_;
  std::vector<Remembered> remembered_;  // the newest last
};

}  // namespace larder::dataset

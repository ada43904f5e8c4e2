// SourceSight: all that tells a source apart from what it was before, short of reading it; and
// SourceObserver, which looks.
//
// Threads: one at a time.
// Errors:  See: the source is not there, or is no file. What is wrong with what it holds (a pointer
//          file that is none) is part of the sight: it stays as it is until the source changes.
// Cost:    some Stats; the first bytes are read when the file has changed, a pointer file each
// time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dataset/dataset.h"
#include "dataset/source_files.h"
#include "io/file_system.h"

namespace larder::dataset {

struct SeenFile {
  std::string path;
  std::optional<io::FileInfo> info;  // none: it is not there
  bool operator==(const SeenFile&) const = default;
};

struct SourceSight {
  SeenFile source;
  SourceFiles files;
  std::vector<SeenFile> data;    // the data first, then digest files and index
  std::optional<Error> problem;  // why `files` cannot be told
  bool operator==(const SourceSight& other) const {
    return source == other.source && files == other.files && data == other.data;
  }
};

class SourceObserver {
 public:
  explicit SourceObserver(io::FileSystem& files) : files_(files) {}
  Result<SourceSight> See(const Options& options);
  // Of other options, or of a file that may have changed without a trace: what it was last is
  // found out anew.
  void Forget() { known_.reset(); }

 private:
  struct KnownFormat {
    SeenFile source;
    importer::Format format;
  };
  Result<SourceFiles> FilesOf(const Options& options, const SeenFile& source);

  io::FileSystem& files_;
  std::optional<KnownFormat> known_;
};

}  // namespace larder::dataset

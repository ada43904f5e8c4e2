// SourceFiles: which files a source consists of, and what they are read as.
//
// A source is one file, or rostore's pointer file, which names a file of records and an index.
//
// Errors: ResolveSource: kCorrupt (a pointer file that is none), those of reading. IdentifyData:
//         kRefused (the file changed while it was read, or a digest file beside it says otherwise).
// Cost:   ResolveSource reads the first bytes of the source; IdentifyData reads the data once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "dataset/dataset.h"
#include "import/importer.h"
#include "io/file_system.h"

namespace larder::dataset {

struct SourceFiles {
  importer::Format format = importer::Format::kAuto;  // kAuto only for a program's own importer
  std::string data;   // the records, or the Snapshot; digest files stand beside this one
  std::string index;  // of a pointer file's records; empty: none
  bool operator==(const SourceFiles&) const = default;
};

Result<SourceFiles> ResolveSource(io::FileSystem& files, const Options& options);
// The same in two steps: what the source is, and then which files that means.
Result<importer::Format> FindFormat(io::FileSystem& files, const Options& options);
Result<SourceFiles> FindFiles(io::FileSystem& files, const Options& options,
                              importer::Format format);

// How the data are read: the options of the source, with the format that was found.
importer::SourceOptions ReadingOptions(const Options& options, importer::Format format);

// What, besides the data's bytes, decides a version's content (docs/formats/dataset.md).
std::string ImportOptionsText(const Options& options, importer::Format format);

// Reads the data's checksum, and compares them with the digest files beside them.
Result<importer::SourceIdentity> IdentifyData(
    io::FileSystem& files, const std::string& data,
    const std::function<bool(uint64_t done, uint64_t total)>& progress = {});

}  // namespace larder::dataset

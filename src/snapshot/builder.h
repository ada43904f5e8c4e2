// Builder: makes one Snapshot file from a stream of records, in bounded memory.
//
// Records are encoded by the threads that fill batches, written front to back by the thread that
// appends them, and indexed at the end: (hash, offset) pairs are sorted in memory, or as runs on
// disk beyond `memory_bytes`. Before the file gets its name every key is looked up in it.
//
// Ownership:  owns its temporary files (beside the target, ending in .tmp) and removes them.
// Threads:    NewBatch and the batches from any thread, Append and Finish from one.
// Errors:     kRefused (a duplicate under Duplicates::kError), kNoSpace, kIoError; after an error
// the
//             target is untouched.
// Durability: when Finish returns, the file is whole under its name and survives a power cut.
// Format:     docs/formats/snapshot.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/file_system.h"
#include "larder/record.h"

namespace larder::snapshot {

using larder::Duplicates;

struct BuildOptions {
  uint64_t memory_bytes = uint64_t{1} << 30;  // for the index under construction and its runs
  unsigned threads = 0;                       // for sorting and the final look-ups; 0: all
  Duplicates duplicates = Duplicates::kLast;
  std::optional<char> separator = '/';  // groups keys into collections; none: no directory
  // Those of the store's previous version; none: taken from the system's randomness.
  std::optional<uint64_t> key_seed;
  std::optional<uint64_t> member_seed;
  std::vector<std::pair<std::string, std::string>> metadata;
  // Called now and then with a name of the step and a share of it between 0 and 1; returning false
  // cancels with kCancelled.
  std::function<bool(std::string_view step, double share)> progress;
};

struct BuildReport {
  uint64_t records = 0;     // live
  uint64_t duplicates = 0;  // records that another of the same key replaced
  uint64_t file_bytes = 0;
  uint64_t index_bytes = 0;
  uint64_t spilled_runs = 0;
};

class Builder : public RecordSink {
 public:
  static Result<std::unique_ptr<Builder>> Create(io::FileSystem& files, const std::string& path,
                                                 BuildOptions options);
  // Removes the temporaries of an unfinished build.
  ~Builder() override = default;

  // Metadata that is known only once the source has been read (its checksum); before Finish.
  virtual void AddMetadata(std::string name, std::string value) = 0;
  // Writes index, directory, metadata and footer, looks every key up, publishes the file. Once.
  virtual Result<BuildReport> Finish() = 0;
};

}  // namespace larder::snapshot

// Snapshot: one immutable file of records, opened in constant time and read from its mapping.
//
// Ownership:  owns its mapping; everything it hands out points into the mapping and lives as long
// as
//             the Snapshot. Shared by shared_ptr; workers hold plain pointers under an epoch.
// Threads:    immutable after Open: all members from any thread.
// Errors:     Open says what is wrong with a file (kCorrupt, kUnsupported); look-ups in a damaged
//             file miss, they never read outside the mapping and never fail.
// Durability: a file that PublishFile has published is whole; see io/file_system.h.
// Cost:       Open reads two pages; Find touches two cache lines and the value.
// Format:     docs/formats/snapshot.md
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "io/file_system.h"
#include "io/resident_mapping.h"
#include "larder/record.h"
#include "larder/residency.h"
#include "snapshot/expiries.h"
#include "snapshot/value.h"

namespace larder::snapshot {

class BucketTable;
struct FoundRecord;
struct RecordSpace;

// The numbers of the footer, checked by Open.
struct Header {
  uint32_t format_version = 0;
  std::optional<char> separator;
  uint64_t file_bytes = 0;
  uint64_t key_seed = 0;
  uint64_t member_seed = 0;
  uint64_t records_end = 0;
  uint64_t index_offset = 0;
  uint64_t index_home_buckets = 0;
  uint64_t index_total_buckets = 0;
  uint64_t directory_offset = 0;
  uint64_t directory_bytes = 0;
  uint64_t directory_home_buckets = 0;
  uint64_t directory_total_buckets = 0;
  uint64_t collection_count = 0;
  uint64_t metadata_offset = 0;
  uint64_t metadata_bytes = 0;
  uint64_t checksums_offset = 0;
  uint64_t checksum_count = 0;
  uint64_t checksums_checksum = 0;
  uint64_t record_count = 0;
  std::array<uint64_t, kValueTypeCount> records_by_type{};
  Expiries expiries;
  uint64_t dead_records = 0;
  uint64_t dead_bytes = 0;
  uint64_t longest_chain = 0;
};

// One record in the file.
struct Entry {
  std::string_view key;
  Value value;
};

class Snapshot {
 public:
  // Errors: kNotFound, kCorrupt (which bytes, what was expected), kUnsupported (newer format).
  static Result<std::shared_ptr<const Snapshot>> Open(io::FileSystem& files,
                                                      const std::string& path);
  // The same with its bytes brought into memory first, as far as they can be: residency() says how
  // far. Errors besides: kCorrupt (a page could not be read), kCancelled (by `go_on`).
  static Result<std::shared_ptr<const Snapshot>> OpenResident(
      io::FileSystem& files, const std::string& path, Residency residency,
      const std::function<bool()>& go_on = {});
  // The same for bytes that are already mapped, or stand in memory; `name` is for messages.
  static Result<std::shared_ptr<const Snapshot>> OpenMapping(std::string name,
                                                             std::unique_ptr<io::Mapping> mapping);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Header& header() const { return header_; }
  const std::string& path() const { return path_; }
  uint64_t record_count() const { return header_.record_count; }
  // Sorted pairs of the metadata section; reads that section.
  std::vector<std::pair<std::string, std::string>> Metadata() const;

  // ---- Look-ups. An expired record is found: the caller compares its expiry with its clock.
  uint64_t Hash(std::string_view key) const { return HashBytes(key, header_.key_seed); }
  std::optional<Value> Find(std::string_view key) const { return Find(key, Hash(key)); }
  std::optional<Value> Find(std::string_view key, uint64_t hash) const;
  // The same as two words (snapshot/stored_record.h).
  FoundRecord Locate(std::string_view key, uint64_t hash) const;

  // ---- Look-ups of a batch: StartLookup all keys, Prefetch them together, Find each. Memory works
  // on all of them at once.
  static constexpr uint64_t kUnknownRecord = 1;  // nobody has looked; no record begins there
  struct Lookup {
    uint64_t hash = 0;
    uint64_t record = kUnknownRecord;  // where it probably is; 0: nowhere
  };
  Lookup StartLookup(std::string_view key) const { return {.hash = Hash(key)}; }
  void Prefetch(std::span<Lookup> lookups) const;
  std::optional<Value> Find(std::string_view key, const Lookup& lookup) const;
  // The same into a place that is there already.
  void FindInto(std::string_view key, const Lookup& lookup, std::optional<Value>& found) const;
  // What Prefetch does, in steps for whoever has something else to do meanwhile.
  void PrefetchBucket(uint64_t hash) const;
  void PrefetchRecord(Lookup& lookup) const;       // reads the bucket
  void PrefetchValue(const Lookup& lookup) const;  // reads the record's head

  // ---- Walks, in the order of the hash. Each calls `entry` for about `count` records, returns the
  // next cursor; 0 starts, 0 ends (docs/formats/snapshot.md, "SCAN cursors").
  using EntrySink = std::function<void(const Entry&)>;
  uint64_t Scan(uint64_t cursor, uint64_t count, const EntrySink& entry) const;
  // Only the records of one collection; needs a directory (header().separator).
  uint64_t ScanCollection(std::string_view collection, uint64_t cursor, uint64_t count,
                          const EntrySink& entry) const;
  uint64_t CollectionSize(std::string_view collection) const;  // 0: no such collection

  // ---- In the order of the file, which is that of the source: calls `entry` for every live record
  // until it returns false. Cost: front to back through the file, and a look-up per record where
  // the file has dead ones. Errors: kCorrupt, with the byte; what came before was right.
  Result<void> ForEach(const std::function<bool(const Entry&)>& entry) const;

  // A record chosen with `random` (uniform 64 bits); evenly enough for RANDOMKEY. Empty: none.
  std::optional<Entry> RandomEntry(uint64_t random) const;

  // A page of the mapping could not be read; see io/mapping.h.
  bool damaged() const { return mapping_->damaged(); }
  const io::Mapping& mapping() const { return *mapping_; }
  // What was reached, and why it is not what was asked for (empty: it is); io/resident_mapping.h.
  Residency residency() const { return residency_; }
  const std::string& residency_shortfall() const { return residency_shortfall_; }

 private:
  // Larger values are read by a copy that is long enough for the processor to run ahead by itself.
  static constexpr uint64_t kPrefetchBytes = 1024;

  // Records of one collection: as many slots, in the order of their keys' hashes.
  struct MemberList {
    const char* slots = nullptr;
    uint64_t count = 0;
    uint64_t At(uint64_t number) const { return LoadLe<uint64_t>(slots + number * 8); }
  };

  Snapshot(std::string path, io::ResidentMapping mapping, const Header& header);
  static Result<std::shared_ptr<const Snapshot>> OpenBytes(std::string name,
                                                           io::ResidentMapping mapping);
  BucketTable Index() const;
  RecordSpace Records() const;
  std::optional<MemberList> FindCollection(std::string_view name) const;
  friend class Verifier;

  std::string path_;
  std::unique_ptr<io::Mapping> mapping_;
  Residency residency_;
  std::string residency_shortfall_;
  Header header_;
  // Copies of what every look-up needs, side by side.
  const char* base_ = nullptr;
  const char* index_ = nullptr;
};

struct VerifyReport {
  uint64_t bytes = 0;
  uint64_t records = 0;
  uint64_t collections = 0;
};

// Reads everything: every block's checksum, every record's form, that every live record is found by
// its key and every count is true. Errors: kCorrupt with the offset and what was found, kCancelled.
// `progress` is called with bytes done now and then; returning false cancels.
Result<VerifyReport> Verify(const Snapshot& snapshot,
                            const std::function<bool(uint64_t bytes_done)>& progress = {});

}  // namespace larder::snapshot

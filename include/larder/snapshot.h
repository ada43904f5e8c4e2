// Snapshot: a handle of one immutable set of records, mapped from its file.
//
//   auto features = larder::Snapshot::Open("features.snap");
//   if (!features) return Complain(features.error().message());
//   if (auto user = features->Find("user:1")) Use(user->text());
//
// A handle that was default-made is empty: it holds no record and every look-up misses.
//
// Ownership:  handles share the mapping; the last one unmaps it. What is found points into it: keep
//             a handle as long as you use a Value, a view or a text. The file may be removed or
//             replaced meanwhile (never truncated or written to: a version is a new file).
// Threads:    immutable: everything from any thread; one handle object is assigned to by one.
// Errors:     Open says what is wrong with a file; look-ups in a damaged file miss. A page that
//             cannot be read (a failing disk, a file that somebody has cut) would end the program
//             with SIGBUS: the first mapping installs a handler that puts zeros there and marks the
//             Snapshot damaged(). It passes other faults on to the handler that was there before; a
//             program that installs its own afterwards has to pass these on to Larder's.
// Durability: files are only read.
// Cost:       Open reads two pages, whatever the size of the file. Find is one to three cache
//             misses and allocates nothing; FindMany lets those of several keys overlap. Copying a
//             handle is one shared count: not per look-up.
// Fork:       a child may go on reading Snapshots that were open.
// Format:     docs/formats/snapshot.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/api.h"
#include "larder/error.h"
#include "larder/residency.h"
#include "larder/value.h"

namespace larder {

namespace snapshot {
class Snapshot;
}
class RecordRange;

// What becomes of a record whose expiry has passed, by the system's clock; the clock is read only
// for records that have one.
enum class Expired : uint8_t {
  kMissing,  // as if it were not there, which is how the server answers
  kFound,
};

class Snapshot {
 public:
  // Errors: kNotFound, kPermissionDenied, kCorrupt (which bytes, what was expected), kUnsupported
  // (a newer format).
  // `residency`: brings it into memory first (docs/operations.md, "Memory"); kCorrupt when a page
  // cannot be read. Cost: kMapped reads two pages, the others the whole file.
  LARDER_API static Result<Snapshot> Open(const std::string& path,
                                          Residency residency = Residency::kMapped);
  Snapshot() = default;

  explicit operator bool() const { return snapshot_ != nullptr; }
  // In the Dataset that it was taken from; 0: it is of none.
  uint64_t version_number() const { return version_number_; }
  LARDER_API uint64_t record_count() const;  // those that have expired included
  LARDER_API std::string path() const;
  // What was reached of the residency that was asked for.
  LARDER_API Residency residency() const;
  // What the builder noted (source, checksum, time...), sorted by name.
  LARDER_API std::vector<std::pair<std::string, std::string>> Metadata() const;
  // A page could not be read: some of what was found since may be zeros that are not in the file.
  LARDER_API bool damaged() const;
  // Reads everything: checksums, every record, every look-up. Errors: kCorrupt (what, where).
  LARDER_API Result<void> Verify() const;

  // Not of a temporary, whose Snapshot may be gone before its Value is used.
  // Here, so that what is done with the value need not wait until it was written to memory.
  std::optional<Value> Find(std::string_view key, Expired expired = Expired::kMissing) const& {
    const Place place = Locate(key);
    if (place.value == nullptr) return std::nullopt;
    if (place.head >> kFlagsShift != 0) return FindFlagged(key, expired);
    Value value;
    value.type = static_cast<ValueType>(place.head >> kTypeShift);
    value.encoded = {place.value, place.head & kValueBytes};
    value.member_seed = member_seed_;
    return value;
  }
  std::optional<Value> Find(std::string_view, Expired = Expired::kMissing) const&& = delete;
  // values[i] = Find(keys[i]), as far as there is room.
  LARDER_API void FindMany(std::span<const std::string_view> keys,
                           std::span<std::optional<Value>> values,
                           Expired expired = Expired::kMissing) const&;
  void FindMany(std::span<const std::string_view>, std::span<std::optional<Value>>,
                Expired = Expired::kMissing) const&& = delete;

  // ---- Walks, in no order that means anything; each record once.
  // Every record. Cost: the index, front to back, and each record.
  LARDER_API RecordRange Records(Expired expired = Expired::kMissing) const;
  // Those whose keys are `name`, the separator (DatasetOptions::separator, "/"), and anything: of
  // "artist": "artist/1", "artist/1/name". Cost: these records only.
  LARDER_API RecordRange Collection(std::string_view name,
                                    Expired expired = Expired::kMissing) const;
  // Those whose keys begin so. Cost: the records of one collection when the prefix holds the
  // separator, else every record is looked at.
  LARDER_API RecordRange WithPrefix(std::string_view prefix,
                                    Expired expired = Expired::kMissing) const;
  // How many keys the collection has, those that have expired included. O(1).
  LARDER_API uint64_t CollectionSize(std::string_view name) const;

 private:
  friend class Dataset;
  friend class RecordRange;
  LARDER_API Snapshot(std::shared_ptr<const snapshot::Snapshot> snapshot, uint64_t version_number);

  // Where a value is, and its record's head (docs/formats/snapshot.md, "Record"); null: nowhere.
  struct Place {
    const char* value;
    uint64_t head;
  };
  static constexpr int kTypeShift = 57;
  static constexpr int kFlagsShift = 60;
  static constexpr uint64_t kValueBytes = (uint64_t{1} << 40) - 1;
  LARDER_API Place Locate(std::string_view key) const;
  // A record with an expiry, a version or flags.
  LARDER_API std::optional<Value> FindFlagged(std::string_view key, Expired expired) const;

  std::shared_ptr<const snapshot::Snapshot> snapshot_;
  uint64_t version_number_ = 0;
  uint64_t member_seed_ = 0;
};

struct Record {
  std::string_view key;
  Value value;
};

// RecordRange: a walk through a Snapshot, for range-for.
//
//   for (const larder::Record& record : snapshot.Collection("artist")) ...
//
// Ownership:  holds a handle of its Snapshot, so a temporary one will do; a record's bytes are good
//             as long as the range (or another handle) is kept, the Record itself until the next.
// Threads:    one walk, one thread.
// Cost:       some hundred records at a time are gathered in memory of its own.
class RecordRange {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Record;
    using difference_type = std::ptrdiff_t;

    const Record& operator*() const { return range_->batch_[range_->at_]; }
    const Record* operator->() const { return &**this; }
    Iterator& operator++() {
      range_->Next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return range_->at_ == range_->batch_.size(); }

   private:
    friend class RecordRange;
    explicit Iterator(RecordRange* range) : range_(range) {}
    RecordRange* range_;
  };

  // From the beginning; iterators of an earlier begin() are void.
  Iterator begin() {
    Restart();
    return Iterator(this);
  }
  std::default_sentinel_t end() const { return {}; }

 private:
  friend class Snapshot;
  RecordRange(Snapshot snapshot, std::optional<std::string> collection, std::string prefix,
              Expired expired)
      : snapshot_(std::move(snapshot)),
        collection_(std::move(collection)),
        prefix_(std::move(prefix)),
        expired_(expired) {}

  void Next() {
    if (++at_ == batch_.size() && cursor_ != 0) Fill();
  }
  LARDER_API void Restart();
  // The next records that are not left out; none at the end.
  LARDER_API void Fill();

  Snapshot snapshot_;
  std::optional<std::string> collection_;  // none: all of the Snapshot
  std::string prefix_;
  Expired expired_;
  uint64_t cursor_ = 0;  // 0 after a Fill: nothing follows
  size_t at_ = 0;
  std::vector<Record> batch_;
};

}  // namespace larder

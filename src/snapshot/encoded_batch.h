// EncodedBatch: records as they will stand in the file, and what the index needs to know of them.
// One thread fills it; the builder appends its bytes as they are.
// Format: docs/formats/snapshot.md, "Record"
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "larder/record.h"
#include "snapshot/expiries.h"
#include "snapshot/value.h"

namespace larder::snapshot {

// A key in the index, ordered as the index is.
struct IndexEntry {
  uint64_t hash = 0;
  uint64_t payload = 0;  // the record's offset / 8

  static constexpr unsigned kSortWords = 1;  // see PartitionSort
  uint64_t SortWord(unsigned) const { return hash; }
  bool operator<(const IndexEntry& other) const {
    return hash != other.hash ? hash < other.hash : payload < other.payload;
  }
};

// A key in its collection, ordered as the directory's member lists are.
struct CollectionEntry {
  uint64_t collection = 0;  // hash of the name
  uint64_t hash = 0;        // of the key
  // The record's offset / 8; above it 16 more bits that tell collections of equal hash apart.
  uint64_t payload = 0;

  uint64_t name_bits() const { return payload >> 48; }
  static constexpr unsigned kSortWords = 3;  // see PartitionSort
  uint64_t SortWord(unsigned word) const {
    return word == 0 ? collection : word == 1 ? name_bits() : hash;
  }
  bool operator<(const CollectionEntry& other) const {
    if (collection != other.collection) return collection < other.collection;
    if (name_bits() != other.name_bits()) return name_bits() < other.name_bits();
    return hash != other.hash ? hash < other.hash : payload < other.payload;
  }
};

struct HashedKey {
  IndexEntry index;
  std::optional<CollectionEntry> collection;
};
// What the index and the directory hold of a key whose record lies at payload * 8.
HashedKey HashKey(std::string_view key, uint64_t payload, uint64_t key_seed,
                  std::optional<char> separator);

struct BatchOptions {
  uint64_t key_seed = 0;
  uint64_t member_seed = 0;
  std::optional<char> separator;
};

class EncodedBatch final : public RecordBatch {
 public:
  explicit EncodedBatch(const BatchOptions& options);
  Result<void> Add(const RecordView& record) override;

  // Forgets the records and keeps the memory for others.
  void Clear();
  uint64_t memory_bytes() const;

  // Records, each padded to 8 bytes; payloads count from the batch's own beginning.
  const std::string& bytes() const { return bytes_; }
  const std::vector<IndexEntry>& index() const { return index_; }
  const std::vector<CollectionEntry>& collections() const { return collections_; }
  const std::array<uint64_t, kValueTypeCount>& records_by_type() const { return by_type_; }
  const Expiries& expiries() const { return expiries_; }

 private:
  BatchOptions options_;
  ValueEncoder encoder_;
  std::string bytes_;
  std::vector<IndexEntry> index_;
  std::vector<CollectionEntry> collections_;
  std::array<uint64_t, kValueTypeCount> by_type_{};
  Expiries expiries_;
};

}  // namespace larder::snapshot

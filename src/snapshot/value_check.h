// What verify asks of a value and of a table, beyond what reading them safely needs: that they are,
// byte for byte, what the format says.
// Format: docs/formats/snapshot.md, "Values", "Buckets"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "snapshot/bucket_table.h"
#include "snapshot/value.h"

namespace larder::snapshot {

// What is wrong with the value; empty when nothing is.
std::string FindFault(const Value& value);

// Compares a table, or the buckets from `first` to `end` - 1 of it, with what BucketWriter makes of
// their entries. No entry of a bucket before `first` may have overflowed into it.
class PlacementCheck {
 public:
  explicit PlacementCheck(const BucketTable& table)
      : PlacementCheck(table, 0, table.total_buckets()) {}
  PlacementCheck(const BucketTable& table, uint64_t first, uint64_t end)
      : table_(table),
        writer_(table.home_buckets(), first),
        first_(first),
        end_(end),
        compared_(first) {}

  // The table's entries in the order of a walk; false when this one is misplaced.
  bool Add(uint64_t hash, uint64_t payload) {
    const bool ascending =
        entries_ == 0 || hash > hash_before_ || (hash == hash_before_ && payload > payload_before_);
    ++entries_;
    hash_before_ = hash;
    payload_before_ = payload;
    return ascending && HomeBucket(hash, table_.home_buckets()) >= first_ &&
           writer_.Add(hash, payload, made_) && Compare();
  }
  // False when the rest of the table is not what it should be.
  bool Finish() {
    writer_.FinishUntil(end_, made_);
    return Compare() && compared_ == end_;
  }
  const BucketTable& table() const { return table_; }
  uint64_t end() const { return end_; }
  uint64_t entries() const { return entries_; }
  uint64_t longest_chain() const { return writer_.longest_chain(); }

 private:
  bool Compare() {
    for (size_t at = 0; at < made_.size(); at += kBucketBytes, ++compared_) {
      if (compared_ == end_) return false;
      const std::string_view expected = std::string_view(made_).substr(at, kBucketBytes);
      if (std::string_view(table_.BucketAt(compared_), kBucketBytes) != expected) return false;
    }
    made_.clear();
    return true;
  }

  BucketTable table_;
  BucketWriter writer_;
  std::string made_;
  uint64_t first_;
  uint64_t end_;
  uint64_t compared_;
  uint64_t entries_ = 0;
  uint64_t hash_before_ = 0;
  uint64_t payload_before_ = 0;
};

}  // namespace larder::snapshot

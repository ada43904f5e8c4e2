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

// Compares a table with what BucketWriter makes of its entries.
class PlacementCheck {
 public:
  explicit PlacementCheck(const BucketTable& table)
      : table_(table), writer_(table.home_buckets()) {}

  // The table's entries in the order of a walk; false when this one is misplaced.
  bool Add(uint64_t hash, uint64_t payload) {
    ++entries_;
    return writer_.Add(hash, payload, made_) && Compare();
  }
  // False when the rest of the table is not what it should be.
  bool Finish() {
    writer_.Finish(made_);
    return Compare() && compared_ == table_.total_buckets();
  }
  uint64_t entries() const { return entries_; }
  uint64_t longest_chain() const { return writer_.longest_chain(); }

 private:
  bool Compare() {
    for (size_t at = 0; at < made_.size(); at += kBucketBytes, ++compared_) {
      const std::string_view expected = std::string_view(made_).substr(at, kBucketBytes);
      if (std::string_view(table_.BucketAt(compared_), kBucketBytes) != expected) return false;
    }
    made_.clear();
    return true;
  }

  BucketTable table_;
  BucketWriter writer_;
  std::string made_;
  uint64_t compared_ = 0;
  uint64_t entries_ = 0;
};

}  // namespace larder::snapshot

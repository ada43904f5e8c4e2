// Value: the stored bytes of one value and typed views over them, for every store.
//
// The bytes are wire-ready (docs/formats/snapshot.md, "Values"): a view hands out slices of them
// and formats nothing. A view checks every offset against the value's own bytes, so a damaged file
// gives wrong or empty slices, never a read outside.
//
// Ownership:  views own nothing; the Snapshot (or overlay) behind them must be kept alive.
// Threads:    immutable, any thread.
// Errors:     none: what cannot be read of a damaged value is empty.
// Cost:       making a view is O(1) and allocates nothing; finding a member of a collection of more
//             than kMemberTableMin elements is one or two bucket reads, of a smaller one a scan
//             over its offset table.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "larder/record.h"
#include "larder/value.h"

namespace larder::snapshot {

class BucketTable;

using larder::Value;

// The text inside a bulk ("$3\r\nabc\r\n" -> "abc"); empty when the bytes are not a bulk.
inline std::string_view BulkText(std::string_view bulk) { return TextOfBulk(bulk); }

// kString and kJson.
class TextView {
 public:
  explicit TextView(const Value& value) : bulk_(value.encoded) {}
  std::string_view bulk() const { return bulk_; }  // the whole reply to GET
  std::string_view text() const { return BulkText(bulk_); }

 private:
  std::string_view bulk_;
};

// What hash, list, set and zset share. Elements are counted from 0; of a hash, element i is a field
// (bulk 2i) and its value (bulk 2i + 1).
class CollectionView {
 public:
  explicit CollectionView(const Value& value);

  uint64_t count() const { return count_; }
  // The RESP2 reply with all bulks: "*N\r\n" and the run.
  std::string_view Reply() const { return reply_; }
  // Bulks first .. last-1 as one slice of the run (bulk numbers: for a hash, twice the element's).
  std::string_view Bulks(uint64_t first, uint64_t last) const;
  std::string_view Bulk(uint64_t number) const { return Bulks(number, number + 1); }
  std::string_view Text(uint64_t number) const { return BulkText(Bulk(number)); }

  // The element whose field or member is `text`. Not for lists.
  std::optional<uint64_t> FindMember(std::string_view text) const;

  // zset only.
  double Score(uint64_t element) const;
  std::string_view ScoreBulk(uint64_t element) const;  // "$1\r\n5\r\n"
  // The first element whose score is >= (or >) `score`; count() if none.
  uint64_t LowerBound(double score) const;
  uint64_t UpperBound(double score) const;

  // One step of HSCAN, SSCAN, ZSCAN: calls `element` for about `count` elements, returns the next
  // cursor (0: done). docs/formats/snapshot.md, "SCAN cursors".
  uint64_t Scan(uint64_t cursor, uint64_t count,
                const std::function<void(uint64_t element)>& element) const;

  bool has_member_table() const { return table_total_buckets_ > 0; }
  // For verify; only when there is one.
  BucketTable MemberTable() const;

 private:
  uint64_t Offset(uint64_t table_at, uint64_t entry) const;

  std::string_view encoded_;
  std::string_view reply_;
  uint64_t member_seed_ = 0;
  ValueType type_;
  uint32_t bulks_per_element_ = 1;
  uint8_t width_ = 2;
  uint64_t count_ = 0;
  uint64_t run_at_ = 0;
  uint64_t run_bytes_ = 0;
  uint64_t offsets_at_ = 0;
  uint64_t scores_at_ = 0;
  uint64_t score_offsets_at_ = 0;
  uint64_t score_run_at_ = 0;
  uint64_t score_run_bytes_ = 0;
  uint64_t table_at_ = 0;
  uint64_t table_home_buckets_ = 0;
  uint64_t table_total_buckets_ = 0;
};

// Collections larger than this have a member table.
inline constexpr uint64_t kMemberTableMin = 128;

// Appends the encoding of the record's value to `to`. Removes repeated fields and members and sorts
// zsets as the format says. Errors: kLimit (an element over kMaxStringBytes, more than
// kMaxElements), kInvalidArgument (an empty collection, NaN as a score, an odd number of hash
// items). Keeps its working memory between calls: one encoder a thread.
class ValueEncoder {
 public:
  explicit ValueEncoder(uint64_t member_seed);
  ~ValueEncoder();
  ValueEncoder(ValueEncoder&&) noexcept;
  ValueEncoder& operator=(ValueEncoder&&) noexcept;

  Result<void> Append(const RecordView& record, std::string& to);

 private:
  struct Scratch;
  uint64_t member_seed_;
  std::unique_ptr<Scratch> scratch_;
};

// A score as Redis 7.0 prints it: "%.17g", "inf", "-inf".
std::string FormatScore(double score);

}  // namespace larder::snapshot

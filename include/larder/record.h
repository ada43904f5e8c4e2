// RecordView: one record on its way from a source to a Snapshot, and the sink that takes records.
//
// A view owns nothing: its strings and spans belong to the parser that made it and live until the
// next record is parsed. An importer fills one and hands it on; nothing is allocated per record.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "larder/api.h"
#include "larder/error.h"

namespace larder {

// The numbers stand in files (docs/formats/snapshot.md, "Record") and never change.
enum class ValueType : uint8_t {
  kString = 0,
  kHash = 1,
  kList = 2,
  kSet = 3,
  kZset = 4,
  kJson = 5,
};
inline constexpr int kValueTypeCount = 6;

// "string", "hash", "list", "set", "zset", "ReJSON-RL": as Redis's TYPE says.
LARDER_API std::string_view ValueTypeName(ValueType type);

// Limits of a record, refused by whoever takes records in (import, builder) with kLimit.
inline constexpr uint64_t kMaxKeyBytes = uint64_t{64} << 10;      // the field in the record's head
inline constexpr uint64_t kMaxStringBytes = uint64_t{512} << 20;  // Redis's proto-max-bulk-len
inline constexpr uint64_t kMaxElements = uint64_t{1} << 31;  // clients count in signed integers

// Which of several records of one key stays; kError refuses them all.
enum class Duplicates : uint8_t { kLast, kFirst, kError };

struct RecordView {
  std::string_view key = {};
  ValueType type = ValueType::kString;

  // kString, kJson: the value.
  std::string_view text = {};
  // kHash: field, value, field, value... A repeated field: the last one wins.
  // kList: the elements in order. kSet: the members; a repeated member counts once.
  // kZset: the members; a repeated member: the last score wins.
  std::span<const std::string_view> items = {};
  // kZset only: one score per member, never NaN.
  std::span<const double> scores = {};

  std::optional<int64_t> expires_at_ms = {};  // Unix time
  std::optional<uint64_t> version = {};
  std::optional<uint32_t> flags = {};  // memcached's
};

// A run of consecutive records of the source, in order, filled by one thread.
class RecordBatch {
 public:
  virtual ~RecordBatch() = default;
  // Takes a copy of what the view shows. Errors: kLimit (key, value or element too long), kRefused.
  virtual Result<void> Add(const RecordView& record) = 0;
};

// Takes records: many threads fill batches side by side, one thread appends them in the order of
// the source (so "the last duplicate wins" means the last in the file).
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Any thread.
  virtual std::unique_ptr<RecordBatch> NewBatch() = 0;
  // One thread at a time, batches of this sink only. After an error the sink takes nothing more.
  virtual Result<void> Append(std::unique_ptr<RecordBatch> batch) = 0;
};

}  // namespace larder

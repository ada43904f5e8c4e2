#include "snapshot/encoded_batch.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "snapshot/format.h"
#include "snapshot/printable_key.h"
#include "snapshot/stored_record.h"

namespace larder::snapshot {
namespace {

// Any number that makes a second hash of the same name independent of the first.
constexpr uint64_t kNameBitsSeed = 0x9E3779B97F4A7C15;

void AppendExtras(const RecordView& record, std::string& to) {
  if (record.expires_at_ms) AppendLe(to, *record.expires_at_ms);
  if (record.version) AppendLe(to, *record.version);
  if (record.flags) AppendLe(to, uint64_t{*record.flags});
}

unsigned FlagsOf(const RecordView& record) {
  return (record.expires_at_ms ? kRecordHasExpiry : 0U) |
         (record.version ? kRecordHasVersion : 0U) | (record.flags ? kRecordHasFlags : 0U);
}

}  // namespace

HashedKey HashKey(std::string_view key, uint64_t payload, uint64_t key_seed,
                  std::optional<char> separator) {
  HashedKey hashed;
  hashed.index = {.hash = HashBytes(key, key_seed), .payload = payload};
  if (const auto name = CollectionOf(key, separator)) {
    const uint64_t name_bits = HashBytes(*name, key_seed ^ kNameBitsSeed) & 0xFFFF;
    hashed.collection = {.collection = HashBytes(*name, key_seed),
                         .hash = hashed.index.hash,
                         .payload = name_bits << kTagShift | payload};
  }
  return hashed;
}

EncodedBatch::EncodedBatch(const BatchOptions& options)
    : options_(options), encoder_(options.member_seed) {}

Result<void> EncodedBatch::Add(const RecordView& record) {
  if (record.key.size() > kMaxKeyBytes) {
    return Fail(ErrorCode::kLimit,
                fmt::format("a key of {} bytes, at most {} are possible: {}", record.key.size(),
                            kMaxKeyBytes, PrintableKey(record.key)));
  }
  const size_t begin = bytes_.size();
  bytes_.append(8, '\0');
  AppendExtras(record, bytes_);
  bytes_.append(record.key);
  const size_t value_at = bytes_.size();
  if (auto encoded = encoder_.Append(record, bytes_); !encoded) {
    bytes_.resize(begin);
    return encoded;
  }
  const uint64_t value_bytes = bytes_.size() - value_at;
  if (value_bytes > kMaxValueBytes) {
    bytes_.resize(begin);
    return Fail(ErrorCode::kLimit,
                fmt::format("key {}: a value of {} bytes, at most {}", PrintableKey(record.key),
                            value_bytes, kMaxValueBytes));
  }
  StoreLe(bytes_.data() + begin, PackRecordHead({.value_bytes = value_bytes,
                                                 .key_bytes = record.key.size(),
                                                 .type = static_cast<unsigned>(record.type),
                                                 .flags = FlagsOf(record)}));
  bytes_.resize(AlignUp(bytes_.size(), kRecordAlignment));
  const HashedKey hashed =
      HashKey(record.key, begin / kRecordAlignment, options_.key_seed, options_.separator);
  index_.push_back(hashed.index);
  if (hashed.collection) collections_.push_back(*hashed.collection);
  ++by_type_[static_cast<size_t>(record.type)];
  if (record.expires_at_ms) expiries_.Add(*record.expires_at_ms);
  return {};
}

void EncodedBatch::Clear() {
  bytes_.clear();
  index_.clear();
  collections_.clear();
  by_type_ = {};
  expiries_ = {};
}

uint64_t EncodedBatch::memory_bytes() const {
  return bytes_.capacity() + index_.capacity() * sizeof(IndexEntry) +
         collections_.capacity() * sizeof(CollectionEntry);
}

}  // namespace larder::snapshot

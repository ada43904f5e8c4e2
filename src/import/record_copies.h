// For tests: a RecordSink that keeps what it was given, in the order in which it was appended.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "larder/record.h"

namespace larder::importer {

struct RecordCopy {
  std::string key;
  ValueType type = ValueType::kString;
  std::string text;
  std::vector<std::string> items;
  std::vector<double> scores;
  std::optional<int64_t> expires_at_ms = std::nullopt;
  std::optional<uint64_t> version = std::nullopt;
  std::optional<uint32_t> flags = std::nullopt;

  bool operator==(const RecordCopy&) const = default;

  static RecordCopy Of(const RecordView& record) {
    return {std::string(record.key),
            record.type,
            std::string(record.text),
            std::vector<std::string>(record.items.begin(), record.items.end()),
            std::vector<double>(record.scores.begin(), record.scores.end()),
            record.expires_at_ms,
            record.version,
            record.flags};
  }
};

inline std::ostream& operator<<(std::ostream& out, const RecordCopy& record) {
  out << ValueTypeName(record.type) << ' ' << record.key << " = " << record.text << " [";
  for (const std::string& item : record.items) out << item << ' ';
  for (const double score : record.scores) out << score << ' ';
  out << ']';
  if (record.expires_at_ms) out << " expires " << *record.expires_at_ms;
  if (record.version) out << " version " << *record.version;
  if (record.flags) out << " flags " << *record.flags;
  return out;
}

class RecordCopies : public RecordSink {
 public:
  std::unique_ptr<RecordBatch> NewBatch() override { return std::make_unique<Batch>(refused_key_); }

  Result<void> Append(std::unique_ptr<RecordBatch> batch) override {
    if (appends_left_ == 0) return Fail(ErrorCode::kNoSpace, "the disk is full");
    --appends_left_;
    auto& copies = dynamic_cast<Batch&>(*batch).records;
    records_.insert(records_.end(), copies.begin(), copies.end());
    return {};
  }

  const std::vector<RecordCopy>& records() const { return records_; }

  // A record of this key is refused by its batch, as one that is too large is.
  void RefuseKey(std::string key) { refused_key_ = std::move(key); }
  // Appends after this many fail.
  void FailAppendsAfter(uint64_t appends) { appends_left_ = appends; }

 private:
  struct Batch : RecordBatch {
    explicit Batch(std::string refused_key) : refused(std::move(refused_key)) {}
    Result<void> Add(const RecordView& record) override {
      if (!refused.empty() && record.key == refused) {
        return Fail(ErrorCode::kLimit, "the value is too large");
      }
      records.push_back(RecordCopy::Of(record));
      return {};
    }
    std::string refused;
    std::vector<RecordCopy> records;
  };

  std::string refused_key_;
  uint64_t appends_left_ = UINT64_MAX;
  std::vector<RecordCopy> records_;
};

}  // namespace larder::importer

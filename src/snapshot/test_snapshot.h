// What the tests of this folder share: records with owned strings, files in memory, built
// Snapshots.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/mapping.h"
#include "larder/record.h"
#include "snapshot/builder.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {

struct TestRecord {
  std::string key;
  ValueType type = ValueType::kString;
  std::string text;
  std::vector<std::string> items;
  std::vector<double> scores;
  std::optional<int64_t> expires_at_ms;
  std::optional<uint64_t> version;
  std::optional<uint32_t> flags;

  // `views` holds what the view's span points to.
  RecordView View(std::vector<std::string_view>& views) const {
    views.assign(items.begin(), items.end());
    return {.key = key,
            .type = type,
            .text = text,
            .items = views,
            .scores = scores,
            .expires_at_ms = expires_at_ms,
            .version = version,
            .flags = flags};
  }
};

inline TestRecord StringRecord(std::string key, std::string text) {
  TestRecord record;
  record.key = std::move(key);
  record.text = std::move(text);
  return record;
}

inline TestRecord ItemsRecord(std::string key, ValueType type, std::vector<std::string> items,
                              std::vector<double> scores = {}) {
  TestRecord record;
  record.key = std::move(key);
  record.type = type;
  record.items = std::move(items);
  record.scores = std::move(scores);
  return record;
}

// A file in memory, in a block of exactly its size, so that a sanitizer sees an overread.
class BytesMapping final : public io::Mapping {
 public:
  explicit BytesMapping(std::string_view bytes)
      : size_(bytes.size()), bytes_(std::make_unique<char[]>(bytes.size())) {
    bytes.copy(bytes_.get(), size_);
  }
  std::string_view bytes() const override { return {bytes_.get(), size_}; }
  bool damaged() const override { return false; }
  void Advise(io::AccessPattern) const override {}
  void Forget() const override {}
  uint64_t ResidentBytes() const override { return size_; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

inline Result<std::shared_ptr<const Snapshot>> OpenBytes(std::string_view bytes) {
  return Snapshot::OpenMapping("memory", std::make_unique<BytesMapping>(bytes));
}

// Appends the records in batches of `batch_records` and finishes.
inline Result<BuildReport> Build(io::FileSystem& files, const std::string& path,
                                 const std::vector<TestRecord>& records, BuildOptions options = {},
                                 size_t batch_records = 1000) {
  if (!options.key_seed) options.key_seed = 1;
  if (!options.member_seed) options.member_seed = 2;
  LARDER_ASSIGN(auto builder, Builder::Create(files, path, std::move(options)));
  std::vector<std::string_view> views;
  for (size_t at = 0; at < records.size();) {
    auto batch = builder->NewBatch();
    for (size_t end = std::min(records.size(), at + batch_records); at < end; ++at) {
      LARDER_TRY(batch->Add(records[at].View(views)));
    }
    LARDER_TRY(builder->Append(std::move(batch)));
  }
  return builder->Finish();
}

}  // namespace larder::snapshot

#include "snapshot/builder.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/mutex.h"
#include "snapshot/block_writer.h"
#include "snapshot/directory_section.h"
#include "snapshot/encoded_batch.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/index_section.h"
#include "snapshot/live_entries.h"
#include "snapshot/lookup_check.h"
#include "snapshot/run_sorter.h"

namespace larder::snapshot {
namespace {

constexpr uint64_t kLeastMemory = uint64_t{64} << 10;
constexpr uint64_t kPieceBytes = uint64_t{4} << 20;  // of records that one thread checks at a time
constexpr int kMostReseeds = 8;
constexpr uint64_t kKeptBatchBytes = uint64_t{8} << 20;  // a batch that grew larger is not kept

// From the system's randomness; without it (a descriptor could not be had) from the clock.
uint64_t RandomSeed() {
  try {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  } catch (const std::exception&) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    return HashBytes({reinterpret_cast<const char*>(&now), sizeof now}, 0);
  }
}

// A quarter of the memory buffers the runs while they are merged.
uint64_t RunBufferBytes(uint64_t memory_bytes) {
  return std::clamp<uint64_t>(memory_bytes / 4 / (2 * kMostRuns), 4096, uint64_t{1} << 20);
}

class SnapshotBuilder final : public Builder {
 public:
  SnapshotBuilder(io::FileSystem& files, std::string path, BuildOptions options)
      : files_(files),
        path_(std::move(path)),
        options_(std::move(options)),
        temporary_(fmt::format("{}.{:016x}", path_, RandomSeed())),
        memory_bytes_(std::max(options_.memory_bytes, kLeastMemory)),
        threads_(options_.threads != 0 ? options_.threads
                                       : std::max(1U, std::thread::hardware_concurrency())),
        index_(files, temporary_ + ".index-", RunBufferBytes(memory_bytes_), threads_),
        collections_(files, temporary_ + ".collections-", RunBufferBytes(memory_bytes_), threads_) {
    header_.key_seed = options_.key_seed ? *options_.key_seed : RandomSeed();
    header_.member_seed = options_.member_seed ? *options_.member_seed : RandomSeed();
    header_.separator = options_.separator;
    file_path_ = temporary_ + std::string(io::kTemporarySuffix);
  }
  ~SnapshotBuilder() override { Abandon(); }

  Result<void> Start() {
    LARDER_ASSIGN(auto file, files_.Create(file_path_));
    created_ = true;
    out_ = std::make_unique<BlockWriter>(std::move(file));
    return out_->Append(MakeHeaderPage());
  }

  std::unique_ptr<RecordBatch> NewBatch() override;
  Result<void> Append(std::unique_ptr<RecordBatch> batch) override;
  void AddMetadata(std::string name, std::string value) override;
  Result<BuildReport> Finish() override;

 private:
  Result<void> AppendBatch(const EncodedBatch& batch);
  Result<void> SpillIfLarge();
  Result<BuildReport> FinishSteps();
  Result<void> WriteTables();
  Result<bool> TryTables(const RecordSpace& space);
  Result<void> Rehash(const RecordSpace& space);
  Result<void> WriteTail();
  Result<void> CheckAndPublish();
  Result<void> Report(std::string_view step, uint64_t done, uint64_t total) const;
  void Abandon();

  io::FileSystem& files_;
  std::string path_;
  BuildOptions options_;
  std::string temporary_;  // begins the names of all temporaries
  std::string file_path_;
  uint64_t memory_bytes_;
  unsigned threads_;
  bool created_ = false;
  bool over_ = false;  // finished or failed
  Header header_;
  std::unique_ptr<BlockWriter> out_;
  RunSorter<IndexEntry> index_;
  RunSorter<CollectionEntry> collections_;
  std::vector<uint64_t> piece_starts_;
  Mutex free_mutex_;
  // Appended batches, whose memory the next ones use: no more than were out at once.
  std::vector<std::unique_ptr<EncodedBatch>> free_ LARDER_GUARDED_BY(free_mutex_);
};

std::unique_ptr<RecordBatch> SnapshotBuilder::NewBatch() {
  {
    const MutexLock lock(free_mutex_);
    if (!free_.empty()) {
      auto batch = std::move(free_.back());
      free_.pop_back();
      return batch;
    }
  }
  return std::make_unique<EncodedBatch>(BatchOptions{.key_seed = header_.key_seed,
                                                     .member_seed = header_.member_seed,
                                                     .separator = header_.separator});
}

Result<void> SnapshotBuilder::Append(std::unique_ptr<RecordBatch> batch) {
  if (over_)
    return Fail(ErrorCode::kInvalidArgument, "the build is over; it takes no more records");
  std::unique_ptr<EncodedBatch> encoded(static_cast<EncodedBatch*>(batch.release()));
  auto appended = AppendBatch(*encoded);
  if (!appended) Abandon();
  if (encoded->memory_bytes() > kKeptBatchBytes) return appended;
  encoded->Clear();
  const MutexLock lock(free_mutex_);
  free_.push_back(std::move(encoded));
  return appended;
}

Result<void> SnapshotBuilder::AppendBatch(const EncodedBatch& batch) {
  const uint64_t begin = out_->size();
  if (begin + batch.bytes().size() > (kPayloadMask + 1) * kRecordAlignment) {
    return Fail(ErrorCode::kLimit, "more records than a Snapshot can address");
  }
  LARDER_TRY(out_->Append(batch.bytes()));
  if (!batch.index().empty() &&
      (piece_starts_.empty() || begin - piece_starts_.back() >= kPieceBytes)) {
    piece_starts_.push_back(begin);
  }
  const uint64_t base = begin / kRecordAlignment;
  for (const IndexEntry& entry : batch.index()) {
    index_.Add({.hash = entry.hash, .payload = base + entry.payload});
  }
  for (CollectionEntry entry : batch.collections()) {
    entry.payload += base;  // stays below 2^48, so the name's bits above are untouched
    collections_.Add(entry);
  }
  for (size_t type = 0; type < header_.records_by_type.size(); ++type) {
    header_.records_by_type[type] += batch.records_by_type()[type];
  }
  header_.expiries.Add(batch.expiries());
  return SpillIfLarge();
}

// Entries get half of the memory: while they are sorted they stand there twice.
Result<void> SnapshotBuilder::SpillIfLarge() {
  if (index_.memory_bytes() + collections_.memory_bytes() < memory_bytes_ / 2) return {};
  if (collections_.memory_bytes() > index_.memory_bytes()) return collections_.Spill();
  return index_.Spill();
}

void SnapshotBuilder::AddMetadata(std::string name, std::string value) {
  for (auto& [known, known_value] : options_.metadata) {
    if (known != name) continue;
    known_value = std::move(value);
    return;
  }
  options_.metadata.emplace_back(std::move(name), std::move(value));
}

Result<void> SnapshotBuilder::Report(std::string_view step, uint64_t done, uint64_t total) const {
  if (!options_.progress) return {};
  const double share =
      total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  if (options_.progress(step, share)) return {};
  return Fail(ErrorCode::kCancelled, "the build was cancelled");
}

Result<BuildReport> SnapshotBuilder::Finish() {
  if (over_) return Fail(ErrorCode::kInvalidArgument, "the build is over; it cannot be finished");
  auto report = FinishSteps();
  Abandon();
  return report;
}

Result<BuildReport> SnapshotBuilder::FinishSteps() {
  {
    const MutexLock lock(free_mutex_);
    free_.clear();
  }
  LARDER_TRY(out_->Flush());
  header_.records_end = out_->size();
  LARDER_TRY(WriteTables());
  LARDER_TRY(WriteTail());
  LARDER_TRY(CheckAndPublish());
  return BuildReport{.records = header_.record_count,
                     .duplicates = header_.dead_records,
                     .file_bytes = header_.file_bytes,
                     .index_bytes = header_.index_total_buckets * kBucketBytes,
                     .spilled_runs = index_.spilled_runs() + collections_.spilled_runs()};
}

Result<void> SnapshotBuilder::WriteTables() {
  LARDER_ASSIGN(const auto mapping, files_.Map(file_path_));
  const RecordSpace space{.base = mapping->bytes().data(),
                          .end = header_.records_end,
                          .member_seed = header_.member_seed};
  if (mapping->bytes().size() < header_.records_end) {
    return Fail(ErrorCode::kIoError, "the unfinished file became shorter: " + file_path_);
  }
  for (int reseeds = 0; reseeds <= kMostReseeds; ++reseeds) {
    LARDER_ASSIGN(const bool fits, TryTables(space));
    if (fits) return {};
    LARDER_TRY(Rehash(space));
  }
  return Fail(ErrorCode::kInternal, "no seed makes an index whose chains are short enough");
}

// Writes both tables, or nothing when a chain would be too long.
Result<bool> SnapshotBuilder::TryTables(const RecordSpace& space) {
  const uint64_t entries = index_.count();
  const StepProgress progress = [&](uint64_t done) { return Report("index", done, 2 * entries); };
  LARDER_TRY(progress(0));
  const uint64_t buffer_bytes = RunBufferBytes(memory_bytes_);
  Header header = header_;
  LARDER_TRY(index_.Finish());
  IndexSection index({files_, temporary_ + ".index", memory_bytes_ / 4, buffer_bytes}, progress);
  LARDER_TRY(index.Resolve(index_, space, options_.duplicates, header));
  LARDER_ASSIGN(const bool index_fits, index.Fits());
  if (!index_fits) return false;
  if (!index_.all_in_memory()) index_.Clear();

  LARDER_TRY(collections_.Finish());
  DirectorySection directory({files_, temporary_ + ".collection-", memory_bytes_ / 4, buffer_bytes},
                             space, header_.separator);
  LARDER_TRY(directory.Resolve(collections_, options_.duplicates));
  LARDER_ASSIGN(const bool directory_fits, directory.Fits());
  if (!directory_fits) return false;
  collections_.Clear();

  LARDER_TRY(index.Write(*out_, header));
  index_.Clear();
  LARDER_TRY(directory.Write(*out_, header));
  header_ = header;
  return true;
}

// Takes another seed and gathers all entries anew from the records.
Result<void> SnapshotBuilder::Rehash(const RecordSpace& space) {
  // Made from the old one, so that the same input and seed give the same file.
  header_.key_seed = HashBytes("another key_seed", header_.key_seed);
  index_.Clear();
  collections_.Clear();
  for (uint64_t at = kRecordsOffset; at < space.end;) {
    LARDER_ASSIGN(const StoredRecord record, ReadOwnRecord(space, at / kRecordAlignment));
    const HashedKey hashed =
        HashKey(record.key, at / kRecordAlignment, header_.key_seed, header_.separator);
    index_.Add(hashed.index);
    if (hashed.collection) collections_.Add(*hashed.collection);
    LARDER_TRY(SpillIfLarge());
    at += record.bytes();
  }
  return {};
}

Result<void> SnapshotBuilder::WriteTail() {
  LARDER_TRY(out_->AlignTo(kSectionAlignment));
  const std::string metadata = MakeMetadata(options_.metadata);
  header_.metadata_offset = out_->size();
  header_.metadata_bytes = metadata.size();
  LARDER_TRY(out_->Append(metadata));
  LARDER_TRY(out_->AlignTo(kSectionAlignment));
  header_.checksums_offset = out_->size();
  header_.checksum_count = BlockCount(out_->size());
  LARDER_ASSIGN(const std::string_view checksums, out_->AppendChecksums());
  header_.checksums_checksum = Checksum64(checksums);
  header_.file_bytes = out_->size() + kFooterBytes;
  return out_->AppendUnsummed(MakeFooter(header_));
}

Result<void> SnapshotBuilder::CheckAndPublish() {
  {
    LARDER_ASSIGN(const auto snapshot, Snapshot::Open(files_, file_path_));
    const StepProgress progress = [&](uint64_t bytes) {
      return Report("check", bytes, header_.records_end);
    };
    LARDER_TRY(progress(0));
    LARDER_TRY(CheckLookups(*snapshot, piece_starts_, threads_, progress));
  }
  LARDER_TRY(Report("publish", 0, 1));
  LARDER_TRY(io::PublishFile(files_, out_->Release(), path_));
  created_ = false;
  return {};
}

void SnapshotBuilder::Abandon() {
  over_ = true;
  out_.reset();
  index_.Clear();
  collections_.Clear();
  // Nothing more can be done about a temporary that cannot be removed; its name says what it is.
  if (created_) (void)files_.Remove(file_path_);
  created_ = false;
}

}  // namespace

Result<std::unique_ptr<Builder>> Builder::Create(io::FileSystem& files, const std::string& path,
                                                 BuildOptions options) {
  auto builder = std::make_unique<SnapshotBuilder>(files, path, std::move(options));
  LARDER_TRY(builder->Start());
  return builder;
}

}  // namespace larder::snapshot

#include "log/reader.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/mutex.h"
#include "log/control.h"
#include "log/mapped_segment.h"
#include "log/segment_cache.h"

namespace larder::log {

namespace {

using std::chrono::steady_clock;

// Tells the processor that this thread waits for memory to change.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// So far from its place a record may be for the guess to be of use.
constexpr uint64_t kRegularBytes = 128;

class FileReader final : public Reader {
 public:
  FileReader(io::FileSystem& files, const ReaderOptions& options)
      : files_(files),
        directory_(options.directory),
        prefix_(options.prefix),
        boot_(BootChecksum(files.BootId())),
        cache_(files, directory_, prefix_, options.max_resident_bytes) {}

  Result<void> Begin();

  Result<Record> Read(uint64_t number) override;
  Result<Record> ReadFrom(uint64_t number) override;
  uint64_t oldest() override;
  uint64_t committed() override;
  Result<bool> WaitAbove(uint64_t number, steady_clock::time_point deadline,
                         std::chrono::nanoseconds spin) override;
  Result<uint32_t> PrepareToWait() override;
  Result<void> Wait(uint32_t prepared, steady_clock::time_point deadline) override;
  Result<void> Nudge() override;
  void Interrupt() override;
  uint64_t synced() override;
  std::optional<uint32_t> Decided() override;
  Result<SegmentList> ListSegments() override;
  Result<std::shared_ptr<const std::vector<SegmentInfo>>> SealedSegments() override;
  Result<void> RemoveSegment(uint64_t first_number) override;

 private:
  // What to look at while waiting, without the mutex: it stays while the Reader does.
  struct Watched {
    Control* control = nullptr;
    LogId id{};
    bool there = false;
  };

  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }
  Result<void> OpenControl() LARDER_REQUIRES(mutex_);

  // Takes notice of what others have done since the last call.
  Result<void> Notice() LARDER_REQUIRES(mutex_) { return UpToDate() ? Result<void>() : Look(); }
  bool UpToDate() LARDER_REQUIRES(mutex_);
  bool CanTrust() LARDER_REQUIRES(mutex_);
  Result<void> Look() LARDER_REQUIRES(mutex_);
  Result<bool> FindLog() LARDER_REQUIRES(mutex_);
  Result<std::optional<Numbers>> ReadNumbers() LARDER_REQUIRES(mutex_);
  Result<std::vector<uint64_t>> FindSegments() const;
  Result<void> ListAnew() LARDER_REQUIRES(mutex_);
  Result<uint64_t> FindCommitted() LARDER_REQUIRES(mutex_);

  Result<Record> ReadLocked(uint64_t number) LARDER_REQUIRES(mutex_);
  Result<Record> ReadFromLocked(uint64_t number) LARDER_REQUIRES(mutex_);
  std::optional<Record> ReadMapped(ListedSegment& segment, uint64_t number) LARDER_REQUIRES(mutex_);
  std::optional<Record> ReadCopied(ListedSegment& segment, uint64_t number, uint64_t offset)
      LARDER_REQUIRES(mutex_);
  std::unexpected<Error> NotThere(uint64_t number) const LARDER_REQUIRES(mutex_);

  Result<bool> CanReadAbove(uint64_t number);
  Result<Watched> Watch();
  Result<bool> SpinAbove(const Watched& watched, uint64_t number, steady_clock::time_point until);

  Result<void> DescribeSealed() LARDER_REQUIRES(mutex_);
  Result<std::optional<SegmentInfo>> Describe(ListedSegment& segment) LARDER_REQUIRES(mutex_);
  Result<void> ReadHead(ListedSegment& segment) LARDER_REQUIRES(mutex_);
  Result<uint64_t> CountRecords(ListedSegment& segment, uint64_t segment_bytes,
                                uint64_t index_bytes) LARDER_REQUIRES(mutex_);
  Result<void> CheckRemovable(uint64_t first_number) LARDER_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string directory_;
  const std::string prefix_;
  const uint64_t boot_;
  std::atomic<bool> interrupted_ = false;

  Mutex mutex_;
  std::unique_ptr<Control> control_ LARDER_GUARDED_BY(mutex_);  // opened once, and kept
  LogId id_ LARDER_GUARDED_BY(mutex_){};
  bool there_ LARDER_GUARDED_BY(mutex_) = false;  // the log, so that its id is known
  // What is below is of this look at the control file.
  bool listed_ LARDER_GUARDED_BY(mutex_) = false;
  bool trusted_ LARDER_GUARDED_BY(mutex_) = false;
  uint32_t changes_ LARDER_GUARDED_BY(mutex_) = 0;
  uint64_t committed_ LARDER_GUARDED_BY(mutex_) = 0;
  SegmentCache cache_ LARDER_GUARDED_BY(mutex_);
  // All but the last of cache_'s that have been begun, and which is that one; null: not looked yet.
  std::shared_ptr<const std::vector<SegmentInfo>> sealed_ LARDER_GUARDED_BY(mutex_);
  std::optional<size_t> last_described_ LARDER_GUARDED_BY(mutex_);
  uint64_t last_read_ LARDER_GUARDED_BY(mutex_) = 0;
};

Result<void> FileReader::Begin() {
  const MutexLock lock(mutex_);
  // Who may not write here reads the log as it finds it, and cannot wait.
  [[maybe_unused]] const auto opened = OpenControl();
  return Notice();
}

// Made by whoever is first, so that a reader can sleep before there is a writer.
Result<void> FileReader::OpenControl() {
  if (control_ != nullptr) return {};
  if (!files_.Stat(directory_)) LARDER_TRY(files_.MakeDirectories(directory_));
  LARDER_ASSIGN(control_, Control::Open(files_, PathOf(ControlName(prefix_))));
  return {};
}

bool FileReader::UpToDate() {
  if (!listed_ || !trusted_ || !control_->Trusted(id_, boot_)) return false;
  // In this order: a number that is committed lies in a segment that has been told of.
  committed_ = control_->committed();
  return control_->segment_changes() == changes_;
}

Result<void> FileReader::Look() {
  LARDER_ASSIGN(const bool there, FindLog());
  if (!there) return {};
  const bool trusted = CanTrust();
  const uint64_t committed = trusted ? control_->committed() : 0;
  // Also in a control file that is not trusted, removals are told of.
  const uint32_t changes = control_ != nullptr ? control_->segment_changes() : 0;
  const bool same = listed_ && changes == changes_;
  if (!same) LARDER_TRY(ListAnew());
  if (trusted) {
    committed_ = committed;
  } else if (!same || trusted_) {
    // It is tried again when it fails.
    listed_ = false;
    LARDER_ASSIGN(committed_, FindCommitted());
  }
  listed_ = true;
  trusted_ = trusted;
  changes_ = changes;
  return {};
}

bool FileReader::CanTrust() {
  // A writer that opens the log takes the magic away, for as long as some stores take.
  constexpr int kPauses = 1000;
  for (int i = 0; control_ != nullptr && i < kPauses; ++i) {
    if (control_->Trusted(id_, boot_)) return true;
    if (!trusted_) return false;
    Pause();
  }
  return false;
}

Result<bool> FileReader::FindLog() {
  if (there_) return true;
  LARDER_ASSIGN(auto numbers, ReadNumbers());
  if (!numbers) {
    LARDER_ASSIGN(const auto segments, FindSegments());
    if (segments.empty()) return false;
    // A log that has begun meanwhile has this file first.
    LARDER_ASSIGN(numbers, ReadNumbers());
    if (!numbers) {
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("{} is missing, though there are segments. `larder log repair` makes "
                              "a new log of what is whole",
                              PathOf(NumbersName(prefix_))));
    }
  }
  id_ = numbers->id;
  there_ = true;
  return true;
}

Result<std::optional<Numbers>> FileReader::ReadNumbers() {
  const std::string path = PathOf(NumbersName(prefix_));
  const auto bytes = io::ReadWholeFile(files_, path, kSmallFileBytes);
  if (!bytes) {
    if (bytes.error().code() == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(bytes.error());
  }
  LARDER_ASSIGN(const Numbers numbers, ReadNumbersFile(*bytes, path));
  return numbers;
}

Result<std::vector<uint64_t>> FileReader::FindSegments() const {
  const auto names = files_.List(directory_);
  if (names) return FindLogFiles(prefix_, *names).segments;
  if (names.error().code() == ErrorCode::kNotFound) return {};
  return std::unexpected(names.error());
}

Result<void> FileReader::ListAnew() {
  listed_ = false;
  sealed_ = nullptr;
  LARDER_ASSIGN(const auto segments, FindSegments());
  cache_.List(segments);
  return {};
}

// Without a writer to ask: what is whole in the last segment that was begun.
Result<uint64_t> FileReader::FindCommitted() {
  const auto& segments = cache_.segments();
  for (size_t i = segments.size(); i-- > 0;) {
    const std::string name = SegmentName(prefix_, segments[i].first_number);
    LARDER_ASSIGN(const auto mapping, files_.Map(PathOf(name)));
    const auto head = ReadSegmentHead(mapping->bytes(), name);
    if (!head) continue;
    const SegmentScan scan = ScanMapped(*mapping, *head);
    return scan.batches == 0 ? head->last_before : scan.next_number - 1;
  }
  return 0;
}

uint64_t FileReader::committed() {
  const MutexLock lock(mutex_);
  [[maybe_unused]] const auto noticed = Notice();  // who reads is told
  return committed_;
}

uint64_t FileReader::oldest() {
  const MutexLock lock(mutex_);
  [[maybe_unused]] const auto noticed = Notice();
  const auto& segments = cache_.segments();
  if (segments.empty() || segments.front().first_number > committed_) return committed_ + 1;
  return segments.front().first_number;
}

std::unexpected<Error> FileReader::NotThere(uint64_t number) const {
  const auto& segments = cache_.segments();
  return Fail(ErrorCode::kNotFound,
              fmt::format("there is no record {}: the log has {} to {}, with gaps", number,
                          segments.empty() ? 0 : segments.front().first_number, committed_));
}

std::optional<Record> FileReader::ReadMapped(ListedSegment& segment, uint64_t number) {
  // Where all have the same length, index and record come from memory at the same time.
  const uint64_t guessed = segment.mapped->GuessOffset(number);
  if (segment.regular) segment.mapped->Prefetch(guessed);
  const auto offset = segment.mapped->OffsetOf(number);
  if (!offset) return std::nullopt;
  segment.regular = *offset - guessed + kRegularBytes < 2 * kRegularBytes;
  if (!segment.regular) segment.mapped->Prefetch(*offset);
  const bool next = number == std::exchange(last_read_, number) + 1;
  if (!next && cache_.IsFarAway(segment, *offset)) {
    cache_.TouchedIndex(segment, number);
    if (auto copied = ReadCopied(segment, number, *offset)) return copied;
  }
  const auto record = segment.mapped->RecordAt(*offset, number);
  if (!record) return std::nullopt;
  cache_.Touched(segment, number, record->data);
  return Record{
      .number = number, .data = record->data, .kind = record->kind, .held = segment.mapped};
}

// Most records are read with one system call, as one is cheaper than the fault of a page that
// brings its neighbours.
std::optional<Record> FileReader::ReadCopied(ListedSegment& segment, uint64_t number,
                                             uint64_t offset) {
  constexpr uint64_t kFirstBytes = 512;
  const io::ReadableFile* const file = cache_.FileOf(segment);
  if (file == nullptr) return std::nullopt;
  uint64_t bytes = kFirstBytes;
  for (;;) {
    const std::shared_ptr<char[]> copy = std::make_shared_for_overwrite<char[]>(bytes);
    const auto got = file->ReadAt(offset, copy.get(), bytes);
    if (!got || *got < kRecordHeadBytes) return std::nullopt;
    const std::string_view read(copy.get(), *got);
    if (const auto record = ReadRecordHere(read, number)) {
      return Record{.number = number, .data = record->data, .kind = record->kind, .held = copy};
    }
    const uint64_t whole = kRecordHeadBytes + BytesOf(LoadLe<uint32_t>(copy.get()));
    if (whole <= bytes || *got < bytes) return std::nullopt;
    bytes = whole;
  }
}

Result<Record> FileReader::ReadLocked(uint64_t number) {
  for (const bool again : {false, true}) {
    if (number == 0 || number > committed_) break;
    ListedSegment* const segment = cache_.Find(number);
    if (segment == nullptr) break;
    if (segment->mapped != nullptr) {
      if (auto record = ReadMapped(*segment, number)) return *std::move(record);
      if (segment->whole && !segment->mapped->OffsetOf(number)) break;
    }
    // Not mapped, grown since then, or damaged.
    if (const auto mapped = cache_.Map(*segment, id_, committed_); !mapped) {
      if (again || mapped.error().code() != ErrorCode::kNotFound)
        return std::unexpected(mapped.error());
      // It was removed since it was listed.
      listed_ = false;
      LARDER_TRY(Look());
      continue;
    }
    if (auto record = ReadMapped(*segment, number)) return *std::move(record);
    const auto offset = segment->mapped->OffsetOf(number);
    if (!offset) break;
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} is damaged: record {} at byte {} is not what was written",
                            SegmentName(prefix_, segment->first_number), number, *offset));
  }
  return NotThere(number);
}

Result<Record> FileReader::Read(uint64_t number) {
  const MutexLock lock(mutex_);
  LARDER_TRY(Notice());
  return ReadLocked(number);
}

Result<Record> FileReader::ReadFrom(uint64_t number) {
  const MutexLock lock(mutex_);
  LARDER_TRY(Notice());
  return ReadFromLocked(number);
}

Result<Record> FileReader::ReadFromLocked(uint64_t number) {
  for (;;) {
    auto record = ReadLocked(number);
    if (record || record.error().code() != ErrorCode::kNotFound) return record;
    // In a gap, or before the oldest: the next segment's first record.
    const auto& segments = cache_.segments();
    const auto next = std::ranges::upper_bound(segments, number, {}, &ListedSegment::first_number);
    if (next == segments.end()) return record;
    number = next->first_number;
  }
}

Result<bool> FileReader::CanReadAbove(uint64_t number) {
  const MutexLock lock(mutex_);
  LARDER_TRY(Notice());
  if (committed_ <= number) return false;
  const auto& segments = cache_.segments();
  if (!segments.empty() && segments.back().first_number <= committed_) return true;
  // The last segment has no record yet, and the others may be removed.
  const auto record = ReadFromLocked(number + 1);
  return record || record.error().code() != ErrorCode::kNotFound;
}

Result<FileReader::Watched> FileReader::Watch() {
  const MutexLock lock(mutex_);
  LARDER_TRY(OpenControl());
  return Watched{.control = control_.get(), .id = id_, .there = there_};
}

Result<bool> FileReader::SpinAbove(const Watched& watched, uint64_t number,
                                   steady_clock::time_point until) {
  while (!interrupted_ && steady_clock::now() < until) {
    const bool nothing_new = watched.there && watched.control->Trusted(watched.id, boot_) &&
                             watched.control->committed() <= number;
    if (!nothing_new) {
      LARDER_ASSIGN(const bool can, CanReadAbove(number));
      if (can) return true;
    }
    Pause();
  }
  return false;
}

Result<bool> FileReader::WaitAbove(uint64_t number, steady_clock::time_point deadline,
                                   std::chrono::nanoseconds spin) {
  LARDER_ASSIGN(bool can, CanReadAbove(number));
  if (can) return true;
  LARDER_ASSIGN(const Watched watched, Watch());
  if (spin.count() > 0) {
    LARDER_ASSIGN(can, SpinAbove(watched, number, std::min(steady_clock::now() + spin, deadline)));
    if (can) return true;
  }
  while (!interrupted_ && steady_clock::now() < deadline) {
    const uint32_t prepared = watched.control->PrepareToSleep();
    // What comes from here on wakes.
    LARDER_ASSIGN(can, CanReadAbove(number));
    if (can) return true;
    if (interrupted_) break;
    watched.control->Sleep(prepared, deadline);
    LARDER_ASSIGN(can, CanReadAbove(number));
    if (can) return true;
  }
  return false;
}

Result<uint32_t> FileReader::PrepareToWait() {
  LARDER_ASSIGN(const Watched watched, Watch());
  return watched.control->PrepareToSleep();
}

Result<void> FileReader::Wait(uint32_t prepared, steady_clock::time_point deadline) {
  LARDER_ASSIGN(const Watched watched, Watch());
  if (!interrupted_) watched.control->Sleep(prepared, deadline);
  return {};
}

Result<void> FileReader::Nudge() {
  LARDER_ASSIGN(const Watched watched, Watch());
  watched.control->Announce();
  return {};
}

uint64_t FileReader::synced() {
  const auto watched = Watch();
  if (!watched || !watched->there || !watched->control->Trusted(watched->id, boot_)) return 0;
  return watched->control->synced();
}

std::optional<uint32_t> FileReader::Decided() {
  const auto watched = Watch();
  if (!watched || !watched->there) return std::nullopt;
  // An append takes some stores and a write.
  for (int i = 0; watched->control->appending() && i < 1000; ++i) Pause();
  return watched->control->Decided(watched->id, boot_);
}

void FileReader::Interrupt() {
  interrupted_ = true;
  const MutexLock lock(mutex_);
  if (control_ != nullptr) control_->Announce();
}

Result<SegmentList> FileReader::ListSegments() {
  const MutexLock lock(mutex_);
  LARDER_TRY(Notice());
  LARDER_TRY(DescribeSealed());
  SegmentList list{.sealed = sealed_, .last = {}};
  if (!last_described_) return list;
  LARDER_ASSIGN(list.last, Describe(cache_.segments()[*last_described_]));
  return list;
}

Result<std::shared_ptr<const std::vector<SegmentInfo>>> FileReader::SealedSegments() {
  const MutexLock lock(mutex_);
  LARDER_TRY(Notice());
  LARDER_TRY(DescribeSealed());
  return sealed_;
}

Result<void> FileReader::DescribeSealed() {
  if (sealed_ != nullptr) return {};
  std::vector<SegmentInfo> infos;
  last_described_.reset();
  for (size_t i = 0; i < cache_.segments().size(); ++i) {
    LARDER_ASSIGN(const auto info, Describe(cache_.segments()[i]));
    if (info) {
      infos.push_back(*info);
      last_described_ = i;
    } else {
      listed_ = false;  // it was removed since it was listed, or never begun
    }
  }
  if (!infos.empty()) infos.pop_back();
  sealed_ = std::make_shared<const std::vector<SegmentInfo>>(std::move(infos));
  return {};
}

// Nothing for one that is gone, or that was never begun.
Result<std::optional<SegmentInfo>> FileReader::Describe(ListedSegment& segment) {
  SegmentInfo info{.first_number = segment.first_number,
                   .records = segment.sealed_records,
                   .bytes = segment.sealed_bytes,
                   .made_at_ms = segment.made_at_ms,
                   .may_be_marked = segment.may_be_marked};
  if (segment.sealed() && segment.sealed_bytes != 0) return info;
  const auto file = files_.Stat(PathOf(SegmentName(prefix_, segment.first_number)));
  const auto index = files_.Stat(PathOf(IndexName(prefix_, segment.first_number)));
  for (const auto* const found : {&file, &index}) {
    if (!*found && found->error().code() != ErrorCode::kNotFound)
      return std::unexpected(found->error());
  }
  if (!file) return std::nullopt;
  const bool empty = !segment.sealed() && committed_ < segment.first_number;
  if (const auto read = ReadHead(segment); !read) {
    if (empty || read.error().code() == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(read.error());
  }
  info.made_at_ms = segment.made_at_ms;
  info.may_be_marked = segment.may_be_marked;
  const uint64_t index_bytes = index ? index->bytes : 0;
  info.bytes = file->bytes + index_bytes;
  if (!segment.sealed()) {
    info.records = empty ? 0 : committed_ - segment.first_number + 1;
    return info;
  }
  const auto records = CountRecords(segment, file->bytes, index_bytes);
  if (!records) {
    if (records.error().code() == ErrorCode::kNotFound) return std::nullopt;
    return std::unexpected(records.error());
  }
  info.records = segment.sealed_records = *records;
  segment.sealed_bytes = info.bytes;
  return info;
}

Result<void> FileReader::ReadHead(ListedSegment& segment) {
  if (segment.made_at_ms != 0) return {};
  const std::string name = SegmentName(prefix_, segment.first_number);
  LARDER_ASSIGN(const auto file, files_.OpenForRead(PathOf(name)));
  std::string page(kSegmentHeadBytes, '\0');
  LARDER_ASSIGN(const size_t got, file->ReadAt(0, page.data(), page.size()));
  LARDER_ASSIGN(const auto head, ReadSegmentHead(std::string_view(page).substr(0, got), name));
  segment.made_at_ms = head.made_at_ms;
  segment.may_be_marked = head.may_be_marked;
  return {};
}

// Of a sealed segment. Its index has an entry for each when it was sealed whole, and numbers
// without a gap behind it say the same; else the segment must tell.
Result<uint64_t> FileReader::CountRecords(ListedSegment& segment, uint64_t segment_bytes,
                                          uint64_t index_bytes) {
  const uint64_t numbers = segment.behind - segment.first_number;
  if (index_bytes >= kIndexHeadBytes && (index_bytes - kIndexHeadBytes) % kIndexEntryBytes == 0) {
    const uint64_t entries = (index_bytes - kIndexHeadBytes) / kIndexEntryBytes;
    if (entries == numbers && entries <= segment_bytes / kRecordHeadBytes) return entries;
  }
  if (segment.mapped == nullptr || !segment.whole) LARDER_TRY(cache_.Map(segment, id_, committed_));
  // Where two segments overlap, the later one counts.
  return std::min(segment.mapped->records(), numbers);
}

Result<void> FileReader::RemoveSegment(uint64_t first_number) {
  {
    const MutexLock lock(mutex_);
    [[maybe_unused]] const auto opened = OpenControl();
    LARDER_TRY(Notice());
    LARDER_TRY(CheckRemovable(first_number));
  }
  // The index first: a segment without one can be read, and an index alone is nothing.
  for (const std::string& name :
       {IndexName(prefix_, first_number), SegmentName(prefix_, first_number)}) {
    const auto removed = files_.Remove(PathOf(name));
    if (!removed && removed.error().code() != ErrorCode::kNotFound) return removed;
  }
  const MutexLock lock(mutex_);
  listed_ = false;
  if (control_ == nullptr) return {};
  // Behind the removal: who has listed it before then lists again.
  control_->NoteSegmentChange();
  control_->Announce();
  return {};
}

Result<void> FileReader::CheckRemovable(uint64_t first_number) {
  const auto& segments = cache_.segments();
  uint64_t last = segments.empty() ? 0 : segments.back().first_number;
  // One that a crash left behind the last, or that is just being made, does not count yet.
  if (trusted_ && control_->end().segment != 0) last = std::min(last, control_->end().segment);
  if (first_number < last) return {};
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("segment {} is the last one, which stays", first_number));
}

}  // namespace

std::vector<SegmentInfo> SegmentList::All() const {
  std::vector<SegmentInfo> all = *sealed;
  if (last) all.push_back(*last);
  return all;
}

Result<std::vector<SegmentInfo>> Reader::Segments() {
  LARDER_ASSIGN(const SegmentList list, ListSegments());
  return list.All();
}

Result<std::unique_ptr<Reader>> Reader::Open(io::FileSystem& files, const ReaderOptions& options) {
  LARDER_TRY(CheckPrefix(options.prefix));
  auto reader = std::make_unique<FileReader>(files, options);
  LARDER_TRY(reader->Begin());
  return reader;
}

}  // namespace larder::log

#include "snapshot/value.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "snapshot/bucket_table.h"
#include "snapshot/format.h"
#include "snapshot/scan_cursor.h"

namespace larder::snapshot {
namespace {

constexpr std::string_view kEmptyReply = "*0\r\n";

// Bytes of a bulk around its text: '$', the length, CR LF, and CR LF behind.
constexpr uint64_t BulkOverhead(uint64_t text_bytes) {
  uint64_t digits = 1;
  for (uint64_t rest = text_bytes; rest >= 10; rest /= 10) ++digits;
  return digits + 5;
}

}  // namespace

CollectionView::CollectionView(const Value& value)
    : encoded_(value.encoded),
      reply_(kEmptyReply),
      member_seed_(value.member_seed),
      type_(value.type) {
  const uint64_t size = encoded_.size();
  const char* head = encoded_.data();
  if (size < kCollectionHeadBytes || type_ == ValueType::kString || type_ == ValueType::kJson) {
    return;
  }
  const uint64_t count = LoadLe<uint32_t>(head + kCollectionCountAt);
  const uint64_t wire_head_bytes = LoadLe<uint8_t>(head + kCollectionWireHeadBytesAt);
  width_ = LoadLe<uint8_t>(head + kCollectionWidthAt);
  run_bytes_ = LoadLe<uint64_t>(head + kCollectionRunBytesAt);
  score_run_bytes_ = LoadLe<uint64_t>(head + kCollectionScoreRunBytesAt);
  // After this no sum below can overflow: all terms are below 2^41 or the size itself.
  if ((width_ != 2 && width_ != 4 && width_ != 8) || run_bytes_ > size || score_run_bytes_ > size) {
    return;
  }
  bulks_per_element_ = type_ == ValueType::kHash ? 2 : 1;
  run_at_ = kCollectionHeadBytes + wire_head_bytes;
  offsets_at_ = run_at_ + run_bytes_;
  uint64_t end = offsets_at_ + (count * bulks_per_element_ + 1) * width_;
  if (type_ == ValueType::kZset) {
    scores_at_ = end;
    score_offsets_at_ = scores_at_ + count * 8;
    score_run_at_ = score_offsets_at_ + (count + 1) * width_;
    end = score_run_at_ + score_run_bytes_;
  }
  if (count > kMemberTableMin && type_ != ValueType::kList) {
    if (end + kMemberTableHeadBytes > size) return;
    table_home_buckets_ = LoadLe<uint32_t>(head + end);
    table_at_ = end + kMemberTableHeadBytes;
    end = table_at_ + (table_home_buckets_ + kSpareBuckets) * kBucketBytes;
    if (table_home_buckets_ == 0) return;
  }
  if (end != size) return;
  if (table_at_ != 0) table_total_buckets_ = table_home_buckets_ + kSpareBuckets;
  count_ = count;
  reply_ = encoded_.substr(kCollectionHeadBytes, wire_head_bytes + run_bytes_);
}

uint64_t CollectionView::Offset(uint64_t table_at, uint64_t entry) const {
  const char* at = encoded_.data() + table_at + entry * width_;
  switch (width_) {
    case 2:
      return LoadLe<uint16_t>(at);
    case 4:
      return LoadLe<uint32_t>(at);
    default:
      return LoadLe<uint64_t>(at);
  }
}

std::string_view CollectionView::Bulks(uint64_t first, uint64_t last) const {
  if (first > last || last > count_ * bulks_per_element_ || count_ == 0) return {};
  const uint64_t begin = Offset(offsets_at_, first);
  const uint64_t end = Offset(offsets_at_, last);
  if (begin > end || end > run_bytes_) return {};
  return {encoded_.data() + run_at_ + begin, end - begin};
}

std::optional<uint64_t> CollectionView::FindMember(std::string_view text) const {
  // The size of a bulk tells the size of its text, so no length needs to be parsed.
  const uint64_t bulk_bytes = text.size() + BulkOverhead(text.size());
  const auto is_member = [&](uint64_t element) {
    const std::string_view bulk = Bulk(element * bulks_per_element_);
    return bulk.size() == bulk_bytes &&
           bulk.substr(bulk_bytes - 2 - text.size(), text.size()) == text;
  };
  if (!has_member_table()) {
    for (uint64_t element = 0; element < count_; ++element) {
      if (is_member(element)) return element;
    }
    return std::nullopt;
  }
  const BucketTable table = MemberTable();
  const uint64_t found = table.Find(HashBytes(text, member_seed_), [&](uint64_t payload) {
    return payload <= count_ && is_member(payload - 1);
  });
  if (found == 0) return std::nullopt;
  return found - 1;
}

BucketTable CollectionView::MemberTable() const {
  return {encoded_.data() + table_at_, table_home_buckets_};
}

double CollectionView::Score(uint64_t element) const {
  if (type_ != ValueType::kZset || element >= count_) return 0;
  return LoadLe<double>(encoded_.data() + scores_at_ + element * 8);
}

std::string_view CollectionView::ScoreBulk(uint64_t element) const {
  if (type_ != ValueType::kZset || element >= count_) return {};
  const uint64_t begin = Offset(score_offsets_at_, element);
  const uint64_t end = Offset(score_offsets_at_, element + 1);
  if (begin > end || end > score_run_bytes_) return {};
  return {encoded_.data() + score_run_at_ + begin, end - begin};
}

uint64_t CollectionView::LowerBound(double score) const {
  uint64_t first = 0;
  uint64_t last = count_;
  while (first < last) {
    const uint64_t middle = first + (last - first) / 2;
    if (Score(middle) < score) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

uint64_t CollectionView::UpperBound(double score) const {
  uint64_t first = 0;
  uint64_t last = count_;
  while (first < last) {
    const uint64_t middle = first + (last - first) / 2;
    if (Score(middle) <= score) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

uint64_t CollectionView::Scan(uint64_t cursor, uint64_t count,
                              const std::function<void(uint64_t element)>& element) const {
  const auto hash_of = [this](uint64_t number) {
    return HashBytes(Text(number * bulks_per_element_), member_seed_);
  };
  ScanStep step(cursor, count, member_seed_);
  if (!has_member_table()) {
    for (uint64_t number = 0; number < count_; ++number) {
      if (step.start() == 0 || PositionOf(hash_of(number)) >= step.start()) element(number);
    }
    return 0;
  }
  const BucketTable table = MemberTable();
  const auto visit = [&](uint64_t payload) {
    if (payload > count_) return true;
    const ScanStep::Verdict verdict = step.See(hash_of(payload - 1));
    if (verdict == ScanStep::Verdict::kTake) element(payload - 1);
    return verdict != ScanStep::Verdict::kStop;
  };
  table.WalkFrom(HomeBucket(step.start() << kPositionShift, table.home_buckets()), visit,
                 [](uint64_t) {});
  return step.next_cursor();
}

}  // namespace larder::snapshot

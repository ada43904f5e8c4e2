#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/hash.h"
#include "snapshot/bucket_table.h"
#include "snapshot/format.h"
#include "snapshot/printable_key.h"
#include "snapshot/value.h"

namespace larder::snapshot {
namespace {

struct HashedElement {
  uint64_t hash;
  uint64_t element;
  bool operator<(const HashedElement& other) const {
    return hash != other.hash ? hash < other.hash : element < other.element;
  }
};

struct ScoredMember {
  double score;
  std::string_view member;
  bool operator<(const ScoredMember& other) const {
    if (score < other.score) return true;
    if (score > other.score) return false;
    return member < other.member;
  }
};

uint64_t DecimalDigits(uint64_t number) {
  uint64_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

uint64_t BulkBytes(uint64_t text_bytes) { return text_bytes + DecimalDigits(text_bytes) + 5; }

char* PutCrLf(char* to) {
  *to++ = '\r';
  *to++ = '\n';
  return to;
}

char* PutHead(char* to, char kind, uint64_t number) {
  *to++ = kind;
  if (number < 10) {
    *to++ = static_cast<char>('0' + number);
  } else {
    to = std::to_chars(to, to + 20, number).ptr;
  }
  return PutCrLf(to);
}

char* PutBulk(char* to, std::string_view text) {
  to = PutHead(to, '$', text.size());
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return PutCrLf(to + text.size());
}

char* PutOffset(char* to, uint64_t offset, uint64_t width) {
  std::memcpy(to, &offset, width);
  return to + width;
}

// Has `write(at)` write `bytes` bytes at the end of `to`, without zeros there first.
template <typename Write>
void AppendInPlace(std::string& to, size_t bytes, Write&& write) {
  const size_t begin = to.size();
  // The size that libstdc++ 12 hands on may be the new capacity.
  to.resize_and_overwrite(begin + bytes, [&](char* text, size_t) {
    write(text + begin);
    return begin + bytes;
  });
}

uint64_t WidthFor(uint64_t largest) { return largest < 1U << 16 ? 2 : largest >> 32 == 0 ? 4 : 8; }

// "%.17g" of the widest double: sign, digits, point, exponent.
constexpr size_t kMaxScoreText = 32;

char* PutScore(char* to, double score) {
  if (std::isinf(score)) {
    const std::string_view text = score > 0 ? "inf" : "-inf";
    std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  // Whole numbers of up to 17 digits print as such, and most scores are whole.
  constexpr double kWhole = 9007199254740992;  // 2^53
  if (score > -kWhole && score < kWhole && score == std::trunc(score) &&
      (score != 0 || !std::signbit(score))) {
    return std::to_chars(to, to + kMaxScoreText, static_cast<int64_t>(score)).ptr;
  }
  return std::to_chars(to, to + kMaxScoreText, score, std::chars_format::general, 17).ptr;
}

}  // namespace

std::string FormatScore(double score) {
  char text[kMaxScoreText];
  return {text, PutScore(text, score)};
}

namespace {

using Pieces = std::span<const std::string_view>;

// Whether two elements may have the same name; never wrong when it says no. A small filter, so that
// the usual small hash without repetitions costs a hash per field and no sort.
bool MayRepeat(Pieces items, size_t stride, uint64_t seed) {
  std::array<uint64_t, 32> seen{};
  for (size_t at = 0; at < items.size(); at += stride) {
    const uint64_t bits = HashBytes(items[at], seed);
    uint64_t& word = seen[bits >> 6 & 31];
    const uint64_t bit = uint64_t{1} << (bits & 63);
    if ((word & bit) != 0) return true;
    word |= bit;
  }
  return false;
}

void HashElements(Pieces items, size_t stride, uint64_t seed, std::vector<HashedElement>& hashed) {
  hashed.resize(items.size() / stride);
  for (size_t element = 0; element < hashed.size(); ++element) {
    hashed[element] = {HashBytes(items[element * stride], seed), element};
  }
  std::sort(hashed.begin(), hashed.end());
}

constexpr uint64_t kRepeated = UINT64_MAX;

// For each element the last element of the same name, or kRepeated for all but the first of a name.
// Returns whether any name is repeated.
bool FindRepeated(Pieces items, size_t stride, std::vector<HashedElement>& hashed,
                  std::vector<uint64_t>& last) {
  bool any = false;
  for (size_t i = 0; i + 1 < hashed.size() && !any; ++i) any = hashed[i].hash == hashed[i + 1].hash;
  if (!any) return false;
  any = false;
  last.resize(hashed.size());
  for (size_t element = 0; element < last.size(); ++element) last[element] = element;
  for (size_t begin = 0; begin < hashed.size();) {
    size_t end = begin + 1;
    while (end < hashed.size() && hashed[end].hash == hashed[begin].hash) ++end;
    // Elements of one hash come in their order; names of equal hash that differ are a curiosity.
    for (size_t i = begin; i < end; ++i) {
      const uint64_t first = hashed[i].element;
      if (last[first] == kRepeated) continue;
      for (size_t j = i + 1; j < end; ++j) {
        const uint64_t later = hashed[j].element;
        if (last[later] == kRepeated || items[later * stride] != items[first * stride]) continue;
        last[first] = later;
        last[later] = kRepeated;
        any = true;
      }
    }
    begin = end;
  }
  return any;
}

// Chooses the number of home buckets for hashes in ascending order: the usual one, doubled until no
// chain is too long. 0 when none does (over 128 members of one hash).
uint64_t MemberTable(const std::vector<HashedElement>& hashed, std::string& table) {
  uint64_t home_buckets = HomeBucketsFor(hashed.size());
  constexpr int kMostDoublings = 20;
  for (int doublings = 0; doublings <= kMostDoublings; ++doublings, home_buckets *= 2) {
    if (home_buckets > UINT32_MAX) return 0;
    table.clear();
    BucketWriter writer(home_buckets);
    bool placed = true;
    for (const HashedElement& entry : hashed) {
      placed = writer.Add(entry.hash, entry.element + 1, table);
      if (!placed) break;
    }
    if (!placed) continue;
    writer.Finish(table);
    return home_buckets;
  }
  return 0;
}

Result<void> CheckTexts(const RecordView& record) {
  const auto too_long = [&record](std::string_view text) {
    return Fail(ErrorCode::kLimit,
                fmt::format("key {}: a value of {} bytes, at most {} are possible",
                            PrintableKey(record.key), text.size(), kMaxStringBytes));
  };
  if (record.text.size() > kMaxStringBytes) return too_long(record.text);
  for (const std::string_view item : record.items) {
    if (item.size() > kMaxStringBytes) return too_long(item);
  }
  return {};
}

Result<void> CheckCollection(const RecordView& record) {
  const auto fail = [&record](ErrorCode code, std::string_view what) {
    return Fail(code, fmt::format("key {}: {}", PrintableKey(record.key), what));
  };
  if (record.items.empty()) return fail(ErrorCode::kInvalidArgument, "an empty collection");
  const bool hash = record.type == ValueType::kHash;
  if (hash && record.items.size() % 2 != 0) {
    return fail(ErrorCode::kInvalidArgument, "a hash whose last field has no value");
  }
  if (record.items.size() / (hash ? 2 : 1) > kMaxElements) {
    return fail(ErrorCode::kLimit, fmt::format("more than {} elements", kMaxElements));
  }
  if (record.type != ValueType::kZset) return {};
  if (record.scores.size() != record.items.size()) {
    return fail(ErrorCode::kInvalidArgument, "not one score for each member");
  }
  for (const double score : record.scores) {
    if (std::isnan(score)) return fail(ErrorCode::kInvalidArgument, "a score that is not a number");
  }
  return {};
}

}  // namespace

// Working memory, kept from record to record, and the steps that use it.
struct ValueEncoder::Scratch {
  std::vector<HashedElement> hashed;
  std::vector<uint64_t> last;            // of each element: see FindRepeated
  std::vector<std::string_view> pieces;  // bulks in stored order, when that is not the order given
  std::vector<ScoredMember> scored;
  std::string score_run;
  std::vector<uint64_t> score_starts;
  std::string table;

  // The bulks to store, in order. `hashed` is filled for them when `*is_hashed` becomes true.
  Pieces Arrange(const RecordView& record, uint64_t seed, bool* is_hashed);
  void SortMembers(const RecordView& record, bool repeated);
  void MakeScoreRun();
  void Write(const RecordView& record, Pieces stored, uint64_t home_buckets, std::string& to) const;
  void WriteTo(char* out, ValueType type, Pieces stored, uint64_t run_bytes, uint64_t width,
               uint64_t home_buckets) const;
};

Pieces ValueEncoder::Scratch::Arrange(const RecordView& record, uint64_t seed, bool* is_hashed) {
  if (record.type == ValueType::kList) return record.items;
  const size_t stride = record.type == ValueType::kHash ? 2 : 1;
  bool repeated = false;
  if (record.items.size() / stride > kMemberTableMin || MayRepeat(record.items, stride, seed)) {
    HashElements(record.items, stride, seed, hashed);
    repeated = FindRepeated(record.items, stride, hashed, last);
    *is_hashed = !repeated && record.type != ValueType::kZset;
  }
  if (record.type == ValueType::kZset) {
    SortMembers(record, repeated);
    MakeScoreRun();
    return pieces;
  }
  if (!repeated) return record.items;
  pieces.clear();
  for (size_t element = 0; element < last.size(); ++element) {
    if (last[element] == kRepeated) continue;
    pieces.push_back(record.items[element * stride]);
    if (stride == 2) pieces.push_back(record.items[last[element] * 2 + 1]);
  }
  return pieces;
}

void ValueEncoder::Scratch::SortMembers(const RecordView& record, bool repeated) {
  scored.clear();
  for (size_t element = 0; element < record.items.size(); ++element) {
    if (repeated && last[element] == kRepeated) continue;
    const size_t scored_by = repeated ? last[element] : element;
    scored.push_back({record.scores[scored_by], record.items[element]});
  }
  std::sort(scored.begin(), scored.end());
  pieces.clear();
  for (const ScoredMember& member : scored) pieces.push_back(member.member);
}

void ValueEncoder::Scratch::MakeScoreRun() {
  score_run.clear();
  score_starts.clear();
  for (const ScoredMember& member : scored) {
    score_starts.push_back(score_run.size());
    char text[kMaxScoreText];
    const std::string_view score(text, PutScore(text, member.score));
    char bulk[kMaxScoreText + 8];
    score_run.append(bulk, PutBulk(bulk, score));
  }
  score_starts.push_back(score_run.size());
}

void ValueEncoder::Scratch::Write(const RecordView& record, Pieces stored, uint64_t home_buckets,
                                  std::string& to) const {
  const bool zset = record.type == ValueType::kZset;
  const uint64_t count = stored.size() / (record.type == ValueType::kHash ? 2 : 1);
  uint64_t run_bytes = 0;
  for (const std::string_view piece : stored) run_bytes += BulkBytes(piece.size());
  const uint64_t score_run_bytes = zset ? score_run.size() : 0;
  const uint64_t width = WidthFor(std::max(run_bytes, score_run_bytes));
  const uint64_t wire_head_bytes = DecimalDigits(stored.size()) + 3;
  uint64_t bytes = kCollectionHeadBytes + wire_head_bytes + run_bytes + (stored.size() + 1) * width;
  if (zset) bytes += count * 8 + (count + 1) * width + score_run_bytes;
  if (home_buckets != 0) bytes += kMemberTableHeadBytes + table.size();

  AppendInPlace(to, bytes, [&](char* at) {
    WriteTo(at, record.type, stored, run_bytes, width, home_buckets);
  });
}

// Every byte of it, into memory that holds anything.
void ValueEncoder::Scratch::WriteTo(char* out, ValueType type, Pieces stored, uint64_t run_bytes,
                                    uint64_t width, uint64_t home_buckets) const {
  const bool zset = type == ValueType::kZset;
  const uint64_t count = stored.size() / (type == ValueType::kHash ? 2 : 1);
  const uint64_t score_run_bytes = zset ? score_run.size() : 0;
  const uint64_t wire_head_bytes = DecimalDigits(stored.size()) + 3;
  StoreLe(out + kCollectionCountAt, static_cast<uint32_t>(count));
  StoreLe(out + kCollectionWidthAt, static_cast<uint8_t>(width));
  // With the two zeros behind it.
  StoreLe(out + kCollectionWireHeadBytesAt, static_cast<uint8_t>(wire_head_bytes));
  StoreLe(out + kCollectionWireHeadBytesAt + 1, uint16_t{0});
  StoreLe(out + kCollectionRunBytesAt, run_bytes);
  StoreLe(out + kCollectionScoreRunBytesAt, score_run_bytes);
  char* const run = PutHead(out + kCollectionHeadBytes, '*', stored.size());
  char* bulk = run;
  char* offsets = run + run_bytes;
  for (const std::string_view piece : stored) {
    offsets = PutOffset(offsets, static_cast<uint64_t>(bulk - run), width);
    bulk = PutBulk(bulk, piece);
  }
  out = PutOffset(offsets, run_bytes, width);
  if (zset) {
    for (const ScoredMember& member : scored) {
      StoreLe(out, member.score);
      out += 8;
    }
    for (const uint64_t start : score_starts) out = PutOffset(out, start, width);
    std::memcpy(out, score_run.data(), score_run.size());
    out += score_run.size();
  }
  if (home_buckets == 0) return;
  StoreLe(out, static_cast<uint32_t>(home_buckets));
  std::memcpy(out + kMemberTableHeadBytes, table.data(), table.size());
}

ValueEncoder::ValueEncoder(uint64_t member_seed)
    : member_seed_(member_seed), scratch_(std::make_unique<Scratch>()) {}
ValueEncoder::~ValueEncoder() = default;
ValueEncoder::ValueEncoder(ValueEncoder&&) noexcept = default;
ValueEncoder& ValueEncoder::operator=(ValueEncoder&&) noexcept = default;

Result<void> ValueEncoder::Append(const RecordView& record, std::string& to) {
  LARDER_TRY(CheckTexts(record));
  if (record.type == ValueType::kString || record.type == ValueType::kJson) {
    AppendInPlace(to, BulkBytes(record.text.size()), [&](char* at) { PutBulk(at, record.text); });
    return {};
  }
  LARDER_TRY(CheckCollection(record));
  bool is_hashed = false;
  const Pieces stored = scratch_->Arrange(record, member_seed_, &is_hashed);
  const size_t stride = record.type == ValueType::kHash ? 2 : 1;
  uint64_t home_buckets = 0;
  if (stored.size() / stride > kMemberTableMin && record.type != ValueType::kList) {
    if (!is_hashed) HashElements(stored, stride, member_seed_, scratch_->hashed);
    home_buckets = MemberTable(scratch_->hashed, scratch_->table);
    if (home_buckets == 0) {
      return Fail(ErrorCode::kLimit,
                  fmt::format("key {}: too many members share a hash; build with another seed",
                              PrintableKey(record.key)));
    }
  }
  scratch_->Write(record, stored, home_buckets, to);
  return {};
}

}  // namespace larder::snapshot

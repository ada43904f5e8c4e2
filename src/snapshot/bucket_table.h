// BucketTable: the one hash table of the format, read from a mapping, and BucketWriter, which makes
// it as a stream. Key index, member tables and collection index are all of this form.
//
// Entries stand in the order of their hash: the high bits choose a home bucket and a full bucket
// overflows into the next, so a walk over the slots is a walk in hash order, which is what makes
// SCAN cursors positions in hash space.
//
// Ownership:  a BucketTable owns nothing and may stand on unaligned bytes.
// Errors:     none; whoever makes a BucketTable has checked that its bytes are there, and a slot's
//             payload is checked by whoever follows it. Hostile tables end walks early or give
//             wrong payloads; nothing is read outside and nothing loops.
// Cost:       a look-up reads one bucket, seldom two, never more than kMaxChain.
// Format:     docs/formats/snapshot.md, "Buckets"
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "snapshot/format.h"

namespace larder::snapshot {

constexpr uint64_t HomeBucket(uint64_t hash, uint64_t home_buckets) {
  return static_cast<uint64_t>((static_cast<Uint128>(hash) * home_buckets) >> 64);
}

constexpr uint64_t TagOf(uint64_t hash) { return hash & 0xFFFF; }
constexpr uint64_t PackSlot(uint64_t hash, uint64_t payload) {
  return TagOf(hash) << kTagShift | payload;
}

// Bit i is set when slot i of the bucket has the tag. One slot at a time; the reference for the
// wide form below and what other machines use (their compilers vectorise it).
inline unsigned MatchTagsScalar(const char* bucket, uint64_t tag) {
  unsigned mask = 0;
  for (unsigned slot = 0; slot < kSlotsPerBucket; ++slot) {
    const auto equal = LoadLe<uint64_t>(bucket + slot * 8) >> kTagShift == tag;
    mask |= static_cast<unsigned>(equal) << slot;
  }
  return mask;
}

#if defined(__SSE2__)
// All eight tags at once: gather the upper half of each slot, narrow it to its tag with the sign
// kept (so that the saturation of the packing changes nothing), compare.
inline unsigned MatchTags(const char* bucket, uint64_t tag) {
  const auto load = [bucket](int at) {
    return _mm_loadu_ps(reinterpret_cast<const float*>(bucket + at));
  };
  constexpr int kUpperHalves = _MM_SHUFFLE(3, 1, 3, 1);
  const __m128i front = _mm_castps_si128(_mm_shuffle_ps(load(0), load(16), kUpperHalves));
  const __m128i back = _mm_castps_si128(_mm_shuffle_ps(load(32), load(48), kUpperHalves));
  const __m128i tags = _mm_packs_epi32(_mm_srai_epi32(front, 16), _mm_srai_epi32(back, 16));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
}
#else
inline unsigned MatchTags(const char* bucket, uint64_t tag) { return MatchTagsScalar(bucket, tag); }
#endif

class BucketTable {
 public:
  BucketTable() = default;
  // `home_buckets` + kSpareBuckets buckets stand at `bytes`; home_buckets is not 0.
  BucketTable(const char* bytes, uint64_t home_buckets)
      : bytes_(bytes), home_buckets_(home_buckets) {}

  uint64_t home_buckets() const { return home_buckets_; }
  uint64_t total_buckets() const { return home_buckets_ + kSpareBuckets; }
  const char* BucketAt(uint64_t bucket) const { return bytes_ + bucket * kBucketBytes; }
  uint64_t SlotAt(uint64_t bucket, uint64_t slot) const {
    return LoadLe<uint64_t>(BucketAt(bucket) + slot * 8);
  }

  // The first payload with the hash's tag that `accept(payload)` takes; 0 when there is none.
  template <typename Accept>
  uint64_t Find(uint64_t hash, Accept&& accept) const {
    const uint64_t home = HomeBucket(hash, home_buckets_);
    for (uint64_t bucket = home; bucket < home + kMaxChain; ++bucket) {
      const char* at = BucketAt(bucket);
      for (unsigned matches = MatchTags(at, TagOf(hash)); matches != 0; matches &= matches - 1) {
        const auto slot = static_cast<uint64_t>(std::countr_zero(matches));
        const uint64_t payload = LoadLe<uint64_t>(at + slot * 8) & kPayloadMask;
        if (payload != 0 && accept(payload)) return payload;
      }
      // Empty slots stand at the end of a bucket.
      if (LoadLe<uint64_t>(at + kBucketBytes - 8) == 0) return 0;
    }
    return 0;
  }

  void Prefetch(uint64_t hash) const {
    __builtin_prefetch(BucketAt(HomeBucket(hash, home_buckets_)));
  }

  // Calls `visit(payload)` for every entry from bucket `first` on, in order, until it returns
  // false. `upcoming(payload)` is called for each `kAhead` buckets ahead, to prefetch what visit
  // will read: one is enough for a short walk, a long one gains by more.
  template <uint64_t kAhead = 1, typename Visit, typename Upcoming>
  void WalkFrom(uint64_t first, Visit&& visit, Upcoming&& upcoming) const {
    Walk<kAhead>(first, total_buckets(), visit, upcoming);
  }
  // The same up to bucket `end` - 1.
  template <uint64_t kAhead = 1, typename Visit, typename Upcoming>
  void Walk(uint64_t first, uint64_t end, Visit&& visit, Upcoming&& upcoming) const {
    for (uint64_t bucket = first; bucket < first + kAhead && bucket < end; ++bucket) {
      ForEachIn(bucket, upcoming);
    }
    for (uint64_t bucket = first; bucket < end; ++bucket) {
      if (bucket + kAhead < end) ForEachIn(bucket + kAhead, upcoming);
      for (uint64_t slot = 0; slot < kSlotsPerBucket; ++slot) {
        const uint64_t payload = SlotAt(bucket, slot) & kPayloadMask;
        if (payload == 0) break;
        if (!visit(payload)) return;
      }
    }
  }

 private:
  template <typename Upcoming>
  void ForEachIn(uint64_t bucket, Upcoming&& upcoming) const {
    for (uint64_t slot = 0; slot < kSlotsPerBucket; ++slot) {
      const uint64_t payload = SlotAt(bucket, slot) & kPayloadMask;
      if (payload == 0) return;
      upcoming(payload);
    }
  }

  const char* bytes_ = nullptr;
  uint64_t home_buckets_ = 0;
};

// Places entries that come in ascending order of (hash, payload) and hands finished buckets on.
class BucketWriter {
 public:
  // Of the buckets before `first` none is made, and no entry belongs there.
  explicit BucketWriter(uint64_t home_buckets, uint64_t first = 0)
      : home_buckets_(home_buckets), bucket_(first) {}

  // Appends to `to` the buckets that are finished by this entry. False when its chain would exceed
  // kMaxChain: the table cannot be made with this hash and size.
  [[nodiscard]] bool Add(uint64_t hash, uint64_t payload, std::string& to) {
    const uint64_t home = HomeBucket(hash, home_buckets_);
    while (bucket_ < home || used_ == kSlotsPerBucket) Flush(to);
    const uint64_t chain = bucket_ - home + 1;
    if (chain > kMaxChain) return false;
    if (chain > longest_chain_) longest_chain_ = chain;
    StoreLe(slots_ + used_++ * 8, PackSlot(hash, payload));
    return true;
  }

  // Appends the rest of the table.
  void Finish(std::string& to) { FinishUntil(home_buckets_ + kSpareBuckets, to); }
  // Appends the buckets up to `end` - 1.
  void FinishUntil(uint64_t end, std::string& to) {
    while (bucket_ < end) Flush(to);
  }

  uint64_t longest_chain() const { return longest_chain_; }

 private:
  void Flush(std::string& to) {
    to.append(slots_, kBucketBytes);
    std::memset(slots_, 0, used_ * 8);
    used_ = 0;
    ++bucket_;
  }

  uint64_t home_buckets_;
  uint64_t bucket_;
  uint64_t used_ = 0;
  uint64_t longest_chain_ = 0;
  char slots_[kBucketBytes] = {};
};

}  // namespace larder::snapshot

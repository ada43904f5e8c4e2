// Cursors of SCAN and its kin: a position in hash space and a tag of the hash's seed.
// Format: docs/formats/snapshot.md, "SCAN cursors"
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "snapshot/format.h"

namespace larder::snapshot {

inline uint64_t CursorTag(uint64_t seed) { return 1 + HashBytes({}, seed) % 255; }

inline uint64_t MakeCursor(uint64_t position, uint64_t seed) {
  return position << kCursorTagBits | CursorTag(seed);
}

// Where the walk goes on; 0, the beginning, for a cursor of another seed or of nobody.
inline uint64_t CursorPosition(uint64_t cursor, uint64_t seed) {
  const uint64_t tag = cursor & ((uint64_t{1} << kCursorTagBits) - 1);
  return cursor < kCursorLimit && tag == CursorTag(seed) ? cursor >> kCursorTagBits : 0;
}

// Decides, entry by entry of a walk in hash order, what one call returns: about `count` entries,
// all of equal position together. Positions that go backwards (a damaged file) are passed over, so
// that every call moves on and a walk ends.
class ScanStep {
 public:
  ScanStep(uint64_t cursor, uint64_t count, uint64_t seed)
      : seed_(seed), start_(CursorPosition(cursor, seed)), position_(start_), left_(count) {
    if (left_ == 0) left_ = 1;
  }

  uint64_t start() const { return start_; }
  uint64_t next_cursor() const { return next_cursor_; }

  enum class Verdict : uint8_t { kTake, kSkip, kStop };
  Verdict See(uint64_t hash) {
    const uint64_t position = PositionOf(hash);
    if (position < position_) return Verdict::kSkip;
    if (left_ == 0 && position > position_) {
      next_cursor_ = MakeCursor(position, seed_);
      return Verdict::kStop;
    }
    position_ = position;
    if (left_ > 0) --left_;
    return Verdict::kTake;
  }

 private:
  uint64_t seed_;
  uint64_t start_;
  uint64_t position_;
  uint64_t left_;
  uint64_t next_cursor_ = 0;
};

}  // namespace larder::snapshot

// Expiries: how many records have one, and when they are due on the whole.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace larder::snapshot {

struct Expiries {
  uint64_t records = 0;
  Int128 sum_ms = 0;  // of their Unix times in ms: no number of records overflows it

  void Add(int64_t at_ms) {
    ++records;
    sum_ms += at_ms;
  }
  void Remove(int64_t at_ms) {
    --records;
    sum_ms -= at_ms;
  }
  void Add(const Expiries& others) {
    records += others.records;
    sum_ms += others.sum_ms;
  }
  // 0 where there is none.
  int64_t mean_ms() const {
    return records == 0 ? 0 : static_cast<int64_t>(sum_ms / static_cast<Int128>(records));
  }
  bool operator==(const Expiries&) const = default;
};

}  // namespace larder::snapshot

// SoftLimit: how long a connection has had more unsent than kSubscriberSoftBytes, without a break.
//
// Told whenever some of it has left as well as when more has come: who reads all of a large message
// before the next one comes is never slow.
#pragma once

#include <cstdint>

#include "server/limits.h"

namespace larder::server {

class SoftLimit {
 public:
  void Note(uint64_t unsent, int64_t now_ms) {
    if (unsent <= kSubscriberSoftBytes) {
      above_since_ms_ = 0;
    } else if (above_since_ms_ == 0) {
      above_since_ms_ = now_ms;
    }
  }
  bool Exceeded(int64_t now_ms) const {
    return above_since_ms_ != 0 && now_ms - above_since_ms_ >= kSubscriberSoftTime.count();
  }

 private:
  int64_t above_since_ms_ = 0;  // 0: it is below
};

}  // namespace larder::server

// What happened to a store between two looks at it, for `larder watch`.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json.h"
#include "dataset/dataset.h"

namespace larder::cli {

struct WatchEvent {
  enum class Kind : uint8_t {
    kState,       // as it is when the watch begins
    kAdded,       // a store more, after a reload of the configuration
    kRemoved,     // one less
    kCompiling,   // a new version is being made
    kSwitched,    // another version is served
    kRolledBack,  // the same, back to an earlier one on purpose
    kPinned,
    kUnpinned,
    kRefused,  // `version` (0: it is not on disk) was not taken: `reason`
    kDamaged,  // `previous` became unreadable
    kFailed,   // the source could not be taken: `reason`
    kLost,     // the server does not answer: `reason`
    kFound,    // it answers again
  };
  Kind kind = Kind::kState;
  std::string store;  // empty: of the server
  uint64_t previous = 0;
  uint64_t version = 0;
  std::string reason;
  dataset::Status now;
};

// Null: the store was not there, or is there no more.
std::vector<WatchEvent> EventsBetween(const dataset::Status* before, const dataset::Status* now);

std::string EventText(const WatchEvent& event);
Json EventJson(const WatchEvent& event);

}  // namespace larder::cli

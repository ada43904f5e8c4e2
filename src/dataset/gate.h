// Gates: what a new version must be like before anybody is served from it.
//
// A gate compares a compiled version with the one that is served and with what its store expects.
// What does not pass is refused: the version stays on disk beside its verdict until the next one
// comes, so that one can look at it (`larder diff`) and take it all the same, once (`larder
// accept`). Content that was served before, or accepted, passes freely.
//
// Threads: pure functions of immutable things.
// Cost:    a look-up per required key and canary; nothing is scanned.
// Format:  docs/formats/dataset.md, "Verdicts"
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "larder/record.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

// Shares are of the version that is served: 0.3 is 30 %; none: not looked at.
struct GateOptions {
  uint64_t min_records = 1;
  std::optional<double> max_record_shrink = 0.3;
  std::optional<double> max_record_growth = 0.75;
  std::optional<double> max_byte_shrink = 0.5;  // bytes of the Snapshot's records
  std::optional<double> max_byte_growth = 2.0;
  // A change of at most so much passes the four above whatever its share: small files live.
  uint64_t free_records = 10;
  uint64_t free_bytes = uint64_t{64} << 10;

  std::optional<double> max_duplicates = 0.1;  // share of the records read; ten are always free
  uint64_t max_skipped = 100;                  // bad lines that were skipped (SourceOptions)

  struct RequiredKey {
    std::string key;
    std::optional<ValueType> type;
    bool operator==(const RequiredKey&) const = default;
  };
  std::vector<RequiredKey> required_keys;
  struct Canary {
    std::string key;
    std::optional<std::string> field;  // of a hash; none: the string itself
    std::string value;
    bool operator==(const Canary&) const = default;
  };
  std::vector<Canary> canaries;

  bool operator==(const GateOptions&) const = default;
};

// After a switch to content that was never served before: when its reads go wrong, it is left for
// the version before and refused.
struct ProbationOptions {
  std::chrono::milliseconds window{0};      // 0: no probation
  std::optional<double> max_misses = 0.5;   // share of key look-ups that find nothing
  std::optional<double> max_errors = 0.05;  // share of commands answered with an error
  uint64_t min_commands = 100;              // below so many nothing is concluded
  bool operator==(const ProbationOptions&) const = default;
};

// One gate that was not passed: its name as in the configuration ("max_record_shrink"), and a
// sentence that says what was measured, what is allowed, and of which versions.
struct Finding {
  std::string gate;
  std::string sentence;
  bool operator==(const Finding&) const = default;
};

// Why a version is refused. Empty: it is not.
using Verdict = std::vector<Finding>;

// `candidate` against `served` (null: the first version of its store). What was counted while it
// was compiled is read from its metadata.
Verdict CheckGates(const GateOptions& options, const snapshot::Snapshot& candidate,
                   const snapshot::Snapshot* served);

// The findings' sentences as one line: "A; B".
std::string VerdictText(const Verdict& verdict);

}  // namespace larder::dataset

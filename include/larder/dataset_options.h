// DatasetOptions: what a dataset is made of, and what a new version must be like.
//
// Threads: a value. Meaning of each setting for operators: docs/operations.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/record.h"
#include "larder/residency.h"
#include "larder/source.h"

namespace larder {

// What a new version must be like before anybody is served from it. Shares are of the version that
// is served: 0.3 is 30 %; none: not looked at.
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
    std::string key = {};
    std::optional<ValueType> type = {};
    bool operator==(const RequiredKey&) const = default;
  };
  std::vector<RequiredKey> required_keys = {};
  struct Canary {
    std::string key = {};
    std::optional<std::string> field = {};  // of a hash; none: the string itself
    std::string value = {};
    bool operator==(const Canary&) const = default;
  };
  std::vector<Canary> canaries = {};

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

struct DatasetOptions {
  std::string name = {};
  std::string source = {};  // the file to watch; empty: only what is on disk is served
  std::string directory = {};
  unsigned keep = 3;                         // versions on disk; the current one is never dropped
  std::chrono::milliseconds watch{5000};     // between two looks at the source, at least 1
  Residency residency = Residency::kMapped;  // what is done before a version is switched to
  SourceOptions import = {};
  GateOptions gate = {};
  ProbationOptions probation = {};
  Duplicates duplicates = Duplicates::kLast;
  std::optional<char> separator = '/';
  uint64_t build_memory_bytes = uint64_t{1} << 30;
  unsigned threads = 0;
  // Called on the compiling thread; for a progress line.
  std::function<void(std::string_view step, double share)> progress = {};
};

}  // namespace larder

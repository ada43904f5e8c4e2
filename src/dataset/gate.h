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
#include <string_view>
#include <vector>

#include "base/error.h"
#include "larder/dataset_options.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

struct ReadCounts;
struct Version;

using larder::GateOptions;
using larder::ProbationOptions;

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
// was compiled is read from its metadata and footer. What has expired by `now_ms` is missing.
Verdict CheckGates(const GateOptions& options, const snapshot::Snapshot& candidate,
                   const Version* served, int64_t now_ms);

// Whether a version alone is enough to judge it anew. It is not when a finding compares it with the
// one that was served then, or is none of a gate's.
bool CanBeJudgedAlone(const Verdict& verdict);

// What readers met in a version that is on probation.
Verdict CheckProbation(const ProbationOptions& options, const ReadCounts& counts);

// Of the metadata of a version: how many bad lines of its source were left out.
inline constexpr std::string_view kSkippedLinesMetadata = "skipped_lines";
uint64_t SkippedLines(const snapshot::Snapshot& snapshot);

// The findings as one line: "SENTENCE (GATE); SENTENCE (GATE)".
std::string VerdictText(const Verdict& verdict);

}  // namespace larder::dataset

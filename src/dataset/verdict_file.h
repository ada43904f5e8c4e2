// The verdict file of a refused version: the mark that it may not be served, and why. Pure text, no
// files.
//
// Errors: ParseVerdict: kCorrupt (not such a file), kUnsupported (of a newer format).
// Format: docs/formats/dataset.md, "Verdicts"
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dataset/gate.h"

namespace larder::dataset {

inline constexpr uint64_t kMaxVerdictBytes = uint64_t{1} << 20;

// Who refused it. By the gates: they are asked again when it is to be taken again. By probation:
// only a person takes it back.
enum class Judge : uint8_t { kGates, kProbation };

struct Refusal {
  uint64_t version = 0;
  int64_t refused_at_ms = 0;  // Unix time
  Judge by = Judge::kGates;
  Verdict findings = {};
  bool operator==(const Refusal&) const = default;
};

std::string EncodeVerdict(const Refusal& refusal);
Result<Refusal> ParseVerdict(std::string_view bytes);

}  // namespace larder::dataset

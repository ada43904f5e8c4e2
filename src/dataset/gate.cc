#include "dataset/gate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dataset/dataset.h"
#include "snapshot/format.h"
#include "snapshot/printable_key.h"

namespace larder::dataset {

namespace {

using snapshot::PrintableKey;
using snapshot::Snapshot;

// Of one gate with a finding per key; a file with nothing of what is expected misses them all.
constexpr size_t kShownKeys = 10;

// Some repeated lines are everybody's, whatever their share.
constexpr uint64_t kFreeDuplicates = 10;

// "1,234,567"
std::string Grouped(uint64_t number) {
  if (number < 1000) return fmt::format("{}", number);
  return fmt::format("{},{:03}", Grouped(number / 1000), number % 1000);
}

// 0.3 as "30 %".
std::string Percent(double share) {
  const double percent = share * 100;
  return percent < 10'000 ? fmt::format("{:.4g} %", percent)
                          : fmt::format("{} %", Grouped(static_cast<uint64_t>(percent)));
}

uint64_t LiveBytes(const Snapshot& snapshot) {
  const uint64_t all = snapshot.header().records_end - snapshot::kRecordsOffset;
  return all - std::min(all, snapshot.header().dead_bytes);
}

// One count that may change only so much from one version to the next.
struct Change {
  std::string_view what;  // "records"
  std::string_view shrink_gate;
  std::string_view growth_gate;
  std::optional<double> max_shrink;
  std::optional<double> max_growth;
  uint64_t free = 0;
  uint64_t before = 0;
  uint64_t after = 0;
  uint64_t version = 0;  // that has `before`
};

void CheckChange(const Change& change, Verdict& verdict) {
  const bool shrinks = change.after < change.before;
  const uint64_t difference = shrinks ? change.before - change.after : change.after - change.before;
  const auto allowed = shrinks ? change.max_shrink : change.max_growth;
  // Of nothing there is no share.
  if (!allowed || difference <= change.free || change.before == 0) return;
  const double share = static_cast<double>(difference) / static_cast<double>(change.before);
  if (share <= *allowed) return;
  verdict.push_back(
      {.gate = std::string(shrinks ? change.shrink_gate : change.growth_gate),
       .sentence = fmt::format(
           "{} {} are {} {} than the {} of version {}, and at most {} {} may be",
           Grouped(change.after), change.what, Percent(share), shrinks ? "fewer" : "more",
           Grouped(change.before), change.version, Percent(*allowed), shrinks ? "fewer" : "more")});
}

void CheckChanges(const GateOptions& options, const Snapshot& candidate, const Version& served,
                  Verdict& verdict) {
  CheckChange({.what = "records",
               .shrink_gate = "max_record_shrink",
               .growth_gate = "max_record_growth",
               .max_shrink = options.max_record_shrink,
               .max_growth = options.max_record_growth,
               .free = options.free_records,
               .before = served.snapshot->record_count(),
               .after = candidate.record_count(),
               .version = served.number},
              verdict);
  CheckChange({.what = "bytes of records",
               .shrink_gate = "max_byte_shrink",
               .growth_gate = "max_byte_growth",
               .max_shrink = options.max_byte_shrink,
               .max_growth = options.max_byte_growth,
               .free = options.free_bytes,
               .before = LiveBytes(*served.snapshot),
               .after = LiveBytes(candidate),
               .version = served.number},
              verdict);
}

void CheckDuplicates(const GateOptions& options, const Snapshot& candidate, Verdict& verdict) {
  const uint64_t dead = candidate.header().dead_records;
  const uint64_t read = dead + candidate.record_count();
  if (!options.max_duplicates || dead <= kFreeDuplicates) return;
  const double share = static_cast<double>(dead) / static_cast<double>(read);
  if (share <= *options.max_duplicates) return;
  verdict.push_back(
      {.gate = "max_duplicates",
       .sentence = fmt::format(
           "{} of {} records ({}) are duplicates of another's key, and at most {} may be",
           Grouped(dead), Grouped(read), Percent(share), Percent(*options.max_duplicates))});
}

void CheckSkipped(const GateOptions& options, const Snapshot& candidate, Verdict& verdict) {
  const uint64_t skipped = SkippedLines(candidate);
  if (skipped <= options.max_skipped) return;
  verdict.push_back({.gate = "max_skipped",
                     .sentence = fmt::format("{} bad lines were skipped, and at most {} may be",
                                             Grouped(skipped), Grouped(options.max_skipped))});
}

// Collects the findings of one gate, the first kShownKeys of them in words.
class KeyFindings {
 public:
  KeyFindings(std::string_view gate, Verdict& verdict) : gate_(gate), verdict_(verdict) {}
  KeyFindings(const KeyFindings&) = delete;
  KeyFindings& operator=(const KeyFindings&) = delete;
  ~KeyFindings() {
    if (count_ <= kShownKeys) return;
    verdict_.push_back({gate_, fmt::format("and {} keys more", Grouped(count_ - kShownKeys))});
  }

  void Add(std::string sentence) {
    if (++count_ <= kShownKeys) verdict_.push_back({gate_, std::move(sentence)});
  }

 private:
  std::string gate_;
  Verdict& verdict_;
  uint64_t count_ = 0;
};

std::optional<snapshot::Value> FindLive(const Snapshot& candidate, std::string_view key,
                                        int64_t now_ms) {
  auto value = candidate.Find(key);
  if (value && value->Expired(now_ms)) value.reset();
  return value;
}

void CheckRequiredKeys(const GateOptions& options, const Snapshot& candidate, int64_t now_ms,
                       Verdict& verdict) {
  KeyFindings findings("required_keys", verdict);
  for (const auto& required : options.required_keys) {
    const auto value = FindLive(candidate, required.key, now_ms);
    if (!value) {
      findings.Add(fmt::format("the required key {} is missing", PrintableKey(required.key)));
    } else if (required.type && value->type != *required.type) {
      findings.Add(fmt::format("the required key {} is of type {}, and must be {}",
                               PrintableKey(required.key), ValueTypeName(value->type),
                               ValueTypeName(*required.type)));
    }
  }
}

// What is wrong with one canary; empty: nothing.
std::string CanaryProblem(const GateOptions::Canary& canary, const Snapshot& candidate,
                          int64_t now_ms) {
  const std::string subject = fmt::format("the canary {}", PrintableKey(canary.key));
  const auto value = FindLive(candidate, canary.key, now_ms);
  if (!value) return subject + " is missing";
  const bool is_text = value->type == ValueType::kString || value->type == ValueType::kJson;
  if (canary.field ? value->type != ValueType::kHash : !is_text) {
    return fmt::format("{} is of type {}, and must be {}", subject, ValueTypeName(value->type),
                       canary.field ? "hash" : "string");
  }
  if (!canary.field) {
    const std::string_view found = snapshot::TextView(*value).text();
    if (found == canary.value) return "";
    return fmt::format("{} is {}, and must be {}", subject, PrintableKey(found),
                       PrintableKey(canary.value));
  }
  const snapshot::CollectionView fields(*value);
  const auto at = fields.FindMember(*canary.field);
  if (!at) return fmt::format("{} has no field {}", subject, PrintableKey(*canary.field));
  const std::string_view found = fields.Text(*at * 2 + 1);
  if (found == canary.value) return "";
  return fmt::format("field {} of {} is {}, and must be {}", PrintableKey(*canary.field), subject,
                     PrintableKey(found), PrintableKey(canary.value));
}

void CheckCanaries(const GateOptions& options, const Snapshot& candidate, int64_t now_ms,
                   Verdict& verdict) {
  KeyFindings findings("canaries", verdict);
  for (const auto& canary : options.canaries) {
    if (auto problem = CanaryProblem(canary, candidate, now_ms); !problem.empty()) {
      findings.Add(std::move(problem));
    }
  }
}

}  // namespace

uint64_t SkippedLines(const Snapshot& snapshot) {
  for (const auto& [name, value] : snapshot.Metadata()) {
    if (name != kSkippedLinesMetadata) continue;
    uint64_t lines = 0;
    std::from_chars(value.data(), value.data() + value.size(), lines);
    return lines;
  }
  return 0;
}

Verdict CheckGates(const GateOptions& options, const Snapshot& candidate, const Version* served,
                   int64_t now_ms) {
  Verdict verdict;
  if (candidate.record_count() < options.min_records) {
    verdict.push_back(
        {.gate = "min_records",
         .sentence = fmt::format("{} records, and at least {} must be there",
                                 Grouped(candidate.record_count()), Grouped(options.min_records))});
  }
  if (served != nullptr) CheckChanges(options, candidate, *served, verdict);
  CheckDuplicates(options, candidate, verdict);
  CheckSkipped(options, candidate, verdict);
  CheckRequiredKeys(options, candidate, now_ms, verdict);
  CheckCanaries(options, candidate, now_ms, verdict);
  return verdict;
}

bool CanBeJudgedAlone(const Verdict& verdict) {
  constexpr std::array<std::string_view, 5> kGates = {"min_records", "max_duplicates",
                                                      "max_skipped", "required_keys", "canaries"};
  return std::ranges::all_of(verdict, [&](const Finding& finding) {
    return std::ranges::find(kGates, finding.gate) != kGates.end();
  });
}

Verdict CheckProbation(const ProbationOptions& options, const ReadCounts& counts) {
  const uint64_t commands = counts.commands.load(std::memory_order_relaxed);
  if (commands < std::max<uint64_t>(options.min_commands, 1)) return {};
  const auto share = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  Verdict verdict;
  const uint64_t errors = counts.errors.load(std::memory_order_relaxed);
  const double error_share = share(errors, commands);
  if (options.max_errors && error_share > *options.max_errors) {
    verdict.push_back(
        {.gate = "max_errors",
         .sentence = fmt::format("{} of {} commands ({}) were answered with an error, and at most "
                                 "{} may be",
                                 Grouped(errors), Grouped(commands), Percent(error_share),
                                 Percent(*options.max_errors))});
  }
  const uint64_t misses = counts.misses.load(std::memory_order_relaxed);
  const uint64_t lookups = misses + counts.hits.load(std::memory_order_relaxed);
  const double miss_share = share(misses, lookups);
  if (options.max_misses && miss_share > *options.max_misses) {
    verdict.push_back(
        {.gate = "max_misses",
         .sentence = fmt::format("{} of {} look-ups ({}) found nothing, and at most {} may",
                                 Grouped(misses), Grouped(lookups), Percent(miss_share),
                                 Percent(*options.max_misses))});
  }
  return verdict;
}

std::string VerdictText(const Verdict& verdict) {
  std::string text;
  for (const Finding& finding : verdict) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{} ({})", finding.sentence, finding.gate);
  }
  return text;
}

}  // namespace larder::dataset

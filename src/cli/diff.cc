// larder diff: what sets two datasets, or two versions of one, apart.
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/import_options.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/named_records.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "snapshot/difference.h"

namespace larder::cli {

namespace {

using snapshot::Change;
using snapshot::Difference;
using snapshot::KeySample;

struct DiffArguments {
  std::string before;
  std::string after;
  NamedRecordsOptions options;
  size_t samples = 10;
  bool json = false;
};

using Pair = std::pair<NamedRecords, NamedRecords>;

// What there is to compare in a store: the refused version with the current one, else the current
// one with the one before it.
Result<Pair> OpenVersions(const DiffArguments& arguments) {
  StoreArguments where = arguments.options.where;
  where.store = arguments.before;
  LARDER_ASSIGN(const StoreFiles files, FindStoreFiles(where));
  LARDER_ASSIGN(const dataset::VersionInfo current, ChooseVersion(files, "current"));
  const auto refused = RefusedVersion(files);
  const auto previous = PreviousVersion(files);
  if (!refused && !previous) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} has neither a refused version nor one before the current: there is "
                            "nothing to compare version {} with",
                            files.store, current.number));
  }
  Pair pair;
  LARDER_ASSIGN(pair.first, OpenVersionFile(files, refused ? current : *previous));
  LARDER_ASSIGN(pair.second, OpenVersionFile(files, refused ? *refused : current));
  return pair;
}

Result<Pair> OpenBoth(const DiffArguments& arguments, Progress& progress) {
  if (arguments.after.empty()) {
    if (NamesAFile(arguments.before)) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} is a file; compare it with what?", arguments.before));
    }
    return OpenVersions(arguments);
  }
  Pair pair;
  LARDER_ASSIGN(pair.first, OpenNamedRecords(arguments.before, arguments.options, progress));
  LARDER_ASSIGN(pair.second, OpenNamedRecords(arguments.after, arguments.options, progress));
  return pair;
}

std::string_view KindName(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::kType:
      return "type";
    case Change::Kind::kValue:
      return "value";
    case Change::Kind::kField:
      return "field";
    case Change::Kind::kElement:
      return "element";
    case Change::Kind::kMember:
      return "member";
    case Change::Kind::kExpiry:
      return "expires_at_ms";
    case Change::Kind::kVersion:
      return "version";
    case Change::Kind::kFlags:
      return "flags";
  }
  return "";
}

// On one line, whatever is in it.
std::string Quoted(std::string_view text) {
  constexpr size_t kMostShown = 60;
  const bool whole = text.size() <= kMostShown;
  return JsonText(text.substr(0, snapshot::CutAtCharacter(text, kMostShown))) +
         (whole ? "" : "...");
}

std::string ChangeText(const Change& change) {
  const auto side = [](const std::optional<std::string>& text) {
    return text ? Quoted(*text) : std::string("none");
  };
  std::string line(KindName(change.kind));
  if (change.kind == Change::Kind::kElement) line += " " + change.name;
  if (change.kind == Change::Kind::kField || change.kind == Change::Kind::kMember) {
    line += " " + Quoted(change.name);
  }
  // Of a set's member there is nothing to say but that it is there.
  if (change.before.value_or("").empty() && change.after.value_or("").empty() &&
      change.kind == Change::Kind::kMember) {
    return line + (change.after ? " added" : " removed");
  }
  return fmt::format("{}: {} -> {}", line, side(change.before), side(change.after));
}

void PrintSamples(char mark, const std::vector<KeySample>& samples, uint64_t total) {
  for (const KeySample& sample : samples) {
    fmt::print("{} {} ({})\n", mark, Quoted(sample.key), ValueTypeName(sample.type));
    for (const Change& change : sample.changes) fmt::print("    {}\n", ChangeText(change));
    if (sample.change_count > sample.changes.size()) {
      fmt::print("    and {} more\n", sample.change_count - sample.changes.size());
    }
  }
  if (total > samples.size() && !samples.empty()) {
    fmt::print("{} and {} more\n", mark, total - samples.size());
  }
}

void PrintText(const Pair& pair, const Difference& found) {
  fmt::print("{} -> {}: {} added, {} removed, {} changed, {} equal\n", pair.first.title,
             pair.second.title, found.added, found.removed, found.changed, found.equal);
  PrintSamples('+', found.added_samples, found.added);
  PrintSamples('-', found.removed_samples, found.removed);
  PrintSamples('~', found.changed_samples, found.changed);
}

Json SampleJson(const KeySample& sample) {
  Json json = Json::object();
  PutBytes(json, "key", sample.key);
  json["type"] = ValueTypeName(sample.type);
  if (sample.changes.empty()) return json;
  json["change_count"] = sample.change_count;
  json["changes"] = Json::array();
  for (const Change& change : sample.changes) {
    Json entry = {{"what", KindName(change.kind)}};
    if (!change.name.empty()) PutBytes(entry, "name", change.name);
    if (change.before) PutBytes(entry, "before", *change.before);
    if (change.after) PutBytes(entry, "after", *change.after);
    json["changes"].push_back(std::move(entry));
  }
  return json;
}

Json SamplesJson(const std::vector<KeySample>& samples) {
  Json all = Json::array();
  for (const KeySample& sample : samples) all.push_back(SampleJson(sample));
  return all;
}

void PrintAsJson(const Pair& pair, const Difference& found) {
  PrintJson({{"before", pair.first.title},
             {"after", pair.second.title},
             {"equal", found.equal},
             {"added", found.added},
             {"removed", found.removed},
             {"changed", found.changed},
             {"samples",
              {{"added", SamplesJson(found.added_samples)},
               {"removed", SamplesJson(found.removed_samples)},
               {"changed", SamplesJson(found.changed_samples)}}}});
}

int RunDiff(const DiffArguments& arguments) {
  const Interrupt interrupt;
  Progress progress(arguments.before);
  const auto pair = OpenBoth(arguments, progress);
  progress.Clear();
  if (!pair) return ReportError(pair.error());
  Progress comparing(pair->first.title + " -> " + pair->second.title);
  const auto goes_on = [&comparing](double share) {
    comparing.Show("compare", share);
    return !Interrupt::requested().load();
  };
  const auto found = snapshot::Compare(*pair->first.snapshot, *pair->second.snapshot,
                                       {.samples = arguments.samples, .progress = goes_on});
  comparing.Clear();
  if (!found) return ReportError(found.error());
  if (arguments.json) {
    PrintAsJson(*pair, *found);
  } else {
    PrintText(*pair, *found);
  }
  return found->none() ? kExitOk : kExitDifferent;
}

}  // namespace

void AddDiff(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<DiffArguments>();
  CLI::App* const diff =
      app.add_subcommand("diff", "Show which keys were added, removed and changed");
  diff->add_option("BEFORE", arguments->before,
                   "A .snap file, a source file, or STORE, STORE@N, STORE@previous, STORE@refused")
      ->required();
  diff->add_option("AFTER", arguments->after,
                   "Another one; without it, of the store BEFORE: the refused version against the "
                   "current, or else the current against the previous");
  diff->add_option("--samples", arguments->samples,
                   "How many keys of each kind are shown (default: 10)");
  AddStoreOptions(*diff, arguments->options.where);
  AddImportOptions(*diff, arguments->options.import);
  diff->add_flag("--json", arguments->json, "Counts and samples as JSON");
  diff->footer(
      "Examples:\n"
      "  larder diff features\n"
      "  larder diff features@7 features@8 --samples 100\n"
      "  larder diff yesterday.snap today.jsonl.gz --json\n"
      "Exits with 0 when both hold the same and with 6 when they do not. The elements of hashes,\n"
      "sets and zsets count without their order; expiry, version and flags count.");
  diff->callback([arguments, &chosen] { chosen = [arguments] { return RunDiff(*arguments); }; });
}

}  // namespace larder::cli

// larder log inspect: what a log's directory holds, without reading all of it.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/log_commands.h"
#include "cli/time_text.h"
#include "log/examine.h"

namespace larder::cli {

namespace {

using log::HeadState;
using log::LogFacts;
using log::PartState;
using log::SegmentFacts;

struct InspectArguments {
  log::LogPlace place;
  bool json = false;
};

std::string_view StateName(PartState state) {
  switch (state) {
    case PartState::kRight:
      return "right";
    case PartState::kMissing:
      return "missing";
    case PartState::kWrong:
      return "wrong";
  }
  return "";
}

std::string_view HeadName(HeadState state) {
  switch (state) {
    case HeadState::kRight:
      return "right";
    case HeadState::kNotBegun:
      return "not begun";
    case HeadState::kWrong:
      return "wrong";
    case HeadState::kForeign:
      return "of another log or place";
  }
  return "";
}

// Nobody tells when the control file is of another start of the machine.
std::string_view UseName(const log::LogParts& parts) {
  if (!parts.control) return parts.closed() ? "closed" : "unknown";
  constexpr std::string_view kNames[] = {"in use", "closed", "a sync has failed"};
  return kNames[parts.control->state];
}

Json DescribeSegment(const log::LogPlace& place, const SegmentFacts& segment) {
  Json described = {{"file", log::SegmentName(place.prefix, segment.number)},
                    {"number", segment.number},
                    {"records", segment.records},
                    {"bytes", segment.bytes},
                    {"index_bytes", segment.index_bytes},
                    {"made_at_ms", segment.made_at_ms},
                    {"sealed", !segment.last},
                    {"head", HeadName(segment.head_state)},
                    {"index", StateName(segment.index)}};
  if (!segment.problem.empty()) described["problem"] = segment.problem;
  return described;
}

Json Describe(const log::LogPlace& place, const LogFacts& facts) {
  const log::LogParts& parts = facts.parts;
  Json numbers = {{"state", StateName(parts.numbers_state)}};
  if (parts.numbers_state == PartState::kRight) {
    numbers["reserved"] = parts.numbers.reserved;
    numbers["synced"] = parts.numbers.synced;
  }
  Json control;
  if (parts.control) {
    control = {{"committed", parts.control->committed},
               {"synced", parts.control->synced},
               {"reserved", parts.control->reserved}};
  }
  uint64_t records = 0;
  Json segments = Json::array();
  for (const SegmentFacts& segment : facts.segments) {
    records += segment.records;
    segments.push_back(DescribeSegment(place, segment));
  }
  return {{"directory", place.directory},
          {"prefix", place.prefix},
          {"id", parts.id_known ? Json(HexText(parts.id)) : Json()},
          {"state", UseName(parts)},
          {"numbers", numbers},
          {"control", control},
          {"records", records},
          {"oldest", facts.oldest == 0 ? Json() : Json(facts.oldest)},
          {"newest", facts.newest == 0 ? Json() : Json(facts.newest)},
          {"tail", {{"bytes", facts.tail_bytes}, {"whole_batches", facts.tail_batches}}},
          {"segments", segments}};
}

std::string NumbersText(const LogFacts& facts) {
  if (facts.parts.numbers_state != PartState::kRight) {
    return std::string(StateName(facts.parts.numbers_state));
  }
  return fmt::format("reserved to {}, safe to {}", facts.parts.numbers.reserved,
                     facts.parts.numbers.synced);
}

void PrintSegment(const log::LogPlace& place, const SegmentFacts& segment) {
  const std::string records =
      segment.records == 0
          ? "no records"
          : fmt::format("{} to {} ({})", segment.number, segment.last_number(), segment.records);
  fmt::print("  {}: {}, {} bytes, made {}, {}, index {}",
             log::SegmentName(place.prefix, segment.number), records, segment.bytes,
             segment.head_state == HeadState::kRight ? TimeText(segment.made_at_ms) : "?",
             segment.last ? "last" : "sealed", StateName(segment.index));
  if (segment.head_state != HeadState::kRight)
    fmt::print(", head {}", HeadName(segment.head_state));
  fmt::print("\n");
}

void PrintText(const log::LogPlace& place, const LogFacts& facts) {
  fmt::print("directory: {}\n", place.directory);
  fmt::print("prefix: {}\n", place.prefix);
  fmt::print("id: {}\n", facts.parts.id_known ? HexText(facts.parts.id) : "unknown");
  fmt::print("state: {}\n", UseName(facts.parts));
  if (facts.parts.control) {
    fmt::print("committed: {}\nsynced: {}\n", facts.parts.control->committed,
               facts.parts.control->synced);
  }
  fmt::print("numbers: {}\n", NumbersText(facts));
  if (facts.oldest == 0) {
    fmt::print("records: none\n");
  } else {
    fmt::print("oldest: {}\nnewest: {}\n", facts.oldest, facts.newest);
  }
  if (facts.tail_bytes != 0) {
    fmt::print("tail: {} bytes behind the last record, {} whole batches in it{}\n",
               facts.tail_bytes, facts.tail_batches,
               facts.parts.in_use() ? "; being written, or left by a process that was killed"
                                    : "; cut when the log is opened to append");
  }
  fmt::print("segments: {}\n", facts.segments.size());
  for (const SegmentFacts& segment : facts.segments) PrintSegment(place, segment);
}

// What can be told without reading all.
int ReportDamage(const log::LogPlace& place, const LogFacts& facts) {
  int exit_code = kExitOk;
  const auto report = [&exit_code](const std::string& message) {
    exit_code = ReportError(Error(ErrorCode::kCorrupt, message));
  };
  const std::string numbers = log::NumbersName(place.prefix);
  if (facts.parts.numbers_state == PartState::kMissing) report(numbers + ": missing");
  if (facts.parts.numbers_state == PartState::kWrong) report(facts.parts.numbers_problem);
  if (facts.parts.numbers_state == PartState::kRight && !facts.parts.numbers_right())
    report(numbers + ": of another log than the segments");
  for (const SegmentFacts& segment : facts.segments) {
    const bool interrupted = segment.head_state == HeadState::kNotBegun && segment.last;
    if (segment.head_state != HeadState::kRight && !interrupted) report(segment.problem);
  }
  if (facts.missing_number != 0) {
    report(fmt::format("{}: byte {}: record {} was safe, and is not whole",
                       log::SegmentName(place.prefix, facts.segments.back().number),
                       facts.missing_at, facts.missing_number));
  }
  return exit_code;
}

int RunInspect(const InspectArguments& arguments) {
  const auto facts = log::InspectLog(io::RealFileSystem(), arguments.place);
  if (!facts) return ReportError(facts.error());
  if (arguments.json) {
    PrintJson(Describe(arguments.place, *facts));
  } else {
    PrintText(arguments.place, *facts);
  }
  return ReportDamage(arguments.place, *facts);
}

}  // namespace

void AddLogInspect(CLI::App& log, Run& chosen) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* const inspect =
      log.add_subcommand("inspect", "Show what a log's directory holds, without reading all of it");
  AddLogPlace(*inspect, arguments->place);
  inspect->add_flag("--json", arguments->json, "Report as JSON");
  inspect->footer(
      "Examples:\n"
      "  larder log inspect /var/lib/orders\n"
      "  larder log inspect --json /var/lib/orders --prefix orders\n"
      "Others may use the log meanwhile. Exits with 4 when it sees damage; `larder log verify` "
      "looks\n"
      "at everything.");
  inspect->callback(
      [arguments, &chosen] { chosen = [arguments] { return RunInspect(*arguments); }; });
}

}  // namespace larder::cli

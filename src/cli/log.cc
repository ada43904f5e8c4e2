// larder log: looks at logs, and saves what is whole of a damaged one.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/log_commands.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "log/read_through.h"

namespace larder::cli {

namespace {

struct VerifyArguments {
  log::LogPlace place;
  bool json = false;
};

struct Verified {
  log::ReadThroughTotals totals;
  Json damage = Json::array();
  Json notes = Json::array();
  std::vector<std::string> note_texts;
};

Result<Verified> Verify(const log::LogPlace& place, bool json) {
  const Interrupt interrupt;
  Progress progress(place.directory);
  Verified verified;
  log::ReadThroughOptions options;
  options.progress = [&progress](uint64_t done, uint64_t all) {
    progress.Show("verifying", static_cast<double>(done) / static_cast<double>(all));
    return !Interrupt::requested().load(std::memory_order_relaxed);
  };
  options.visit_finding = [&](const log::Finding& finding) {
    if (json)
      (finding.damage ? verified.damage : verified.notes).push_back(DescribeFinding(finding));
    if (finding.damage) {
      progress.Clear();
      PrintFinding(finding);
    } else {
      verified.note_texts.push_back(finding.Text());
    }
  };
  LARDER_ASSIGN(verified.totals, log::ReadThrough(io::RealFileSystem(), place, options));
  return verified;
}

int RunVerify(const VerifyArguments& arguments) {
  const std::string& directory = arguments.place.directory;
  const auto verified = Verify(arguments.place, arguments.json);
  if (!verified) {
    if (arguments.json) {
      PrintJson({{"directory", directory}, {"ok", false}, {"error", verified.error().message()}});
    }
    return ReportError(verified.error());
  }
  const log::ReadThroughTotals& totals = verified->totals;
  const bool whole = totals.damaged == 0;
  if (arguments.json) {
    PrintJson({{"directory", directory},
               {"prefix", arguments.place.prefix},
               {"ok", whole},
               {"bytes", totals.bytes},
               {"records", totals.records},
               {"batches", totals.batches},
               {"segments", totals.segments},
               {"damage", verified->damage},
               {"notes", verified->notes}});
  } else {
    for (const std::string& note : verified->note_texts) fmt::print("{}\n", note);
    fmt::print("{}: {}, {} bytes, {} records, {} segments\n", directory,
               whole ? "whole" : "damaged", totals.bytes, totals.records, totals.segments);
  }
  if (whole) return kExitOk;
  return ReportError(Error(
      ErrorCode::kCorrupt,
      fmt::format("{}: damaged in {} {}; `larder log repair` makes a new log of what is whole",
                  directory, totals.damaged, totals.damaged == 1 ? "place" : "places")));
}

}  // namespace

void AddLogPlace(CLI::App& command, log::LogPlace& place) {
  command.add_option("DIRECTORY", place.directory, "The directory of the log")->required();
  command.add_option("--prefix", place.prefix, "How its files' names begin (default: log)");
}

std::string HexText(const log::LogId& id) {
  std::string text;
  for (const char byte : id) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Json DescribeFinding(const log::Finding& finding) {
  Json described = {{"file", finding.file}, {"byte", finding.offset}, {"what", finding.what}};
  if (finding.first_number != 0) described["first_record"] = finding.first_number;
  if (finding.last_number != 0) described["last_record"] = finding.last_number;
  return described;
}

void PrintFinding(const log::Finding& finding) {
  PrintToStderr(fmt::format("larder: {}\n", finding.Text()));
}

void AddLogVerify(CLI::App& log, Run& chosen) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* const verify = log.add_subcommand("verify", "Check every byte of a log");
  AddLogPlace(*verify, arguments->place);
  verify->add_flag("--json", arguments->json, "Report as JSON");
  verify->footer(
      "Example:\n"
      "  larder log verify /var/lib/orders\n"
      "Exits with 4 when it is damaged, and names each place on standard error. A torn tail, "
      "which\n"
      "opening the log cuts, is no damage. Others may use the log meanwhile.");
  verify->callback(
      [arguments, &chosen] { chosen = [arguments] { return RunVerify(*arguments); }; });
}

void AddLog(CLI::App& app, Run& chosen) {
  CLI::App* const log =
      app.add_subcommand("log", "Look at the directory of a log or queue, or save what is whole");
  log->require_subcommand(1);
  log->footer(
      "Examples:\n"
      "  larder log inspect /var/lib/orders\n"
      "  larder log verify /var/lib/orders\n"
      "  larder log cat /var/lib/orders --from 1000 | head\n"
      "  larder log repair /var/lib/orders --to /var/lib/orders.new");
  AddLogInspect(*log, chosen);
  AddLogVerify(*log, chosen);
  AddLogCat(*log, chosen);
  AddLogRepair(*log, chosen);
}

}  // namespace larder::cli

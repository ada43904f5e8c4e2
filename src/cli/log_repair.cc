// larder log repair: a new log of what is whole in a damaged one.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/log_commands.h"
#include "cli/progress.h"
#include "log/salvage.h"

namespace larder::cli {

namespace {

struct RepairArguments {
  log::SalvageOptions options;
  bool json = false;
};

void PrintReport(const log::SalvageOptions& options, const log::SalvageReport& report) {
  fmt::print("{}: {} records, {} bytes of data, {} segments\n", options.to_directory,
             report.records, report.bytes, report.segments);
  if (report.records != 0) fmt::print("oldest: {}\nnewest: {}\n", report.oldest, report.newest);
  fmt::print("lost: {} records in {} {}\n", report.lost_records, report.losses,
             report.losses == 1 ? "place" : "places");
  if (report.single_records != 0 && !options.single_records) {
    fmt::print("right by themselves, of these: {}, which --records keeps\n", report.single_records);
  }
  fmt::print("numbers go on behind {}{}\n", report.reserved,
             report.numbers_known ? "" : " (a guess: the file of numbers was not right)");
}

Json Describe(const log::SalvageOptions& options, const log::SalvageReport& report,
              const Json& losses) {
  return {{"directory", options.from.directory},
          {"to", options.to_directory},
          {"prefix", options.from.prefix},
          {"ok", true},
          {"segments", report.segments},
          {"batches", report.batches},
          {"records", report.records},
          {"bytes", report.bytes},
          {"oldest", report.oldest == 0 ? Json() : Json(report.oldest)},
          {"newest", report.newest == 0 ? Json() : Json(report.newest)},
          {"lost_records", report.lost_records},
          {"single_records", {{"right", report.single_records}, {"kept", options.single_records}}},
          {"reserved", report.reserved},
          {"numbers_known", report.numbers_known},
          {"losses", losses}};
}

int RunRepair(log::SalvageOptions options, bool json) {
  const Interrupt interrupt;
  Progress progress(options.from.directory);
  Json losses = Json::array();
  options.progress = [&progress](uint64_t done, uint64_t all) {
    progress.Show("repairing", static_cast<double>(done) / static_cast<double>(all));
    return !Interrupt::requested().load(std::memory_order_relaxed);
  };
  options.visit_loss = [&](const log::Finding& loss) {
    if (json) losses.push_back(DescribeFinding(loss));
    progress.Clear();
    PrintFinding(loss);
  };
  const auto report = log::Salvage(io::RealFileSystem(), options);
  progress.Clear();
  if (!report) {
    if (json) {
      PrintJson({{"directory", options.from.directory},
                 {"ok", false},
                 {"error", report.error().message()}});
    }
    return ReportError(report.error());
  }
  if (json) {
    PrintJson(Describe(options, *report, losses));
  } else {
    PrintReport(options, *report);
  }
  return kExitOk;
}

}  // namespace

void AddLogRepair(CLI::App& log, Run& chosen) {
  auto arguments = std::make_shared<RepairArguments>();
  CLI::App* const repair =
      log.add_subcommand("repair", "Make a new log of what is whole in a damaged one");
  AddLogPlace(*repair, arguments->options.from);
  repair->add_option("--to", arguments->options.to_directory, "The directory of the new log")
      ->required();
  repair->add_flag("--records", arguments->options.single_records,
                   "Also keep right records of batches that are not whole");
  repair->add_flag("--json", arguments->json, "Report as JSON");
  repair->footer(
      "Example:\n"
      "  larder log repair /var/lib/orders --to /var/lib/orders.new\n"
      "Nobody should append to it meanwhile. The old log is not changed. Records keep their "
      "numbers,\n"
      "times and marks; each loss is named on standard error. What is appended to the new log "
      "gets\n"
      "numbers behind all that were reserved.");
  repair->callback([arguments, &chosen] {
    chosen = [arguments] { return RunRepair(arguments->options, arguments->json); };
  });
}

}  // namespace larder::cli

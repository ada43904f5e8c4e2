// larder verify: reads everything of a Snapshot and says whether it is whole.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

namespace {

Result<snapshot::VerifyReport> Verify(const std::string& path) {
  const Interrupt interrupt;
  LARDER_ASSIGN(const auto snapshot, snapshot::Snapshot::Open(io::RealFileSystem(), path));
  snapshot->mapping().Advise(io::AccessPattern::kSequential);
  Progress progress(path);
  const auto total = static_cast<double>(snapshot->header().file_bytes);
  return snapshot::Verify(*snapshot, [&progress, total](uint64_t bytes_done) {
    progress.Show("verifying", static_cast<double>(bytes_done) / total);
    return !Interrupt::requested().load(std::memory_order_relaxed);
  });
}

int RunVerify(const std::string& path, bool json) {
  const auto report = Verify(path);
  if (!report) {
    if (json) PrintJson({{"file", path}, {"ok", false}, {"error", report.error().message()}});
    return ReportError(report.error());
  }
  if (json) {
    PrintJson({{"file", path},
               {"ok", true},
               {"bytes", report->bytes},
               {"records", report->records},
               {"collections", report->collections}});
  } else {
    fmt::print("{}: whole, {} bytes, {} records, {} collections\n", path, report->bytes,
               report->records, report->collections);
  }
  return kExitOk;
}

}  // namespace

void AddVerify(CLI::App& app, Run& chosen) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* const verify = app.add_subcommand("verify", "Check every byte of a Snapshot file");
  verify->add_option("FILE", *path, "A .snap file")->required();
  verify->add_flag("--json", *json, "Report as JSON");
  verify->footer(
      "Example:\n  larder verify features.snap\nExits with 4 when it is "
      "damaged.");
  verify->callback(
      [path, json, &chosen] { chosen = [path, json] { return RunVerify(*path, *json); }; });
}

}  // namespace larder::cli

// larder verify: reads everything of a Snapshot and says whether it is whole.
#include "snapshot/verify.h"

#include <chrono>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/settings.h"
#include "cli/subcommands.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

namespace {

struct VerifyArguments {
  std::string path;
  unsigned threads = 0;
  bool json = false;
};

struct Verified : snapshot::VerifyReport {
  double seconds = 0;
  double bytes_per_second() const { return static_cast<double>(bytes) / seconds; }
};

Result<Verified> Verify(const VerifyArguments& arguments) {
  const std::string& path = arguments.path;
  const Interrupt interrupt;
  const auto start = std::chrono::steady_clock::now();
  LARDER_ASSIGN(const auto snapshot, snapshot::Snapshot::Open(io::RealFileSystem(), path));
  snapshot->mapping().Advise(io::AccessPattern::kSequential);
  Progress progress(path);
  const auto total = static_cast<double>(snapshot->header().file_bytes);
  snapshot::VerifyOptions options;
  options.threads = arguments.threads;
  options.progress = [&progress, total](uint64_t bytes_done) {
    progress.Show("verifying", static_cast<double>(bytes_done) / total);
    return !Interrupt::requested().load(std::memory_order_relaxed);
  };
  Verified verified;
  LARDER_ASSIGN(static_cast<snapshot::VerifyReport&>(verified),
                snapshot::Verify(*snapshot, options));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  verified.seconds = passed.count();
  return verified;
}

int RunVerify(const VerifyArguments& arguments) {
  const std::string& path = arguments.path;
  const auto report = Verify(arguments);
  if (!report) {
    if (arguments.json)
      PrintJson({{"file", path}, {"ok", false}, {"error", report.error().message()}});
    return ReportError(report.error());
  }
  if (arguments.json) {
    PrintJson({{"file", path},
               {"ok", true},
               {"bytes", report->bytes},
               {"records", report->records},
               {"collections", report->collections},
               {"seconds", report->seconds},
               {"bytes_per_second", report->bytes_per_second()}});
  } else {
    fmt::print("{}: whole, {} bytes, {} records, {} collections; {:.1f} GB/s\n", path,
               report->bytes, report->records, report->collections,
               report->bytes_per_second() / 1e9);
  }
  return kExitOk;
}

}  // namespace

void AddVerify(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* const verify = app.add_subcommand("verify", "Check every byte of a Snapshot file");
  verify->add_option("FILE", arguments->path, "A .snap file")->required();
  verify->add_option("--threads", arguments->threads, "Threads (default: one per core)")
      ->check(CLI::Range(kMaxThreads));
  verify->add_flag("--json", arguments->json, "Report as JSON");
  verify->footer(
      "Example:\n  larder verify features.snap\nExits with 4 when it is "
      "damaged.");
  verify->callback(
      [arguments, &chosen] { chosen = [arguments] { return RunVerify(*arguments); }; });
}

}  // namespace larder::cli

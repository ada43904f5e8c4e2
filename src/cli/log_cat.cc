// larder log cat: a log's records, in order.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/log_commands.h"
#include "log/read_through.h"

namespace larder::cli {

namespace {

struct CatArguments {
  log::LogPlace place;
  uint64_t from = 0;
  uint64_t to = log::kMaxNumber;
  bool json = false;
  bool count = false;
};

// Standard output, and why it could not be written.
class Output {
 public:
  Result<void> Write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return {};
    failed_ = errno;
    return Fail(ErrorCode::kIoError, "standard output");
  }
  void Flush() {
    if (failed_ == 0 && std::fflush(stdout) != 0) failed_ = errno;
  }
  int failed() const { return failed_; }

 private:
  int failed_ = 0;
};

std::string JsonLine(const log::FoundRecord& record) {
  Json line = {{"number", record.number}, {"time_ms", record.time_ms}, {"marked", record.marked}};
  PutBytes(line, "data", record.data);
  return line.dump() + "\n";
}

int RunCat(const CatArguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  const Interrupt interrupt;
  Output output;
  uint64_t count = 0;
  log::ReadThroughOptions options;
  options.from = arguments.from;
  options.to = arguments.to;
  options.check_indexes = false;
  options.progress = [](uint64_t, uint64_t) { return !Interrupt::requested().load(); };
  options.visit_finding = [](const log::Finding& finding) {
    if (finding.damage) PrintFinding(finding);
  };
  options.visit_record = [&](const log::FoundRecord& record) -> Result<void> {
    ++count;
    if (arguments.count) return {};
    if (arguments.json) return output.Write(JsonLine(record));
    LARDER_TRY(output.Write(record.data));
    return output.Write("\n");
  };
  const auto totals = log::ReadThrough(io::RealFileSystem(), arguments.place, options);
  if (totals && arguments.count) {
    const Json document = {{"records", count}};
    std::ignore =
        output.Write(arguments.json ? document.dump() + "\n" : fmt::format("{}\n", count));
  }
  output.Flush();
  if (output.failed() != 0) return ReportStdout(output.failed());
  if (!totals) return ReportError(totals.error());
  return totals->damaged == 0 ? kExitOk : kExitBadData;
}

}  // namespace

void AddLogCat(CLI::App& log, Run& chosen) {
  auto arguments = std::make_shared<CatArguments>();
  CLI::App* const cat = log.add_subcommand("cat", "Print the records of a log, in order");
  AddLogPlace(*cat, arguments->place);
  cat->add_option("--from", arguments->from, "The first number (default: the oldest)");
  cat->add_option("--to", arguments->to, "The last number (default: the newest)");
  cat->add_flag("--count", arguments->count, "Print only how many there are");
  cat->add_flag("--json", arguments->json,
                "One object a line: number, time_ms, marked, data; data that are not UTF-8 as "
                "base64, and data_encoding says so");
  cat->footer(
      "Examples:\n"
      "  larder log cat /var/lib/orders --from 1000 --to 1999\n"
      "  larder log cat /var/lib/orders --json | jq .number\n"
      "  larder log cat /var/lib/orders --count\n"
      "A newline stands behind each record. What is damaged is named on standard error and left\n"
      "out, and the exit code is 4.");
  cat->callback([arguments, &chosen] { chosen = [arguments] { return RunCat(*arguments); }; });
}

}  // namespace larder::cli

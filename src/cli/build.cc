// larder build: a source to a Snapshot file, without a server.
#include <memory>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/import_options.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/named_records.h"
#include "cli/progress.h"
#include "cli/standard_input.h"
#include "cli/subcommands.h"
#include "dataset/compile.h"
#include "import/importer.h"
#include "io/file_system.h"

namespace larder::cli {

namespace {

struct BuildArguments {
  std::string source;
  std::string output;
  std::string duplicates = "last";
  std::string separator = "/";
  importer::SourceOptions import;
  std::string memory = "1GiB";
  unsigned threads = 0;
  bool json = false;
};

Result<dataset::Options> MakeOptions(const BuildArguments& arguments) {
  dataset::Options options;
  options.source = arguments.source;
  options.import = arguments.import;
  options.threads = arguments.threads;
  if (arguments.duplicates == "first") options.duplicates = snapshot::Duplicates::kFirst;
  if (arguments.duplicates == "error") options.duplicates = snapshot::Duplicates::kError;
  if (arguments.separator.size() > 1)
    return Fail(ErrorCode::kInvalidArgument, "--separator: expected one byte, or nothing");
  options.separator =
      arguments.separator.empty() ? std::nullopt : std::optional<char>(arguments.separator[0]);
  const std::optional<uint64_t> memory = ParseBytes(arguments.memory);
  if (!memory || *memory < kMinBuildMemory)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--memory {}: expected a size of at least 1MiB, like 512MiB or 1GiB",
                            arguments.memory));
  options.build_memory_bytes = *memory;
  return options;
}

Json ReportJson(const BuildArguments& arguments, const dataset::CompileReport& report) {
  return {{"file", arguments.output},
          {"format", importer::FormatName(report.import.format)},
          {"records", report.records},
          {"duplicates", report.duplicates},
          {"empty_collections", report.import.empty_collections},
          {"skipped_lines", report.import.skipped_lines},
          {"bad_lines", report.import.bad_lines},
          {"file_bytes", report.file_bytes},
          {"index_bytes", report.index_bytes},
          {"spilled_runs", report.spilled_runs}};
}

void PrintText(const BuildArguments& arguments, const dataset::CompileReport& report) {
  const importer::ImportOutcome& import = report.import;
  fmt::print("{}: {} records, {} duplicates, {} bytes, from {}\n", arguments.output, report.records,
             report.duplicates, report.file_bytes, importer::FormatName(import.format));
  if (import.skipped_lines == 0) return;
  fmt::print("{} bad lines were skipped:\n", import.skipped_lines);
  for (const std::string& line : import.bad_lines) fmt::print("  {}\n", line);
  if (import.skipped_lines > import.bad_lines.size()) {
    fmt::print("  and {} more\n", import.skipped_lines - import.bad_lines.size());
  }
}

Result<dataset::CompileReport> Compile(io::FileSystem& files, const BuildArguments& arguments,
                                       dataset::Options options) {
  const bool piped = arguments.source == kStandardInput;
  Progress progress(piped ? std::string(kStandardInputName) : arguments.source);
  options.progress = [&progress](std::string_view step, double share) {
    progress.Show(step, share);
  };
  dataset::CompileRequest request;
  request.path = arguments.output;
  request.cancelled = &Interrupt::requested();
  if (!piped) return dataset::CompileSource(files, options, request);
  LARDER_ASSIGN(const auto input, StandardInput::Spool(files, arguments.output));
  options.source = input->path();
  request.source_name = kStandardInputName;
  auto report = dataset::CompileSource(files, options, request);
  if (!report) return Fail(report.error().code(), input->Renamed(report.error().message()));
  for (std::string& line : report->import.bad_lines) line = input->Renamed(std::move(line));
  return report;
}

Result<void> Build(const BuildArguments& arguments) {
  const Interrupt interrupt;
  LARDER_ASSIGN(dataset::Options options, MakeOptions(arguments));
  LARDER_TRY(CheckOutputFile(arguments.output, {arguments.source}));
  LARDER_ASSIGN(const dataset::CompileReport report,
                Compile(io::RealFileSystem(), arguments, std::move(options)));
  if (arguments.json) {
    PrintJson(ReportJson(arguments, report));
  } else {
    PrintText(arguments, report);
  }
  return {};
}

}  // namespace

void AddBuild(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* const build = app.add_subcommand("build", "Compile a source into a Snapshot file");
  build
      ->add_option("SRC", arguments->source,
                   "JSONL or JSON, plain or gzip or zstd, or a pointer file; -: standard input")
      ->required();
  build->add_option("-o,--output", arguments->output, "The Snapshot to write")->required();
  build
      ->add_option("--duplicates", arguments->duplicates,
                   "Which of several equal keys stays (default: last)")
      ->check(CLI::IsMember({"last", "first", "error"}));
  build->add_option("--separator", arguments->separator,
                    "Ends a key's collection (default: /); nothing: no collections");
  build->add_option("--memory", arguments->memory,
                    "For the index; beyond it, runs go to disk (default: 1GiB)");
  build->add_option("--threads", arguments->threads, "Parsers (default: one per core)")
      ->check(CLI::Range(kMaxThreads));
  AddImportOptions(*build, arguments->import);
  build->add_flag("--json", arguments->json, "Report as JSON");
  build->footer(
      "Examples:\n"
      "  larder build features.jsonl.gz -o features.snap\n"
      "  larder build features.jsonl -o features.snap --duplicates error --memory 256MiB\n"
      "  larder build cities.json -o cities.snap --key-field id --key-prefix city/\n"
      "  larder export shop@7 | larder build - -o shop.snap\n"
      "A checksum file beside the source (features.jsonl.gz.sha256 or .md5) must match.");
  build->callback([arguments, &chosen] {
    chosen = [arguments] {
      const auto built = Build(*arguments);
      return built ? int{kExitOk} : ReportError(built.error());
    };
  });
}

}  // namespace larder::cli

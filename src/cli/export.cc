// larder export: the records of a Snapshot, a source or a store as short JSONL.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/import_options.h"
#include "cli/interrupt.h"
#include "cli/named_records.h"
#include "cli/progress.h"
#include "cli/subcommands.h"
#include "export/jsonl_export.h"
#include "export/text_file.h"
#include "io/file_system.h"

namespace larder::cli {

namespace {

struct ExportArguments {
  std::string where;
  std::string output;
  NamedRecordsOptions options;
};

Result<exporter::ExportReport> Export(const NamedRecords& records, const exporter::TextSink& sink,
                                      Progress& progress) {
  const auto total = static_cast<double>(records.snapshot->record_count());
  auto exported = exporter::ExportJsonl(*records.snapshot, sink, [&](uint64_t done) {
    progress.Show("export", static_cast<double>(done) / total);
    return !Interrupt::requested().load();
  });
  progress.Clear();
  return exported;
}

Result<void> ExportToFile(const NamedRecords& records, const ExportArguments& arguments,
                          Progress& progress) {
  LARDER_ASSIGN(const auto file,
                exporter::TextFile::Create(io::RealFileSystem(), arguments.output));
  const auto sink = [&file](std::string_view lines) { return file->Write(lines); };
  LARDER_ASSIGN(const exporter::ExportReport report, Export(records, sink, progress));
  LARDER_ASSIGN(const uint64_t bytes, file->Publish());
  fmt::print("{}: {} records, {} bytes\n", arguments.output, report.records, bytes);
  return {};
}

int ExportToStdout(const NamedRecords& records, Progress& progress) {
  std::signal(SIGPIPE, SIG_IGN);
  int failed = 0;
  const auto sink = [&failed](std::string_view lines) -> Result<void> {
    if (std::fwrite(lines.data(), 1, lines.size(), stdout) == lines.size()) return {};
    failed = errno;
    return Fail(ErrorCode::kIoError, "standard output");
  };
  const auto exported = Export(records, sink, progress);
  if (failed == 0 && std::fflush(stdout) != 0) failed = errno;
  if (failed != 0) return ReportStdout(failed);
  return exported ? int{kExitOk} : ReportError(exported.error());
}

int RunExport(const ExportArguments& arguments, bool to_file) {
  const Interrupt interrupt;
  Progress progress(arguments.where);
  if (to_file) {
    if (const auto checked = CheckOutputFile(arguments.output, {arguments.where}); !checked) {
      return ReportError(checked.error());
    }
  }
  const auto records = OpenNamedRecords(arguments.where, arguments.options, progress);
  if (!records) return ReportError(records.error());
  if (!to_file) return ExportToStdout(*records, progress);
  const auto exported = ExportToFile(*records, arguments, progress);
  return exported ? int{kExitOk} : ReportError(exported.error());
}

}  // namespace

void AddExport(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* const command =
      app.add_subcommand("export", "Write records as JSONL that builds an equal dataset");
  command
      ->add_option("WHERE", arguments->where,
                   "A .snap file, a source file, or STORE, STORE@N, STORE@previous, STORE@refused")
      ->required();
  CLI::Option* const output =
      command->add_option("-o,--output", arguments->output,
                          "The file to write, compressed when it ends in .gz or .zst (default: "
                          "standard output)");
  AddStoreOptions(*command, arguments->options.where);
  AddImportOptions(*command, arguments->options.import);
  command->footer(
      "Examples:\n"
      "  larder export features.snap | head\n"
      "  larder export features@7 -o features-7.jsonl.zst\n"
      "  larder export cities.json -o cities.jsonl\n"
      "Values that are not UTF-8 are written as base64, and read back from it.");
  command->callback([arguments, output, &chosen] {
    chosen = [arguments, to_file = output->count() > 0] { return RunExport(*arguments, to_file); };
  });
}

}  // namespace larder::cli

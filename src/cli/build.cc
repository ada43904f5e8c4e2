// larder build: a source to a Snapshot file, without a server.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/config.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/progress.h"
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
  std::string memory = "1GiB";
  unsigned threads = 0;
  bool json = false;
};

Result<dataset::Options> MakeOptions(const BuildArguments& arguments) {
  dataset::Options options;
  options.source = arguments.source;
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

// The Snapshot takes the place of what has its name: that must be a file that can be done without.
Result<void> CheckOutput(io::FileSystem& files, const BuildArguments& arguments) {
  if (arguments.output.empty()) return Fail(ErrorCode::kInvalidArgument, "--output: no file named");
  const auto existing = files.Stat(arguments.output);
  if (!existing) return {};
  if (existing->kind != io::FileKind::kRegular) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--output {}: is there already and is no file, so no Snapshot can take "
                            "its place; name another",
                            arguments.output));
  }
  const auto source = files.Stat(arguments.source);
  if (source && source->inode == existing->inode && source->device == existing->device) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--output {}: is the source itself; name another", arguments.output));
  }
  return {};
}

Result<void> CheckDigests(const BuildArguments& arguments, const importer::DigestFiles& expected,
                          const importer::SourceIdentity& identity) {
  const auto differs = [](const auto& expected_digest, const auto& digest) {
    return expected_digest && expected_digest != digest;
  };
  if (differs(expected.md5, identity.md5) || differs(expected.sha256, identity.sha256)) {
    return Fail(ErrorCode::kRefused,
                fmt::format("{} does not match the checksum file beside it", arguments.source));
  }
  return {};
}

Result<void> Build(const BuildArguments& arguments) {
  const Interrupt interrupt;
  io::FileSystem& files = io::RealFileSystem();
  LARDER_ASSIGN(dataset::Options options, MakeOptions(arguments));
  LARDER_TRY(CheckOutput(files, arguments));
  Progress progress(arguments.source);
  options.progress = [&progress](std::string_view step, double share) {
    progress.Show(step, share);
  };
  LARDER_ASSIGN(const importer::DigestFiles expected,
                importer::ReadDigestFiles(files, arguments.source));
  dataset::CompileRequest request;
  request.path = arguments.output;
  request.cancelled = &Interrupt::requested();
  LARDER_ASSIGN(request.identity,
                importer::IdentifySource(files, arguments.source, expected.md5.has_value(),
                                         expected.sha256.has_value()));
  LARDER_TRY(CheckDigests(arguments, expected, request.identity));
  LARDER_ASSIGN(const snapshot::BuildReport report,
                dataset::CompileSource(files, options, request));
  progress.Clear();
  if (arguments.json) {
    PrintJson({{"file", arguments.output},
               {"records", report.records},
               {"duplicates", report.duplicates},
               {"file_bytes", report.file_bytes},
               {"index_bytes", report.index_bytes},
               {"spilled_runs", report.spilled_runs}});
  } else {
    fmt::print("{}: {} records, {} duplicates, {} bytes\n", arguments.output, report.records,
               report.duplicates, report.file_bytes);
  }
  return {};
}

}  // namespace

void AddBuild(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* const build = app.add_subcommand("build", "Compile a source into a Snapshot file");
  build->add_option("SRC", arguments->source, "JSONL, plain or gzip or zstd")->required();
  build->add_option("-o,--output", arguments->output, "The Snapshot to write")->required();
  build->add_option("--duplicates", arguments->duplicates, "Which of several equal keys stays")
      ->check(CLI::IsMember({"last", "first", "error"}));
  build->add_option("--separator", arguments->separator,
                    "Ends a key's collection (default /); nothing: no collections");
  build->add_option("--memory", arguments->memory,
                    "For the index; beyond it, runs go to disk (1GiB)");
  build->add_option("--threads", arguments->threads, "Parsers (default: one per core)")
      ->check(CLI::Range(kMaxThreads));
  build->add_flag("--json", arguments->json, "Report as JSON");
  build->footer(
      "Examples:\n"
      "  larder build features.jsonl.gz -o features.snap\n"
      "  larder build features.jsonl -o features.snap --duplicates error --memory 256MiB\n"
      "A checksum file beside the source (features.jsonl.gz.sha256 or .md5) must match.");
  build->callback([arguments, &chosen] {
    chosen = [arguments] {
      const auto built = Build(*arguments);
      return built ? int{kExitOk} : ReportError(built.error());
    };
  });
}

}  // namespace larder::cli

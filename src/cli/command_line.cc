#include "cli/command_line.h"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/subcommands.h"

namespace larder::cli {

namespace {

constexpr std::string_view kFooter =
    "Examples:\n"
    "  larder serve features.jsonl.gz            serve a file to Redis clients on 127.0.0.1:6380\n"
    "  larder serve --config larder.toml         serve what the configuration names\n"
    "  larder versions features                  list the versions of a store\n"
    "  larder rollback features                  serve the version before the current one again\n"
    "  larder build features.jsonl -o f.snap     compile a Snapshot without serving it\n"
    "  larder get f.snap user:1                  print one value\n"
    "  larder export features | head             its records as JSONL\n"
    "  larder diff features                      what the last version changed, or a refused one "
    "would\n"
    "  larder watch                              follow the versions of a server's stores\n"
    "\n"
    "Exit codes: 0 success, 1 failure, 2 usage or configuration, 3 not found, 4 bad data,\n"
    "5 held by another process, 6 different, 130 interrupted.";

// One line, like every error of the program.
int ReportUsage(const CLI::App& app, const CLI::ParseError& error) {
  std::string what = error.what();
  std::string subcommand;
  if (const auto chosen = app.get_subcommands(); !chosen.empty()) {
    subcommand = " " + chosen[0]->get_name();
    if (const auto nested = chosen[0]->get_subcommands(); !nested.empty())
      subcommand += " " + nested[0]->get_name();
  } else if (const auto words = app.remaining(); !words.empty()) {
    what = fmt::format("there is no subcommand {}", words[0]);
  }
  PrintToStderr(fmt::format("larder: {}; see larder{} --help\n", what, subcommand));
  return kExitUsage;
}

// What was printed is an answer only once it is written. Other exit codes have been explained
// already.
int Flush(int exit_code) {
  if (exit_code != kExitOk && exit_code != kExitDifferent) return exit_code;
  if (std::fflush(stdout) != 0) return ReportStdout(errno);
  return std::ferror(stdout) == 0 ? exit_code : ReportStdout(EIO);
}

// fmt::print throws when a buffer in between cannot be written.
int Execute(const Run& command) {
  try {
    return Flush(command());
  } catch (const std::system_error& error) {
    return ReportStdout(error.code().value());
  }
}

}  // namespace

void AddCommands(CLI::App& app, Run& chosen) {
  app.name("larder");
  app.description("Small data, kept fresh, served fast");
  app.set_version_flag("--version", std::string("larder ") + LARDER_VERSION,
                       "Print the version and end");
  app.require_subcommand(1);
  app.footer(std::string(kFooter));
  AddServe(app, chosen);
  AddBuild(app, chosen);
  AddInspect(app, chosen);
  AddVerify(app, chosen);
  AddGet(app, chosen);
  AddExport(app, chosen);
  AddDiff(app, chosen);
  AddVersions(app, chosen);
  AddRollback(app, chosen);
  AddPin(app, chosen);
  AddUnpin(app, chosen);
  AddAccept(app, chosen);
  AddWatch(app, chosen);
  AddLog(app, chosen);
  AddCheckConfig(app, chosen);
  AddCompletion(app, chosen);
  AddMan(app, chosen);
}

int RunCommandLine(int argc, char** argv) {
  CLI::App app;
  Run chosen;
  AddCommands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are answers, not errors: CLI11 gives them 0.
    if (error.get_exit_code() == 0) return Flush(app.exit(error));
    return ReportUsage(app, error);
  }
  return Execute(chosen);
}

}  // namespace larder::cli

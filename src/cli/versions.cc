// larder versions, rollback, pin, unpin, accept: which version of a store is served.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/store_access.h"
#include "cli/subcommands.h"
#include "cli/time_text.h"

namespace larder::cli {

namespace {

struct Arguments {
  StoreArguments where;
  std::optional<uint64_t> version;
  bool json = false;
};
using SharedArguments = std::shared_ptr<Arguments>;

void PrintVersions(const std::vector<dataset::VersionInfo>& versions) {
  for (const dataset::VersionInfo& version : versions) {
    fmt::print("{} {}  {} records  {} bytes  built {}  from {}{}\n", version.current ? '*' : ' ',
               version.number, version.records, version.file_bytes, TimeText(version.built_at_ms),
               version.source, version.damaged ? "  DAMAGED" : "");
    if (version.refused) fmt::print("    REFUSED: {}\n", version.verdict);
  }
}

void PrintVersionsAsJson(const std::vector<dataset::VersionInfo>& versions) {
  Json all = Json::array();
  for (const dataset::VersionInfo& version : versions) {
    all.push_back({{"number", version.number},
                   {"current", version.current},
                   {"damaged", version.damaged},
                   {"refused", version.refused},
                   {"verdict", version.verdict},
                   {"records", version.records},
                   {"bytes", version.file_bytes},
                   {"source", version.source},
                   {"checksum", version.source_checksum},
                   {"built_at_ms", version.built_at_ms}});
  }
  PrintJson(all);
}

int RunVersions(const Arguments& arguments) {
  const auto store = OpenStore(arguments.where);
  if (!store) return ReportError(store.error());
  const auto versions = (*store)->Versions();
  if (!versions) return ReportError(versions.error());
  if (arguments.json) {
    PrintVersionsAsJson(*versions);
  } else {
    PrintVersions(*versions);
  }
  return kExitOk;
}

int ReportSwitch(const Result<dataset::SwitchReport>& report, bool json) {
  if (!report) return ReportError(report.error());
  if (json) {
    PrintJson({{"previous", report->previous},
               {"current", report->current},
               {"pinned", report->pinned},
               {"compiled", report->compiled}});
  } else {
    fmt::print("version {} is served{} (before: {})\n", report->current,
               report->pinned ? ", pinned" : "", report->previous);
  }
  return kExitOk;
}

template <typename Change>
int RunSwitch(const Arguments& arguments, Change change) {
  const auto store = OpenStore(arguments.where);
  if (!store) return ReportError(store.error());
  return ReportSwitch(change(**store), arguments.json);
}

CLI::App* AddCommand(CLI::App& app, const SharedArguments& arguments, const std::string& name,
                     const std::string& description) {
  CLI::App* const command = app.add_subcommand(name, description);
  command->add_option("STORE", arguments->where.store, "The store's name (default: the only one)");
  AddStoreOptions(*command, arguments->where);
  command->add_flag("--json", arguments->json, "Answer as JSON");
  return command;
}

}  // namespace

void AddVersions(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* const command =
      AddCommand(app, arguments, "versions", "List the versions of a store; * is served");
  command->footer(
      "Examples:\n  larder versions features\n  larder versions --json --server "
      "127.0.0.1:6380");
  command->callback(
      [arguments, &chosen] { chosen = [arguments] { return RunVersions(*arguments); }; });
}

void AddRollback(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* const command = AddCommand(app, arguments, "rollback",
                                       "Serve the version before the current one, and hold it");
  command->add_option("VERSION", arguments->version, "Serve this one instead");
  command->footer(
      "Examples:\n  larder rollback features\n  larder rollback features 3\n"
      "New files are compiled but not served until `larder unpin`.");
  command->callback([arguments, &chosen] {
    chosen = [arguments] {
      return RunSwitch(*arguments, [&](StoreAccess& s) { return s.Rollback(arguments->version); });
    };
  });
}

void AddPin(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* const command =
      AddCommand(app, arguments, "pin", "Serve a version and hold it, whatever arrives");
  command->add_option("VERSION", arguments->version, "Its number")->required();
  command->footer("Example:\n  larder pin features 3");
  command->callback([arguments, &chosen] {
    chosen = [arguments] {
      return RunSwitch(*arguments, [&](StoreAccess& s) { return s.Pin(*arguments->version); });
    };
  });
}

void AddUnpin(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* const command =
      AddCommand(app, arguments, "unpin", "Follow the source again: serve the newest version");
  command->footer("Example:\n  larder unpin features");
  command->callback([arguments, &chosen] {
    chosen = [arguments] {
      return RunSwitch(*arguments, [](StoreAccess& s) { return s.Unpin(); });
    };
  });
}

void AddAccept(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* const command =
      AddCommand(app, arguments, "accept", "Serve the version that was refused, once");
  command->footer(
      "Examples:\n  larder versions features\n  larder diff features\n  larder accept features\n"
      "What was refused, and why, is shown by `larder versions`; `larder diff` compares it with\n"
      "what is served. The next version is judged as ever.");
  command->callback([arguments, &chosen] {
    chosen = [arguments] {
      return RunSwitch(*arguments, [](StoreAccess& s) { return s.Accept(); });
    };
  });
}

}  // namespace larder::cli

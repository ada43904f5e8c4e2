// The subcommands of `larder`, one file each: declares its arguments and, when it was chosen, says
// what is to be run.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace larder::cli {

// The chosen subcommand; it returns the exit code.
using Run = std::function<int()>;

void AddServe(CLI::App& app, Run& chosen);
void AddBuild(CLI::App& app, Run& chosen);
void AddInspect(CLI::App& app, Run& chosen);
void AddVerify(CLI::App& app, Run& chosen);
void AddGet(CLI::App& app, Run& chosen);
void AddExport(CLI::App& app, Run& chosen);
void AddDiff(CLI::App& app, Run& chosen);
void AddVersions(CLI::App& app, Run& chosen);
void AddRollback(CLI::App& app, Run& chosen);
void AddPin(CLI::App& app, Run& chosen);
void AddUnpin(CLI::App& app, Run& chosen);
void AddAccept(CLI::App& app, Run& chosen);
void AddWatch(CLI::App& app, Run& chosen);
void AddLog(CLI::App& app, Run& chosen);
void AddCheckConfig(CLI::App& app, Run& chosen);
void AddCompletion(CLI::App& app, Run& chosen);
void AddMan(CLI::App& app, Run& chosen);

}  // namespace larder::cli

// The program: reads the command line, runs the chosen subcommand.
#pragma once

#include "cli/subcommands.h"

namespace larder::cli {

// All of the program's subcommands.
void AddCommands(CLI::App& app, Run& chosen);

// Returns the exit code (cli/exit_code.h).
int RunCommandLine(int argc, char** argv);

}  // namespace larder::cli

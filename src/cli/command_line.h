// The program: reads the command line, runs the chosen subcommand.
#pragma once

namespace larder::cli {

// Returns the exit code (cli/exit_code.h).
int RunCommandLine(int argc, char** argv);

}  // namespace larder::cli

// What the program's exit status says; docs/operations.md, "Exit codes". Scripts rely on it.
#pragma once

#include "base/error.h"

namespace larder::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,      // anything that has no number of its own, reading and writing included
  kExitUsage = 2,        // the command line or the configuration is wrong
  kExitNotFound = 3,     // a file, store, version or key that does not exist
  kExitBadData = 4,      // a source or a Snapshot is damaged, refused or not understood
  kExitBusy = 5,         // held by another process: a directory, an address
  kExitCancelled = 130,  // stopped by SIGINT, as shells count
};

ExitCode ExitCodeOf(ErrorCode code);

// Writes "larder: message" to stderr and returns the exit code that fits.
int ReportError(const Error& error);

}  // namespace larder::cli

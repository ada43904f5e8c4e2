// What the program's exit status says; docs/cli.md, "Exit codes". Scripts rely on it.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/error.h"

namespace larder::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,       // anything that has no number of its own, reading and writing included
  kExitUsage = 2,         // the command line or the configuration is wrong
  kExitNotFound = 3,      // a file, store, version or key that does not exist
  kExitBadData = 4,       // a source or a Snapshot is damaged, refused or not understood
  kExitBusy = 5,          // held by another process: a directory, an address
  kExitDifferent = 6,     // what was compared is not equal
  kExitCancelled = 130,   // stopped by SIGINT, as shells count
  kExitPipeClosed = 141,  // whoever read standard output has gone, as shells count SIGPIPE
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;
};

// For manual pages and docs/cli.md.
inline constexpr std::array<ExitCodeMeaning, 9> kExitCodes = {{
    {kExitOk, "success; for serve and watch also: ended by a signal"},
    {kExitFailure,
     "failure without a number of its own: reading, writing, a server that does not "
     "answer"},
    {kExitUsage, "the command line or the configuration is wrong"},
    {kExitNotFound, "not found: a file, a store, a version, a key"},
    {kExitBadData,
     "bad data: a source or Snapshot that is damaged, refused by a check, or over a "
     "limit of the format"},
    {kExitBusy, "held by another process: an address, a store's directory"},
    {kExitDifferent, "diff: the two are not equal"},
    {kExitCancelled, "interrupted (build, verify, export, diff)"},
    {kExitPipeClosed, "whoever read standard output has gone"},
}};

ExitCode ExitCodeOf(ErrorCode code);

// Writes "larder: message" to stderr and returns the exit code that fits.
int ReportError(const Error& error);

// For what could not be written to stdout. A reader that has seen enough (`| head`) is told
// nothing.
int ReportStdout(int error_number);

// Never fails: a terminal that is gone, or a full disk under a log, ends neither a command nor a
// server. (fmt::print throws, from whatever thread.)
void PrintToStderr(const std::string& text);

}  // namespace larder::cli

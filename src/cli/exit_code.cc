#include "cli/exit_code.h"

#include <cerrno>
#include <cstdio>
#include <tuple>

#include <fmt/format.h>

namespace larder::cli {

ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kCorrupt:
    case ErrorCode::kUnsupported:
    case ErrorCode::kRefused:
    case ErrorCode::kLimit:
      return kExitBadData;
    case ErrorCode::kBusy:
      return kExitBusy;
    case ErrorCode::kCancelled:
      return kExitCancelled;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kNoSpace:
    case ErrorCode::kIoError:
    case ErrorCode::kInternal:
      return kExitFailure;
  }
  return kExitFailure;
}

int ReportError(const Error& error) {
  PrintToStderr(fmt::format("larder: {}\n", error.message()));
  return ExitCodeOf(error.code());
}

int ReportStdout(int error_number) {
  if (error_number == EPIPE) return kExitPipeClosed;
  return ReportError(ErrnoError(error_number, "cannot write to", "standard output"));
}

void PrintToStderr(const std::string& text) { std::ignore = std::fputs(text.c_str(), stderr); }

}  // namespace larder::cli

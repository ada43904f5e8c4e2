#include "cli/exit_code.h"

#include <cstdio>

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
  fmt::print(stderr, "larder: {}\n", error.message());
  return ExitCodeOf(error.code());
}

}  // namespace larder::cli

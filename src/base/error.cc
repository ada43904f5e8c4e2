#include "base/error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace larder {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid_argument";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kAlreadyExists:
      return "already_exists";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kPermissionDenied:
      return "permission_denied";
    case ErrorCode::kNoSpace:
      return "no_space";
    case ErrorCode::kIoError:
      return "io_error";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Error Error::Within(std::string_view context) const {
  return Error(code_, fmt::format("{}: {}", context, message_));
}

ErrorCode ErrorCodeOfErrno(int error_number) {
  switch (error_number) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kNoSpace;
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    case EAGAIN:
    case EBUSY:
    case EADDRINUSE:
      return ErrorCode::kBusy;
    default:
      return ErrorCode::kIoError;
  }
}

Error ErrnoError(int error_number, std::string_view operation, std::string_view path) {
  return Error(
      ErrorCodeOfErrno(error_number),
      fmt::format("{} {}: {}", operation, path, std::generic_category().message(error_number)));
}

}  // namespace larder

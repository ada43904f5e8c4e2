// Error and Result: how every folder reports what went wrong.
//
// An Error is a value: a code for the program, a sentence for the person. The sentence says what
// was tried, on which file, line or key, what was found, and what to do. A miss is not an error
// (std::optional). Nothing in src/ throws; an exception of a library is caught in the folder that
// uses that library.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace larder {

enum class ErrorCode : uint8_t {
  kInvalidArgument,   // a caller's or an operator's mistake: bad option, bad configuration
  kNotFound,          // a file, store or version that does not exist
  kAlreadyExists,     // a file or name that is taken
  kBusy,              // held by another process or another operation
  kPermissionDenied,  // the operating system refused
  kNoSpace,           // the disk or a quota is full
  kIoError,           // reading or writing failed
  kCorrupt,           // bytes that are not what their format says
  kUnsupported,       // well-formed, but newer or other than this program understands
  kRefused,           // a version that did not pass a check (checksum file, duplicate, limit)
  kLimit,             // a named limit was exceeded
  kCancelled,         // stopped on request
  kInternal,          // a defect in Larder
};

// The code's name as it stands in logs and JSON, for instance "not_found".
std::string_view ErrorCodeName(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error with what was being done in front: "context: message".
  Error Within(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T>
using Result = std::expected<T, Error>;

// For `return Fail(ErrorCode::kCorrupt, "...")` in a function that returns Result<T>.
inline std::unexpected<Error> Fail(ErrorCode code, std::string message) {
  return std::unexpected<Error>(std::in_place, code, std::move(message));
}

// The code that fits an errno, and an Error that names the operation and the path.
ErrorCode ErrorCodeOfErrno(int error_number);
Error ErrnoError(int error_number, std::string_view operation, std::string_view path);

}  // namespace larder

// Passes an error on, or goes on with the value.
//   LARDER_TRY(file->Sync());
//   LARDER_ASSIGN(auto file, files.OpenForRead(path));
#define LARDER_CONCAT_INNER(a, b) a##b
#define LARDER_CONCAT(a, b) LARDER_CONCAT_INNER(a, b)
#define LARDER_TRY(expression)                                      \
  do {                                                              \
    if (auto larder_try_result = (expression); !larder_try_result)  \
      return std::unexpected(std::move(larder_try_result).error()); \
  } while (false)
#define LARDER_ASSIGN(declaration, expression) \
  LARDER_ASSIGN_INNER(LARDER_CONCAT(larder_result_, __LINE__), declaration, expression)
#define LARDER_ASSIGN_INNER(result, declaration, expression)      \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)

// Error and Result (larder/error.h), and what makes them short to write inside src/.
//
// Nothing in src/ throws; an exception of a library is caught in the folder that uses that library.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "larder/error.h"

namespace larder {

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
